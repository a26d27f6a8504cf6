"""Revenue is released for all charges of a legal entity as the domain releases it of each."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import asyncpg
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from services.invoicing.revenue.domain import DeferredCharge, compute_revenue_release
from services.invoicing.revenue.repository.release_queries import RELEASE_EARNED_REVENUE
from tests.builders import Database
from tests.component.shadow_tables import hide_tables, insert_rows

TABLES = ("charges", "invoice_lines", "accounts", "charge_credits", "streams", "ledger_entries")
ACCOUNTS = [UUID(int=number) for number in range(1, 4)]
ENTITIES = dict(zip(ACCOUNTS, ["GS-DE", "GS-DE", "GS-FR"], strict=True))
INVOICE, DOCUMENT = UUID(int=100), UUID(int=101)
NOW = datetime(2028, 6, 1, tzinfo=UTC)
MOST = 10**12
LAST_MONTH = date(2032, 1, 1)
"""All periods have ended by then."""


@dataclass(frozen=True)
class BilledCharge:
    """A charge on an invoice: of which account, what was billed, and what of it was credited before it was earned."""

    account_id: UUID
    billed_minor: int
    credited_minor: int
    deferred: DeferredCharge
    is_deferred: bool = True


@st.composite
def billed_charges(draw: st.DrawFn) -> BilledCharge:
    """Draw a charge of up to three years, over a leap day or not, of which something may be released."""
    period_from = date(2027, 1, 1) + timedelta(draw(st.integers(0, 600)))
    days = draw(st.one_of(st.sampled_from([1, 28, 29, 30, 31, 365, 366, 1096]), st.integers(1, 1100)))
    billed = draw(st.one_of(st.integers(-100, 100), st.integers(-MOST, MOST)))
    credited = draw(st.one_of(st.just(0), st.integers(0, max(0, billed))))
    net = billed - credited
    released = draw(st.one_of(st.just(0), st.just(net), st.integers(min(0, billed), max(0, billed))))
    return BilledCharge(
        draw(st.sampled_from(ACCOUNTS)),
        billed,
        credited,
        DeferredCharge(net, period_from, period_from + timedelta(days), released),
        draw(st.sampled_from([True, True, True, False])),
    )


MONTHS = st.integers(0, 40).map(lambda number: date(2027 + number // 12, number % 12 + 1, 1))
OVER_A_LEAP_DAY = [
    BilledCharge(ACCOUNTS[0], net, 0, DeferredCharge(net, date(2028, 1, 31), date(2029, 1, 31), 0))
    for net in (366, 365, 1, -1, -365, 1000, MOST - 1)
]
CREDITED = [
    BilledCharge(ACCOUNTS[1], 120, credited, DeferredCharge(120 - credited, date(2028, 1, 1), date(2029, 1, 1), 60))
    for credited in (0, 30, 60)
]
"""Half of it is released, and all or some of the rest is credited."""


async def stage_charges(connection: asyncpg.Connection, charges: Sequence[BilledCharge]) -> None:
    """Hide the tables that the statement names, and fill them with these charges, whose ids are their numbers."""
    await hide_tables(connection, TABLES)
    numbered = list(enumerate(charges, 1))
    await insert_rows(
        connection,
        "accounts",
        [{"id": account_id, "legal_entity": entity, "currency": "EUR"} for account_id, entity in ENTITIES.items()],
    )
    await insert_rows(connection, "streams", [{"subject": str(account_id), "sequence": 7} for account_id in ACCOUNTS])
    await insert_rows(
        connection,
        "charges",
        [
            {
                "id": UUID(int=number),
                "account_id": charge.account_id,
                "invoice_id": INVOICE,
                "is_deferred": charge.is_deferred,
                "period_from": charge.deferred.period_from,
                "period_to": charge.deferred.period_to,
                "released_minor": charge.deferred.released_minor,
            }
            for number, charge in numbered
        ],
    )
    await insert_rows(
        connection,
        "invoice_lines",
        [
            {"invoice_id": INVOICE, "line": number, "charge_id": UUID(int=number), "net_minor": charge.billed_minor}
            for number, charge in numbered
        ],
    )
    await insert_rows(
        connection,
        "charge_credits",
        [
            {"charge_id": UUID(int=number), "amount_minor": charge.credited_minor}
            for number, charge in numbered
            if charge.credited_minor
        ],
    )


def release_charges(charges: Sequence[BilledCharge], until: date) -> tuple[list[BilledCharge], Counter[UUID]]:
    """Release what is earned of the charges of GS-DE, one by one: the charges then, and what each account earns."""
    released, earned_by_account = [], Counter[UUID]()
    for charge in charges:
        amount = 0
        if charge.is_deferred and ENTITIES[charge.account_id] == "GS-DE":
            amount = compute_revenue_release(charge.deferred, until)
        deferred = replace(charge.deferred, released_minor=charge.deferred.released_minor + amount)
        released.append(replace(charge, deferred=deferred))
        earned_by_account[charge.account_id] += amount
    return released, earned_by_account


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(charges=OVER_A_LEAP_DAY, months={date(2028, month, 1) for month in range(1, 13)})
@example(charges=CREDITED, months={date(2028, 8, 1), date(2028, 9, 1)})
@given(charges=st.lists(billed_charges(), min_size=1, max_size=20), months=st.sets(MONTHS, max_size=4))
async def test_months_are_closed_as_the_domain_releases_them(
    database: Database, charges: list[BilledCharge], months: set[date]
) -> None:
    async with database.connected("invoicing") as connection, connection.transaction():
        await stage_charges(connection, charges)
        for until in [*sorted(months), LAST_MONTH, LAST_MONTH]:
            charges, earned_by_account = release_charges(charges, until)
            await connection.execute("TRUNCATE ledger_entries")
            await connection.execute(RELEASE_EARNED_REVENUE, "GS-DE", until, DOCUMENT, NOW)
            released = await connection.fetch("SELECT released_minor FROM charges ORDER BY id")
            entries = await connection.fetch("SELECT * FROM ledger_entries")
            assert [row["released_minor"] for row in released] == [charge.deferred.released_minor for charge in charges]
            assert {(row["account_id"], row["code"]): row["amount_minor"] for row in entries} == {
                (account_id, code): sign * earned
                for account_id, earned in earned_by_account.items()
                for code, sign in (("deferred_revenue", 1), ("revenue", -1))
                if earned
            }
            assert {row["posted_on"] for row in entries} <= {until - timedelta(1)}
    assert not earned_by_account.total()
    for charge in charges:
        if charge.is_deferred and ENTITIES[charge.account_id] == "GS-DE":
            assert charge.deferred.released_minor == charge.deferred.net_minor
