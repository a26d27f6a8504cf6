"""Shares of an amount, in minor units."""

from collections.abc import Iterable


def allocate_in_order(amount: int, limits: Iterable[int]) -> list[int]:
    """Allocate an amount to places in their order, none above its limit; return the share of each place.

    A place whose limit is not above zero has no share. What is above all limits is allocated to none.
    """
    shares, rest = [], amount
    for limit in limits:
        share = max(min(limit, rest), 0)
        shares.append(share)
        rest -= share
    return shares
