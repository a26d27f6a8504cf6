"""How well payments must be known before access ends."""

from datetime import UTC, datetime, timedelta

import pytest

from services.collections.domain.bank_data import BankDataState, find_stale_bank_reason
from services.collections.domain.policy import parse_collection_policy
from tests.unit.collections.test_policy import STANDARD, faults

NOON = datetime(2026, 3, 31, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("age", "in_question", "cause"),
    [
        (timedelta(hours=48), 0, None),
        (
            timedelta(hours=48, seconds=1),
            0,
            "bank data are older than 48 h: payments are known until 2026-03-29 11:59 UTC",
        ),
        (timedelta(hours=60), 1, "bank data are older than 48 h: payments are known until 2026-03-29 00:00 UTC"),
        (timedelta(), 1, "an unmatched receipt may be theirs"),
    ],
)
def test_knowledge_may_be_so_old_and_no_receipt_undecided(age: timedelta, in_question: int, cause: str | None) -> None:
    assert find_stale_bank_reason(BankDataState(NOON - age, in_question), 48, NOON) == cause


def test_without_any_statement_nothing_is_known() -> None:
    assert find_stale_bank_reason(BankDataState(None, 0), 8760, NOON) == "no bank statement was imported yet"


def test_the_setting_is_optional_and_a_whole_number_of_hours() -> None:
    assert parse_collection_policy(STANDARD).bank_data_hours is None
    assert parse_collection_policy(f"{STANDARD}\nbank_data_hours: 48\n").bank_data_hours == 48
    for wrong in ("0", "8761", "1.5", '"48"'):
        assert "bank_data_hours" in faults(f"{STANDARD}\nbank_data_hours: {wrong}\n")
