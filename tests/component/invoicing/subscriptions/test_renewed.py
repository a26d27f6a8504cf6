"""A renewal without any change is announced, one event for each subscription and term."""

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import orjson
import pytest

from deploy.local.tokens import SigningKeyPair
from shared.events.invoicing import SubscriptionRenewed
from tests.builders import Database, running
from tests.component.billing_world import Billing


@pytest.fixture
async def billing(database: Database, keys: SigningKeyPair, jwks_file: Path) -> AsyncIterator[Billing]:
    """Invoicing with its workers."""
    async with running("invoicing", database, keys, jwks_file) as (runtime, client):
        yield Billing(runtime, client, database)


async def list_renewals(billing: Billing) -> list[SubscriptionRenewed]:
    """List the announced renewals in the order of the outbox."""
    query = "SELECT data FROM invoicing.outbox WHERE type = $1 ORDER BY position"
    rows = await billing.database.rows(query, SubscriptionRenewed.type())
    return [SubscriptionRenewed.model_validate_json(row["data"]) for row in rows]


async def list_terms(billing: Billing) -> list[tuple[str, str, str, int]]:
    """List subscription, first day, end and quantity of the announced renewals."""
    return [
        (str(event.subscription_id), f"{event.term_start}", f"{event.term_end}", event.quantity)
        for event in await list_renewals(billing)
    ]


async def test_each_term_that_begins_without_change_is_announced_once(billing: Billing) -> None:
    """Two subscriptions with terms of a month, bought on 2 March; on 2 May two terms have ended."""
    plan, owner = await billing.plan(term_months=1), await billing.account()
    first = await billing.buy(plan, owner, quantity=3, start="2026-03-02")
    second = await billing.buy(plan, owner, quantity=5, start="2026-03-02")
    await billing.to("2026-05-02")
    april_may = [("2026-04-02", "2026-05-02"), ("2026-05-02", "2026-06-02")]
    expected = [(first, *term, 3) for term in april_may] + [(second, *term, 5) for term in april_may]
    assert sorted(await list_terms(billing)) == sorted(expected)
    renewal = (await list_renewals(billing))[0]
    assert (renewal.account_id, renewal.plan_id, renewal.plan_version) == (UUID(owner), UUID(plan), 1)
    assert (renewal.unit_price_minor, renewal.currency) == (1_008, "EUR")
    await billing.to("2026-05-03")
    assert len(await list_renewals(billing)) == 4


async def test_the_sequences_of_an_account_have_no_gap(billing: Billing) -> None:
    plan, owner = await billing.plan(term_months=1), await billing.account()
    for _ in range(3):
        await billing.buy(plan, owner)
    await billing.to("2026-04-02")
    rows = await billing.database.rows(
        "SELECT headers FROM invoicing.outbox WHERE subject = $1 ORDER BY position", owner
    )
    sequences = [int(orjson.loads(row["headers"])["ce_sequence"]) for row in rows]
    assert sequences == list(range(1, len(rows) + 1))
    assert len(await list_renewals(billing)) == 3


async def test_a_renewal_with_a_change_and_an_end_are_no_plain_renewals(billing: Billing) -> None:
    await billing.rate()
    plan, owner = await billing.plan(term_months=1), await billing.account()
    changed, ended = await billing.buy(plan, owner), await billing.buy(plan, owner)
    await billing.change(changed, "quantity", "renewal", quantity=12)
    await billing.change(ended, "cancel", "renewal")
    await billing.to("2026-04-02")
    assert await list_renewals(billing) == []
    await billing.to("2026-05-02")
    assert await list_terms(billing) == [(changed, "2026-05-02", "2026-06-02", 12)]
