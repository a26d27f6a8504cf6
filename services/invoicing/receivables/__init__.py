"""Invoices as issued, and beside them what of each line is open, disputed, due and overdue."""
