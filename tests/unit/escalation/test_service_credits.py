"""The last days of service credits, counted by hand, and what the vendor wants to see."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.escalation.domain.deadlines import compute_deadline_lapse
from services.escalation.domain.service_credits import (
    CreditEvidenceMissing,
    CreditRequestPeriod,
    TooLateForVendor,
    check_credit_request,
)

DAYS = st.dates(date(2000, 1, 1), date(2150, 1, 1))


@pytest.mark.parametrize(
    ("period", "since", "last_day"),
    [
        (CreditRequestPeriod(days=90), date(2026, 3, 1), date(2026, 5, 30)),
        (CreditRequestPeriod(days=120), date(2026, 1, 31), date(2026, 5, 31)),
        (CreditRequestPeriod(months=1), date(2026, 1, 1), date(2026, 2, 28)),
        (CreditRequestPeriod(months=1), date(2026, 1, 31), date(2026, 2, 28)),
        (CreditRequestPeriod(months=2), date(2026, 11, 30), date(2027, 1, 31)),
        (CreditRequestPeriod(months=2), date(2027, 12, 1), date(2028, 2, 29)),
        (CreditRequestPeriod(), date(2026, 1, 1), None),
    ],
)
def test_the_last_day_is_that_of_the_programme(period: CreditRequestPeriod, since: date, last_day: date | None) -> None:
    assert period.compute_last_request_day(since) == last_day


@given(DAYS, st.integers(1, 24))
def test_months_end_with_the_month_so_many_after_that_of_the_day(since: date, months: int) -> None:
    last_day = CreditRequestPeriod(months=months).compute_last_request_day(since)
    assert last_day is not None
    assert (last_day.year - since.year) * 12 + last_day.month - since.month == months
    assert (last_day + timedelta(days=1)).day == 1


def test_the_last_day_counts_to_its_end_and_what_is_missing_is_listed() -> None:
    lapse = compute_deadline_lapse(date(2026, 2, 28))
    assert lapse == datetime(2026, 3, 1, tzinfo=UTC)
    check_credit_request(date(2026, 2, 28), ["ticket"], {"ticket"}, lapse - timedelta(microseconds=1))
    with pytest.raises(TooLateForVendor):
        check_credit_request(date(2026, 2, 28), ["ticket"], {"ticket"}, lapse)
    with pytest.raises(CreditEvidenceMissing) as missing:
        check_credit_request(None, ["a", "b", "c"], {"b"}, lapse)
    assert missing.value.more == {"missing": ["a", "c"]}
