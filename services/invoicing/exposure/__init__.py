"""Exposure: receivables of a customer beside our debts to the vendor for it, also in one currency."""
