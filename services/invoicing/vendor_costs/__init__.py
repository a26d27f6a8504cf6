"""Invoices of the vendor, compared line by line with what we expected, and decisions about differences."""
