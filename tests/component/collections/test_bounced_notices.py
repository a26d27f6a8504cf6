"""Nobody loses access on a notice that came back: the suspension waits for a new one and its days."""

from email import message_from_bytes
from typing import Any
from uuid import UUID, uuid4

from services.collections.use_cases.account_evaluation import SEND_NOTICE
from shared.events.entitlements import SubscriptionSuspended
from shared.events.escalation import MailBounced
from shared.process import intents
from shared.pure.bounces import compute_bounce_id
from tests.builders import hear, sweep, work
from tests.component.collections import test_collections
from tests.component.collections.test_collections import World

world = test_collections.world


def get_secret(content: bytes) -> str:
    """Get the secret from the Message-ID of a mail."""
    return str(message_from_bytes(content)["Message-ID"])[38:70]


async def come_back(world: World, content: bytes, **more: Any) -> None:
    """Let collections hear that a mail came back."""
    bounce = {"message_id": compute_bounce_id(get_secret(content)), "permanent": True, "code": "5.1.1"} | more
    await hear(world.runtime, MailBounced(**bounce))


async def become_effective(world: World) -> None:
    """Let the vendor switch off what is requested."""
    suspension = (await world.standing())["suspensions"][0]
    common = {"account_id": world.account_id, "subscription_id": world.subscription_id}
    more = {"suspension_id": suspension["id"], "hold_reasons": ("non_payment",), "vendor_bills_on": True}
    await world.hear(SubscriptionSuspended(**common, **more))


async def count(world: World) -> tuple[int, ...]:
    """Count the events about access and bounces."""
    kinds = ("NoticeBounced", "SuspensionRequested", "SuspensionWithdrawn", "ReinstatementRequested")
    return tuple([len(await world.events(kind)) for kind in kinds])


async def test_no_suspension_rests_on_a_final_notice_that_came_back(world: World) -> None:
    await world.to_suspension()
    final_notice = world.hop.taken[3]
    assert world.hop.senders[3] == f"support+bounce-{get_secret(final_notice)}@reseller.example"
    suspension_id = (await world.standing())["suspensions"][0]["id"]
    (notice_id,) = [n["id"] for n in (await world.standing())["notices"] if n["template"] == "final_notice"]
    for forged in (UUID(notice_id), uuid4(), compute_bounce_id(notice_id.replace("-", ""))):
        await come_back(world, final_notice, message_id=forged)
    await come_back(world, final_notice, permanent=False)
    assert await count(world) == (0, 1, 0, 0)
    for _ in range(2):
        await come_back(world, final_notice)
    assert await count(world) == (1, 1, 1, 0)
    assert '"cause":"notice_bounced"' in (await world.events("SuspensionWithdrawn"))[0]
    (bounced,) = await world.events("NoticeBounced")
    assert '"code":"5.1.1"' in bounced
    assert "@" not in bounced
    assert get_secret(final_notice) not in bounced
    confirmation = await world.client.got(f"/v1/suspensions/{suspension_id}/confirmation")
    assert confirmation["verdict"] == "withdrawn"
    for day in (22, 28):
        await world.day(day)
    assert await count(world) == (1, 1, 1, 0), "its days do not pass before a new one has gone out"
    await world.client.create(f"/v1/notices/{notice_id}:retry", {"reason": "address mended"})
    await work(world.runtime)
    new_notice = world.hop.taken[-1]
    assert get_secret(new_notice) != get_secret(final_notice)
    await come_back(world, final_notice)
    await world.day(34)
    assert await count(world) == (1, 1, 1, 0)
    await world.day(35)
    assert await count(world) == (1, 2, 1, 0)
    await become_effective(world)
    await come_back(world, new_notice)
    assert await count(world) == (2, 2, 1, 0), "one that is effective stays"
    assert (await world.standing())["state"] == "suspended"
    audited = await world.database.rows("SELECT e::text AS entry FROM collections.audit_entries e")
    assert not any(get_secret(mail) in row["entry"] for row in audited for mail in world.hop.taken)


async def test_what_has_its_notices_is_suspended_anew_without_what_has_not(world: World) -> None:
    first = await world.issue()
    await world.day(-3)
    await world.day(1, 0)
    await world.overdue(first)
    for day in (1, 7, 14):
        await world.day(day)
    second = await world.issue()
    await world.overdue(second)
    for day in (15, 21, 28, 35):
        await world.day(day)
    requested = await world.events("SuspensionRequested")
    assert [str(second) in event for event in requested] == [False, True]
    (final_notice,) = [mail for mail in world.hop.taken if f"GS-{str(first)[-4:]}".encode() in mail][-1:]
    await come_back(world, final_notice)
    assert await count(world) == (1, 2, 1, 0)
    await world.day(35, 10)
    await world.day(36)
    (again,) = (await world.events("SuspensionRequested"))[2:]
    assert (str(second) in again, str(first) in again) == (True, False)


async def test_a_notice_that_comes_back_before_it_is_recorded_was_not_sent(world: World) -> None:
    await world.issue()
    await world.database.move(days=5)
    await sweep(world.runtime)
    (claimed,) = await world.runtime.units.run(lambda unit: intents.claim_intents(unit, 10))
    kind = next(kind for kind in world.runtime.service.intents if kind.name == SEND_NOTICE)
    result = await kind.perform(world.runtime, claimed)
    await come_back(world, world.hop.taken[0])
    await world.runtime.units.run(lambda unit: intents.record_intent_result(unit, kind, claimed, result))
    assert [notice["state"] for notice in (await world.standing())["notices"]] == ["failed"]
    assert (await world.events("NoticeSent"), len(await world.events("NoticeBounced"))) == ([], 1)
