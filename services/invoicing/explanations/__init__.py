"""How the amount of an invoice's line came about."""
