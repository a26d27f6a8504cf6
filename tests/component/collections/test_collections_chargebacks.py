"""A suspension stays while a card network has what is open of its invoice, and nothing new is suspended for it."""

from shared.events.entitlements import SubscriptionSuspended
from tests.component.collections.test_collections import World, world

__all__ = ["world"]


async def test_a_chargeback_stops_steps_and_gives_nothing_back(world: World) -> None:
    """Suspend for 10.00, of which a card pays 4.00; they are charged back, and 6.00 are paid by transfer."""
    invoice_id = await world.to_suspension()
    (suspension,) = (await world.standing())["suspensions"]
    suspended = SubscriptionSuspended(
        account_id=world.account_id,
        subscription_id=world.subscription_id,
        suspension_id=suspension["id"],
        hold_reasons=("non_payment",),
        vendor_bills_on=True,
    )
    await world.hear(suspended)
    await world.day(22)
    await world.change_balance(invoice_id, 600)
    await world.change_balance(invoice_id, 1000, 400)
    await world.change_balance(invoice_id, 400, 400)
    sent = len(world.hop.taken)
    await world.day(60)
    (item,) = (await world.standing())["items"]
    assert (item["amounts"]["dunnable_minor"], item["next"]) == (0, None)
    assert (await world.standing())["state"] == "suspended"
    assert (len(world.hop.taken), await world.events("TerminationRequested")) == (sent, [])
    assert await world.events("ReinstatementRequested") == []
    await world.change_balance(invoice_id, 0)
    assert len(await world.events("ReinstatementRequested")) == 1, "won: the network gave it back"
