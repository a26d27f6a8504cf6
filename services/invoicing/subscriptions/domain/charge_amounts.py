"""Amounts of charges, in minor units without tax: what of them is still to be billed."""


def compute_unbilled_minor(amount_minor: int, settled_minor: int, lapsed_minor: int) -> int:
    """Compute what of a charge comes on an invoice: what credit notes have not settled and has not lapsed.

    `repository.charge_rests.COMPUTE_UNBILLED_MINOR` does it for many charges.
    """
    return amount_minor - settled_minor - lapsed_minor


def is_charge_billable(amount_minor: int, settled_minor: int, lapsed_minor: int) -> bool:
    """Say whether a charge comes on an invoice: not once it has lapsed to nothing, but also if it was for nothing.

    `repository.charge_rests.IS_CHARGE_BILLABLE` does it for many charges.
    """
    return lapsed_minor == 0 or compute_unbilled_minor(amount_minor, settled_minor, lapsed_minor) != 0
