"""Invoices, credit notes and statements of account as pages, PDF and mail."""
