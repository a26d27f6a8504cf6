"""Rests of charges that are still to be billed, for statements over many; to be formatted with a prefix of columns."""

COMPUTE_UNBILLED_MINOR = "{0}amount_minor - {0}settled_minor - {0}lapsed_minor"
"""`compute_unbilled_minor` of the domain, over `charges`."""
IS_CHARGE_BILLABLE = "({0}lapsed_minor = 0 OR {0}amount_minor <> {0}settled_minor + {0}lapsed_minor)"
"""`is_charge_billable` of the domain, over `charges`."""
