"""A subscription is read as it stands, not as it was bought."""

from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from uuid import uuid4

import pytest

from deploy.local.tokens import SigningKeyPair
from tests.builders import Database, running, sweep
from tests.component.billing_world import VERSION, Billing


@pytest.fixture
async def billing(database: Database, keys: SigningKeyPair, jwks_file: Path) -> AsyncIterator[Billing]:
    async with running("invoicing", database, keys, jwks_file) as (runtime, client):
        world = Billing(runtime, client, database)
        await world.rate()
        yield world


async def test_what_changed_and_what_is_scheduled_is_read_one_by_one_and_in_the_list(billing: Billing) -> None:
    """Bought with 10 seats at 10.08, raised to 12 and to a plan at 12.09, in the second yearly term of three."""
    await billing.to("2026-03-02")
    owner = await billing.account()
    version = VERSION | {"prices": {"EUR": {"unit_price_minor": 1209}}}
    body = {"code": "suite", "name": "Business Suite", "version": version}
    dearer = (await billing.client.create("/v1/plans", body))["id"]
    subscription = await billing.buy(await billing.plan(), owner)
    bought = await billing.client.got(f"/v1/subscriptions/{subscription}")
    assert bought["product"] == "Business Premium"
    assert (bought["quantity"], bought["unit_price_minor"], bought["currency"]) == (10, 1008, "EUR")
    assert (bought["start"], bought["term_start"], bought["end_of_term"]) == ("2026-03-02", "2026-03-02", "2027-03-02")
    assert (bought["state"], bought["scheduled_changes"]) == ("active", [])
    await billing.to("2026-03-10")
    await billing.change(subscription, "quantity", quantity=12)
    await billing.change(subscription, "plan", plan_id=dearer)
    await billing.to("2027-03-03")
    scheduled = await billing.change(subscription, "quantity", "renewal", quantity=5)
    present = await billing.client.got(f"/v1/subscriptions/{subscription}")
    assert present["product"] == "Business Suite"
    assert (present["quantity"], present["unit_price_minor"], present["plan_id"]) == (12, 1209, dearer)
    assert (present["start"], present["term_start"], present["end_of_term"]) == (
        "2026-03-02",
        "2027-03-02",
        "2028-03-02",
    )
    assert present["scheduled_changes"] == [
        {
            "id": scheduled["id"],
            "kind": "quantity",
            "effective_on": "2028-03-02",
            "quantity": 5,
            "plan_id": None,
        }
    ]
    assert (await billing.client.got(f"/v1/accounts/{owner}/subscriptions"))["items"] == [present]


async def test_the_state_follows_the_local_day(billing: Billing) -> None:
    """It ends at 00:00 in Berlin, which is 22:00 UTC of the day before."""
    await billing.to("2026-05-01")
    owner = await billing.account(time_zone="Europe/Berlin")
    subscription = await billing.buy(await billing.plan(term_months=1), owner, start="2026-05-03")
    assert await state(billing, subscription) == "upcoming"
    await billing.to("2026-05-03")
    assert await state(billing, subscription) == "active"
    cancellation = await billing.change(subscription, "cancel", "renewal")
    assert await state(billing, subscription) == "ending"
    path = f"/v1/subscriptions/{subscription}/changes/{cancellation['id']}:withdraw"
    await billing.client.post(path, {"reason": "stays"})
    assert await state(billing, subscription) == "active"
    await billing.change(subscription, "cancel", "renewal")
    for instant, expected in (("2026-06-02T21:59:59", "ending"), ("2026-06-02T22:00:00", "ended")):
        await billing.database.move(datetime.fromisoformat(f"{instant}+00:00"))
        await sweep(billing.runtime)
        assert await state(billing, subscription) == expected


async def test_a_subscription_without_a_plan_is_read_as_it_was_bought(billing: Billing) -> None:
    body = {
        "account_id": await billing.account(),
        "product": "Backup",
        "quantity": 3,
        "unit_price_minor": 500,
        "start": "2026-03-01",
        "end_of_term": "2027-03-01",
        "vendor_customer_id": "tenant-17",
        "vendor_subscription_id": f"vendor-{uuid4()}",
    }
    made = await billing.client.create("/v1/subscriptions", body)
    assert made == await billing.client.got(f"/v1/subscriptions/{made['id']}")
    assert (made["product"], made["quantity"], made["plan_id"], made["end_of_term"]) == (
        "Backup",
        3,
        None,
        "2027-03-01",
    )


async def state(billing: Billing, subscription: str) -> str:
    """Read the state of a subscription."""
    return str((await billing.client.got(f"/v1/subscriptions/{subscription}"))["state"])
