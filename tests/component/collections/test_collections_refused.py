"""Contents of `standing` when a suspension cannot be had, and what becomes of one whose subscription has ended."""

from datetime import date
from typing import Any
from uuid import UUID

from shared.events.entitlements import EntitlementEnded, SubscriptionSuspended, SuspensionRefusedByVendor
from tests.builders import sweep, work
from tests.component.collections import test_collections
from tests.component.collections.test_collections import World

world = test_collections.world


async def first_suspension(world: World) -> dict[str, Any]:
    """Get the newest suspension as `standing` shows it."""
    suspension: dict[str, Any] = (await world.standing())["suspensions"][0]
    return suspension


def make_suspended(world: World, suspension_id: str) -> SubscriptionSuspended:
    """Make the event of a suspension that is effective."""
    return SubscriptionSuspended(
        account_id=world.account_id,
        subscription_id=world.subscription_id,
        suspension_id=UUID(suspension_id),
        hold_reasons=("non_payment",),
        vendor_bills_on=True,
    )


def make_refused(world: World, suspension_id: str) -> SuspensionRefusedByVendor:
    """Make the event of a refusal."""
    return SuspensionRefusedByVendor(
        account_id=world.account_id,
        subscription_id=world.subscription_id,
        suspension_id=UUID(suspension_id),
        vendor_code="900115",
    )


def make_ended(world: World) -> EntitlementEnded:
    """Make the event of the end of the subscription."""
    return EntitlementEnded(
        account_id=world.account_id,
        subscription_id=world.subscription_id,
        ended_on=date(2026, 4, 2),
        term_end=date(2027, 3, 1),
    )


async def test_a_refused_suspension_is_shown_as_refused_with_its_code(world: World) -> None:
    await world.to_suspension()
    assert (await world.standing())["state"] == "suspension_requested"
    await world.hear(make_refused(world, (await first_suspension(world))["id"]))
    assert (await world.standing())["state"] == "suspension_refused"
    suspension = await first_suspension(world)
    assert (suspension["state"], suspension["vendor_refusal"]) == ("requested", "900115")


async def test_a_suspension_that_is_effective_after_all_is_not_refused(world: World) -> None:
    await world.to_suspension()
    suspension_id = (await first_suspension(world))["id"]
    await world.hear(make_refused(world, suspension_id))
    await world.hear(make_suspended(world, suspension_id))
    await world.hear(make_refused(world, suspension_id))  # of an attempt that came before
    assert (await world.standing())["state"] == "suspended"
    assert (await first_suspension(world))["vendor_refusal"] is None


async def test_the_end_of_a_subscription_ends_its_suspension_and_no_mail_says_that_access_is_back(
    world: World,
) -> None:
    invoice_id = await world.to_suspension()
    await world.hear(make_suspended(world, (await first_suspension(world))["id"]))
    await work(world.runtime)
    mails = len(world.hop.taken)
    await world.hear(make_ended(world))
    suspension = await first_suspension(world)
    assert (suspension["state"], suspension["ended_because"]) == ("ended", "the subscription has ended")
    assert (await world.standing())["state"] == "overdue"
    await world.change_balance(invoice_id, 0)
    await sweep(world.runtime)
    await work(world.runtime)
    assert (len(world.hop.taken), await world.events("ReinstatementRequested")) == (mails, [])
    assert (await world.standing())["state"] == "good_standing"


async def test_a_suspension_whose_end_is_awaited_ends_with_the_subscription(world: World) -> None:
    invoice_id = await world.to_suspension()
    await world.hear(make_suspended(world, (await first_suspension(world))["id"]))
    await world.change_balance(invoice_id, 0)
    assert (await first_suspension(world))["state"] == "ending"
    await world.hear(make_ended(world))
    assert (await first_suspension(world))["state"] == "ended"
