"""Vendor disputes: states go where their table says, and no more is contested or accepted than there is."""

from itertools import product

import pytest

from services.escalation.domain.state_moves import StateMoveRefused, move_state
from services.escalation.domain.vendor_disputes import (
    VENDOR_DISPUTE_ALLOWED,
    AcceptedAmountRefused,
    ContestedAboveInvoice,
    VendorDisputeState,
    accept_contested_amount,
    check_contested_amount,
)


@pytest.mark.parametrize(("state", "wanted"), list(product(VendorDisputeState, VendorDisputeState)))
def test_only_what_is_open_ends(state: VendorDisputeState, wanted: VendorDisputeState) -> None:
    if state is VendorDisputeState.OPEN and wanted is not VendorDisputeState.OPEN:
        assert move_state(VENDOR_DISPUTE_ALLOWED, state, wanted) is wanted
    else:
        with pytest.raises(StateMoveRefused):
            move_state(VENDOR_DISPUTE_ALLOWED, state, wanted)


def test_the_vendor_accepts_all_or_a_part() -> None:
    assert accept_contested_amount(VendorDisputeState.OPEN, 500, 500) is VendorDisputeState.ACCEPTED
    assert accept_contested_amount(VendorDisputeState.OPEN, 500, 1) is VendorDisputeState.PARTLY_ACCEPTED
    for accepted_minor in (-1, 0, 501):
        with pytest.raises(AcceptedAmountRefused):
            accept_contested_amount(VendorDisputeState.OPEN, 500, accepted_minor)
    with pytest.raises(StateMoveRefused):
        accept_contested_amount(VendorDisputeState.REJECTED, 500, 500)


def test_at_most_the_invoice_is_contested() -> None:
    check_contested_amount(300, 700, 1000)
    for contested_minor, others_minor in ((301, 700), (1001, 0), (1, 1000)):
        with pytest.raises(ContestedAboveInvoice):
            check_contested_amount(contested_minor, others_minor, 1000)
