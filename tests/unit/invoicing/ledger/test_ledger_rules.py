"""Entries balance, whatever the amounts; credits never take more tax than a line has; usage and versions."""

from datetime import date
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.invoicing.catalog.domain import plan_versions
from services.invoicing.catalog.domain.plan_versions import (
    PlanNotOffered,
    PlanPrice,
    PlanVendorCost,
    PlanVersion,
    PlanVersionRefused,
)
from services.invoicing.ledger import domain as ledger_domain
from services.invoicing.ledger.domain import CreditNoteLineShare
from services.invoicing.usage.domain.usage_lines import compute_usage_amount

AMOUNTS = st.integers(0, 10**12)


@given(amount=AMOUNTS, part=st.floats(0, 1), tax=st.floats(0, 0.3))
def test_entries_balance(amount: int, part: float, tax: float) -> None:
    allocated = int(amount * part)
    share = CreditNoteLineShare(allocated, 0, amount, int(amount * tax))
    facts = (
        ledger_domain.build_manual_invoice_entries(amount, int(amount * tax)),
        ledger_domain.build_payment_entries(amount, allocated),
        ledger_domain.build_allocation_entries(allocated),
        ledger_domain.build_payment_reversal_entries(amount, allocated),
        ledger_domain.build_credit_note_entries([share, share]),
    )
    assert [sum(entries.values()) for entries in facts] == [0] * len(facts)


@given(line=st.integers(1, 10**9), shares=st.lists(st.integers(1, 10**8), max_size=12), rate=st.integers(0, 30))
def test_credits_take_the_whole_tax_of_a_line_and_no_more(line: int, shares: list[int], rate: int) -> None:
    tax, before, taken = line * rate // 100, 0, 0
    for wanted in [*shares, line]:
        amount = min(wanted, line - before)
        if amount:
            taken += CreditNoteLineShare(amount, before, line, tax).tax_minor
            before += amount
        assert 0 <= taken <= tax
    assert (before, taken) == (line, tax)


@pytest.mark.parametrize(
    ("quantity", "cost", "markup", "currency", "minor"),
    [
        ("12.5", "0.0999", 1500, "EUR", 143),
        ("1", "0.01", 0, "EUR", 1),
        ("0.999", "0.01", 0, "EUR", 0),
        ("3", "100.4", 0, "JPY", 301),
        ("1000000", "0.000001", 0, "EUR", 100),
    ],
)
def test_usage_is_truncated_to_the_minor_unit(quantity: str, cost: str, markup: int, currency: str, minor: int) -> None:
    assert compute_usage_amount(Decimal(quantity), Decimal(cost), markup, currency) == minor


def version(number: int, since: str, *, term: int = 12, period: int = 1) -> PlanVersion:
    vendor = PlanVendorCost(820, "USD", 1, bills_while_suspended=True)
    prices = {"EUR": PlanPrice(1008)}
    return PlanVersion(UUID(int=1), number, date.fromisoformat(since), term, period, True, False, 7, 0, vendor, prices)


def test_a_term_has_the_version_in_force_when_it_begins() -> None:
    versions = [version(1, "2026-01-01"), version(2, "2026-06-01")]
    for day, number in (("2026-01-01", 1), ("2026-05-31", 1), ("2026-06-01", 2), ("2030-01-01", 2)):
        assert plan_versions.get_plan_version_on(versions, date.fromisoformat(day)).number == number
    with pytest.raises(PlanNotOffered):
        plan_versions.get_plan_version_on(versions, date(2025, 12, 31))
    with pytest.raises(PlanNotOffered, match="USD"):
        versions[0].get_plan_price("USD")


def test_a_version_follows_the_one_before_and_bills_within_its_term() -> None:
    with pytest.raises(PlanVersionRefused, match="effective_from"):
        plan_versions.check_plan_version(version(2, "2026-01-01"), [version(1, "2026-01-01")])
    with pytest.raises(PlanVersionRefused, match="period_months"):
        plan_versions.check_plan_version(version(1, "2026-01-01", term=1, period=12), [])
    plan_versions.check_plan_version(version(2, "2026-01-02"), [version(1, "2026-01-01")])
