"""Addresses of cases, who is written to, which message tells the outcome, bounces, and how long words are kept."""

from datetime import UTC, datetime, timedelta

import pytest

from services.escalation.domain.inbound_mails import find_permanent_bounce_code, is_case_unreachable
from services.escalation.domain.mails import (
    build_reply_address,
    choose_recipient_role,
    find_reply_secrets,
    is_message_about_outcome,
)
from services.escalation.domain.removals import is_retention_over
from services.escalation.domain.service_health import ServiceHealthRefused

SUPPORT = "support@reseller.example"
FIRST, SECOND = "0123456789abcdef" * 2, "f" * 32


def test_the_address_of_a_case_is_ours_with_its_token() -> None:
    address = build_reply_address(SUPPORT, FIRST)
    assert address == f"support+{FIRST}@reseller.example"
    assert find_reply_secrets(SUPPORT, [address]).reply_tokens == {FIRST}


def test_secrets_are_found_in_addresses_of_ours_only() -> None:
    secrets = find_reply_secrets(
        SUPPORT,
        [
            f"Support+{FIRST.upper()}@Reseller.example",
            f"support+bounce-{SECOND}@reseller.example",
            f"sales+{SECOND}@reseller.example",
            f"support+{SECOND}@resellerxexample",
            f"support+{SECOND}@reseller.example.org",
            f"support+{SECOND[:-1]}@reseller.example",
            f"support+g{SECOND[1:]}@reseller.example",
            SUPPORT,
        ],
    )
    assert (secrets.reply_tokens, secrets.bounce_secrets) == (frozenset({FIRST}), frozenset({SECOND}))


def test_a_technical_case_writes_to_the_technical_contact() -> None:
    assert [choose_recipient_role(kind) for kind in ("technical", "dispute", "task")] == [
        "technical",
        "billing",
        "billing",
    ]


@pytest.mark.parametrize(
    ("about_outcome", "written", "outcome", "tells"),
    [
        (True, 7, 7, True),
        (False, 7, 7, False),
        (True, 7, 8, False),
        (True, None, None, False),
        (True, 7, None, False),
    ],
)
def test_a_message_tells_the_outcome_that_was_known_when_it_was_written(
    about_outcome: bool, written: int | None, outcome: int | None, tells: bool
) -> None:
    assert is_message_about_outcome(about_outcome, written, outcome) is tells


@pytest.mark.parametrize(
    ("statuses", "code"),
    [
        ([("failed", "5.1.1")], "5.1.1"),
        ([("delayed", "4.4.7"), (" Failed ", " 5.7.1 ")], "5.7.1"),
        ([("failed", "4.4.7")], None),
        ([("relayed", "5.1.1")], None),
        ([("failed", "55.1.1")], None),
        ([], None),
    ],
)
def test_a_bounce_is_permanent_by_action_and_code(statuses: list[tuple[str, str]], code: str | None) -> None:
    assert find_permanent_bounce_code(statuses) == code


@pytest.mark.parametrize(
    ("state", "customer_informed", "no_customer_affected", "kind", "is_unreachable"),
    [
        ("closed", False, None, "dispute", True),
        ("closed", False, "", "dispute", True),
        ("resolved", False, None, "dispute", False),
        ("closed", True, None, "dispute", False),
        ("closed", False, "found by monitoring", "dispute", False),
        ("closed", False, None, "task", False),
    ],
)
def test_a_closed_case_of_whose_outcome_nothing_arrived_is_open_in_fact(
    state: str, customer_informed: bool, no_customer_affected: str | None, kind: str, is_unreachable: bool
) -> None:
    assert is_case_unreachable(state, customer_informed, no_customer_affected, kind) is is_unreachable


def test_words_are_removed_when_their_days_have_passed_in_full() -> None:
    now = datetime(2026, 4, 2, 9, 0, tzinfo=UTC)
    assert is_retention_over(now - timedelta(days=31), 31, now)
    assert not is_retention_over(now - timedelta(days=31) + timedelta(seconds=1), 31, now)


def test_a_refusal_of_service_health_has_the_code_of_the_vendor() -> None:
    refused = ServiceHealthRefused("403")
    assert (refused.code, str(refused)) == ("403", "403")
