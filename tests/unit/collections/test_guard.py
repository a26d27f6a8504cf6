"""The guard trips only above both its limits."""

import pytest

from services.collections.domain.guard import check_suspension_limits
from services.collections.domain.policy import SuspensionLimits

LIMITS = SuspensionLimits(suspensions_per_hour=5, share_of_accounts_percent=10)


@pytest.mark.parametrize(
    ("requested", "accounts", "allowed"),
    [
        (0, 1, True),  # one of one: above the share, not above the number
        (4, 10, True),  # the fifth is not above five
        (5, 10, False),  # the sixth of ten is above both
        (5, 60, True),  # six of sixty are exactly ten per cent
        (5, 59, False),
        (99, 1000, True),
        (100, 1000, False),
        (5, 0, False),
    ],
)
def test_the_limit(requested: int, accounts: int, allowed: bool) -> None:
    verdict = check_suspension_limits(
        requested_in_last_hour=requested,
        active_accounts=accounts,
        limits=LIMITS,
        stopped=False,
        approved=False,
    )
    assert verdict.allowed is allowed
    assert (verdict.reason is None) is allowed


def test_the_refusal_says_what_was_exceeded() -> None:
    verdict = check_suspension_limits(
        requested_in_last_hour=5, active_accounts=10, limits=LIMITS, stopped=False, approved=False
    )
    assert verdict.reason == (
        "it would be suspension 6 within an hour, above 5 and above 10 % of 10 active accounts: "
        "a person must approve it"
    )


@pytest.mark.parametrize(("stopped", "allowed"), [(False, True), (True, False)])
def test_approval_passes_the_limit_but_not_the_stop(stopped: bool, allowed: bool) -> None:
    verdict = check_suspension_limits(
        requested_in_last_hour=5, active_accounts=10, limits=LIMITS, stopped=stopped, approved=True
    )
    assert verdict.allowed is allowed


def test_the_stop_holds_the_first_one_too() -> None:
    verdict = check_suspension_limits(
        requested_in_last_hour=0, active_accounts=1000, limits=LIMITS, stopped=True, approved=False
    )
    assert verdict.reason == "all suspensions are stopped"
