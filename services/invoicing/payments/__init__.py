"""Payments and their allocations, unapplied cash, debits, chargebacks, tolerances, cash held for refunds."""
