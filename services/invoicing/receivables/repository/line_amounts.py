"""Open and disputed amounts of lines, for statements that add up many: those of `InvoiceLine` of the domain."""

COMPUTE_OPEN_MINOR = "{0}amount_minor - {0}paid_minor - {0}credited_minor - {0}written_off_minor"
"""`InvoiceLine.open_minor` of the domain, over `line_balances`; to be formatted with the prefix of its columns."""
BALANCES_WITH_OPEN_MINOR = f"(SELECT *, {COMPUTE_OPEN_MINOR.format('')} AS open_minor FROM line_balances)"
"""The rows of `line_balances`, with `open_minor` beside the stored amounts."""
COMPUTE_DISPUTED_MINOR = "least(b.reserved_minor + b.charged_back_minor, b.open_minor)"
"""`compute_disputed_minor` of the domain, over `BALANCES_WITH_OPEN_MINOR b`."""
