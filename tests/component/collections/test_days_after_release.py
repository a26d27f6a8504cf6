"""Days after a release: no step, no access ended, and a reinstatement at once; what an invoice's policy says."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from deploy.local.tokens import SigningKeyPair
from shared.events.entitlements import SubscriptionSuspended
from shared.events.invoicing import InvoiceBalanceChanged
from tests.builders import Database, build_registered, hear, running
from tests.component.collections.test_collections import STANDARD, Hop, Invoicing, World, mailbox, publish

POLICY = f"{STANDARD}\nafter_release_days: 3\ndispute_window_days: 30\n"


@pytest.fixture
async def world(
    request: pytest.FixtureRequest, database: Database, keys: SigningKeyPair, jwks_file: Path
) -> AsyncIterator[World]:
    """Collections with one account; its policy holds three days after a release, or as a test says."""
    hop, invoicing = Hop(), Invoicing()
    async with (
        mailbox(hop) as port,
        running("collections", database, keys, jwks_file, smtp_port=port) as (runtime, client),
    ):
        runtime.clients._clients["invoicing"] = invoicing  # type: ignore[assignment]
        made = World(runtime, client, database, hop, invoicing)
        await publish(client, getattr(request, "param", POLICY))
        await made.hear(build_registered(made.account_id, terms_days=8))
        yield made


async def test_a_walk_down_the_ladder_with_a_dispute_and_its_days(world: World) -> None:
    invoice_id = await world.to_suspension()
    [suspension] = (await world.standing())["suspensions"]
    await world.change_balance(invoice_id, 1000, 1000)
    assert len(await world.events("SuspensionWithdrawn")) == 1
    await world.day(23, 12)
    await world.change_balance(invoice_id, 1000)
    await check_hold(world, invoice_id)
    verdict = await world.client.got(f"/v1/suspensions/{suspension['id']}/confirmation")
    assert verdict["verdict"] == "withdrawn"
    for day in range(24, 34):
        await world.day(day)
        is_warned = day >= 27
        assert len(world.hop.taken) == (5 if is_warned else 4), day
        assert len(await world.events("SuspensionRequested")) == 1, day
    await world.day(34)
    assert len(await world.events("SuspensionRequested")) == 2
    await suspend_again(world)
    await world.change_balance(invoice_id, 1000, 1000)
    await world.change_balance(invoice_id, 1000)
    assert await world.events("ReinstatementRequested") == []
    await world.change_balance(invoice_id, 0)
    assert len(await world.events("ReinstatementRequested")) == 1, "nothing delays what is paid"
    assert (await world.client.got(f"/v1/items/{invoice_id}"))["next"] is None
    assert (await world.client.get(f"/v1/items/{uuid4()}")).status_code == 404
    page = (await world.client.get("/policy")).text
    assert "can be disputed for 30 days after its date" in page
    assert "stays held for some days more: 3 days" in page


async def check_hold(world: World, invoice_id: UUID) -> None:
    """Check that an invoice is held for the days after its release, and what comes then."""
    item = await world.client.got(f"/v1/items/{invoice_id}")
    assert item["terms"] == {"policy_version": 1, "dispute_window_days": 30, "after_release_days": 3}
    assert (item["account_id"], item["next"]["step"], item["next"]["on"]) == (
        str(world.account_id),
        "final_notice",
        "2026-04-06",
    )
    [judged_item] = (await world.standing())["items"]
    dunnable_minor = judged_item["amounts"]["dunnable_minor"]
    assert (dunnable_minor, judged_item["after_release_until"]) == (0, "2026-04-05T12:00:00Z")


async def suspend_again(world: World) -> None:
    """Let the second suspension be effective."""
    [_, again] = sorted((await world.standing())["suspensions"], key=lambda row: str(row["requested_at"]))
    await world.hear(
        SubscriptionSuspended(
            account_id=world.account_id,
            subscription_id=world.subscription_id,
            suspension_id=again["id"],
            hold_reasons=("non_payment",),
            vendor_bills_on=True,
        )
    )


async def test_a_dispute_that_becomes_known_late_withdraws_what_was_requested_in_its_days(world: World) -> None:
    invoice_id = await world.to_suspension()
    for later, days, disputed_minor in ((2, 19, 0), (1, 18, 1000)):
        balance = world.balance(invoice_id, 1000, disputed_minor)
        event = InvoiceBalanceChanged(account_id=world.account_id, balance=balance)
        at = datetime(2026, 3, 10, 12, tzinfo=UTC) + timedelta(days=days)
        await hear(world.runtime, event, sequence=world.sequence + later, at=at)
    assert len(await world.events("SuspensionRequested")) == 1
    assert len(await world.events("SuspensionWithdrawn")) == 1


@pytest.mark.parametrize("world", [STANDARD], ids=["standard"], indirect=True)
async def test_a_dispute_between_notice_and_request_that_becomes_known_late_withdraws(world: World) -> None:
    """It was released before the request, and nothing stays held after it: only the notice is void."""
    invoice_id = await world.to_suspension()
    for later, hours, disputed_minor in ((2, 20, 0), (1, 14, 1000)):
        balance = world.balance(invoice_id, 1000, disputed_minor)
        event = InvoiceBalanceChanged(account_id=world.account_id, balance=balance)
        at = datetime(2026, 3, 10, tzinfo=UTC) + timedelta(days=16, hours=hours)
        await hear(world.runtime, event, sequence=world.sequence + later, at=at)
    assert len(await world.events("SuspensionRequested")) == 1
    assert len(await world.events("SuspensionWithdrawn")) == 1
