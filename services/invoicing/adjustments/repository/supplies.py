"""The columns by which a supply is known: what was sold, for which days."""

_OTHERS = ("setup", "usage", "vendor_difference")
SUPPLY = f"CASE WHEN c.kind IN {_OTHERS} THEN c.kind ELSE 'cycle' END AS supply"
"""Column that tells the supply of a charge: `cycle`, `setup`, `usage` or `vendor_difference`."""
