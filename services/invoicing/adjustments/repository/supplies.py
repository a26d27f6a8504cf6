"""The columns by which a supply is known: what was sold, for which days."""

_RUN_GIVEN = """(
    SELECT coalesce(sum(k.amount_minor), 0) FROM credit_notes n JOIN credit_note_lines k ON k.credit_note_id = n.id
    WHERE n.account_id = b.account_id AND n.invoice_id = b.invoice_id AND n.bill_id IS NOT NULL AND k.line = b.line
)"""
COMPUTE_FORGIVEN_MINOR = f"""
LEFT JOIN invoice_lines l ON l.invoice_id = c.invoice_id AND l.charge_id = c.id
LEFT JOIN line_balances b ON b.invoice_id = l.invoice_id AND b.line = l.line
LEFT JOIN LATERAL (
    SELECT b.credited_minor + b.written_off_minor - {_RUN_GIVEN} AS gross
) f ON b.credited_minor + b.written_off_minor > 0
"""
"""`compute_forgiven_minor` of the domain as `f.gross`, joined to `charges c`; no row where nothing was taken off."""

_OTHERS = ("setup", "usage", "vendor_difference")
SUPPLY = f"CASE WHEN c.kind IN {_OTHERS} THEN c.kind ELSE 'cycle' END AS supply"
"""Column that tells the supply of a charge: `cycle`, `setup`, `usage` or `vendor_difference`."""
