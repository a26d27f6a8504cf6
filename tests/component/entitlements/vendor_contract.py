"""The contract of a vendor adapter, as checks over its port and a hand on its vendor.

An adapter keeps the contract when `CONTRACT` passes with a hand of its vendor, or of a simulator that has the
vendor's traps. A check gets a fresh hand. It speaks of the vendor only in the words of the port.
"""

from collections.abc import Awaitable, Callable
from typing import Any, Protocol
from uuid import UUID, uuid4

import orjson
import pytest

from services.entitlements.domain.vendor_port import VendorPort, VendorRefusedForGood, VendorStatus
from services.entitlements.repository import parse_renewal_snapshot, render_renewal_snapshot
from shared.pure.errors import RetryLater

MANY = 1000
"""How often a call fails that does not pass within an attempt."""


class VendorHand(Protocol):
    """A hand on the vendor. It has one subscription: active, with auto-renew on and another renewal setting."""

    @property
    def calls(self) -> int:
        """How many calls went to the vendor."""
        ...

    @property
    def changes(self) -> int:
        """How many changes the vendor has taken from ports; a repeat that has no effect is none."""
        ...

    def open_port(self, intent_id: UUID) -> VendorPort:
        """Open the subscription for an intent, as another process would."""
        ...

    def set_status(self, status: VendorStatus) -> None:
        """Give the subscription a status, as somebody else would."""
        ...

    def forget_subscription(self) -> None:
        """Have the vendor know no such subscription."""
        ...

    def change_elsewhere(self) -> None:
        """Change what no port changes, as somebody else would."""
        ...

    def is_change_kept(self) -> bool:
        """Whether that change is still there."""
        ...

    def lose_renewal(self) -> None:
        """Switch auto-renew off and clear the other renewal settings, if the vendor has not done so itself."""
        ...

    def read_renewal(self) -> Any:
        """Read the renewal settings in the vendor's own form."""
        ...

    def fail_next_calls(self, times: int) -> None:
        """Have calls fail before they take effect, in a way that may pass."""
        ...

    def lose_next_answers(self, times: int) -> None:
        """Lose the answers to changes that the vendor has taken."""
        ...

    def refuse_next_change(self) -> str:
        """Have the vendor refuse the next change for good; return its code."""
        ...

    def throttle(self) -> None:
        """Have the vendor want no call for longer than an attempt takes."""
        ...

    def accept_next_change(self, *, in_time: bool) -> None:
        """Have the next change accepted and done later: within an attempt, or after it."""
        ...

    def finish_accepted_changes(self) -> None:
        """Have the vendor do what it has accepted."""
        ...


async def check_statuses_are_read(hand: VendorHand) -> None:
    for status in (VendorStatus.ACTIVE, VendorStatus.SUSPENDED, VendorStatus.GONE):
        hand.set_status(status)
        assert (await hand.open_port(uuid4()).fetch_subscription()).status is status
    assert hand.changes == 0


async def check_access_is_closed(hand: VendorHand) -> None:
    port = hand.open_port(uuid4())
    before = await port.fetch_subscription()
    assert (before.status, before.renewal.is_auto_renew_on) == (VendorStatus.ACTIVE, True)
    assert (await port.suspend_subscription(before)).status is VendorStatus.SUSPENDED
    assert (await hand.open_port(uuid4()).fetch_subscription()).status is VendorStatus.SUSPENDED
    assert hand.changes == 1


async def check_access_comes_back(hand: VendorHand) -> None:
    port = hand.open_port(uuid4())
    suspended = await port.suspend_subscription(await port.fetch_subscription())
    assert (await port.activate_subscription(suspended)).status is VendorStatus.ACTIVE
    assert (await hand.open_port(uuid4()).fetch_subscription()).status is VendorStatus.ACTIVE
    assert hand.changes == 2


async def check_repeat_changes_nothing(hand: VendorHand) -> None:
    intent_id = uuid4()
    before = await hand.open_port(intent_id).fetch_subscription()
    for _ in range(2):
        await hand.open_port(intent_id).suspend_subscription(before)
    assert hand.changes == 1


async def check_late_repeat(hand: VendorHand) -> None:
    """A repeat that comes late does not undo what somebody else did after the first."""
    intent_id = uuid4()
    before = await hand.open_port(intent_id).fetch_subscription()
    await hand.open_port(intent_id).suspend_subscription(before)
    hand.set_status(VendorStatus.ACTIVE)
    await hand.open_port(intent_id).suspend_subscription(before)
    assert (await hand.open_port(uuid4()).fetch_subscription()).status is VendorStatus.ACTIVE
    assert hand.changes == 1


async def check_lost_answers(hand: VendorHand) -> None:
    port = hand.open_port(uuid4())
    before = await port.fetch_subscription()
    hand.lose_next_answers(2)
    assert (await port.suspend_subscription(before)).status is VendorStatus.SUSPENDED
    assert hand.changes == 1


async def check_brief_failures(hand: VendorHand) -> None:
    port = hand.open_port(uuid4())
    hand.fail_next_calls(2)
    before = await port.fetch_subscription()
    hand.fail_next_calls(2)
    assert (await port.suspend_subscription(before)).status is VendorStatus.SUSPENDED
    assert hand.changes == 1


async def check_lasting_failures(hand: VendorHand) -> None:
    port = hand.open_port(uuid4())
    before = await port.fetch_subscription()
    hand.fail_next_calls(MANY)
    with pytest.raises(RetryLater):
        await port.fetch_subscription()
    with pytest.raises(RetryLater):
        await port.suspend_subscription(before)
    assert hand.changes == 0


async def check_renewal_put_back(hand: VendorHand) -> None:
    settings = hand.read_renewal()
    port = hand.open_port(uuid4())
    before = await port.fetch_subscription()
    assert port.list_unrestored_settings(before.renewal, before) == ()
    await port.activate_subscription(await port.suspend_subscription(before))
    hand.lose_renewal()
    lost = await port.fetch_subscription()
    assert not lost.renewal.is_auto_renew_on
    assert len(port.list_unrestored_settings(before.renewal, lost)) == 2
    after = await port.restore_renewal(lost, before.renewal)
    assert port.list_unrestored_settings(before.renewal, after) == ()
    assert port.list_unrestored_settings(before.renewal, await port.fetch_subscription()) == ()
    assert (after.status, hand.read_renewal()) == (VendorStatus.ACTIVE, settings)


async def check_snapshot_survives_storage(hand: VendorHand) -> None:
    """A snapshot that one process stored is put back by another."""
    settings = hand.read_renewal()
    snapshot = (await hand.open_port(uuid4()).fetch_subscription()).renewal
    stored = parse_renewal_snapshot(orjson.loads(orjson.dumps(render_renewal_snapshot(snapshot))))
    assert stored == snapshot
    hand.lose_renewal()
    port = hand.open_port(uuid4())
    await port.restore_renewal(await port.fetch_subscription(), stored)
    assert hand.read_renewal() == settings


async def check_auto_renew_off(hand: VendorHand) -> None:
    port = hand.open_port(uuid4())
    before = await port.fetch_subscription()
    after = await port.switch_auto_renew_off(before)
    assert (after.status, after.renewal.is_auto_renew_on) == (VendorStatus.ACTIVE, False)
    assert len(port.list_unrestored_settings(before.renewal, after)) == 1
    assert port.list_unrestored_settings(before.renewal.disable_auto_renew(), after) == ()


async def check_partial_restoration(hand: VendorHand) -> None:
    """A snapshot whose auto-renew was switched off meanwhile brings back only the rest."""
    port = hand.open_port(uuid4())
    snapshot = (await port.fetch_subscription()).renewal.disable_auto_renew()
    hand.lose_renewal()
    after = await port.restore_renewal(await port.fetch_subscription(), snapshot)
    assert not after.renewal.is_auto_renew_on
    assert port.list_unrestored_settings(snapshot, after) == ()


async def check_foreign_change_kept(hand: VendorHand) -> None:
    port = hand.open_port(uuid4())
    before = await port.fetch_subscription()
    hand.change_elsewhere()
    assert (await port.suspend_subscription(before)).status is VendorStatus.SUSPENDED
    assert hand.is_change_kept()
    assert hand.changes == 1


async def check_foreign_suspension_suffices(hand: VendorHand) -> None:
    port = hand.open_port(uuid4())
    before = await port.fetch_subscription()
    hand.set_status(VendorStatus.SUSPENDED)
    assert (await port.suspend_subscription(before)).status is VendorStatus.SUSPENDED
    assert hand.changes == 0


async def check_final_refusal(hand: VendorHand) -> None:
    port = hand.open_port(uuid4())
    before = await port.fetch_subscription()
    code = hand.refuse_next_change()
    calls = hand.calls
    with pytest.raises(VendorRefusedForGood) as refusal:
        await port.suspend_subscription(before)
    assert refusal.value.code == code
    assert (hand.calls - calls, hand.changes) == (1, 0)


async def check_unknown_subscription(hand: VendorHand) -> None:
    hand.forget_subscription()
    with pytest.raises(VendorRefusedForGood) as refusal:
        await hand.open_port(uuid4()).fetch_subscription()
    assert refusal.value.code


async def check_gone_subscription(hand: VendorHand) -> None:
    hand.set_status(VendorStatus.GONE)
    port = hand.open_port(uuid4())
    state = await port.fetch_subscription()
    for change in (port.suspend_subscription, port.activate_subscription):
        with pytest.raises(VendorRefusedForGood):
            await change(state)
    assert hand.changes == 0


async def check_throttling(hand: VendorHand) -> None:
    """A vendor that wants no call gets none, whichever subscription it would be about."""
    hand.throttle()
    with pytest.raises(RetryLater):
        await hand.open_port(uuid4()).fetch_subscription()
    calls = hand.calls
    with pytest.raises(RetryLater):
        await hand.open_port(uuid4()).fetch_subscription()
    assert hand.calls == calls


async def check_change_accepted_late(hand: VendorHand) -> None:
    port = hand.open_port(uuid4())
    before = await port.fetch_subscription()
    hand.accept_next_change(in_time=True)
    assert (await port.suspend_subscription(before)).status is VendorStatus.SUSPENDED
    assert hand.changes == 1


async def check_change_accepted_overdue(hand: VendorHand) -> None:
    intent_id = uuid4()
    before = await hand.open_port(intent_id).fetch_subscription()
    hand.accept_next_change(in_time=False)
    with pytest.raises(RetryLater):
        await hand.open_port(intent_id).suspend_subscription(before)
    hand.finish_accepted_changes()
    assert (await hand.open_port(intent_id).fetch_subscription()).status is VendorStatus.SUSPENDED
    assert hand.changes == 1


VendorCheck = Callable[[VendorHand], Awaitable[None]]
CONTRACT: dict[str, VendorCheck] = {
    name.removeprefix("check_"): check for name, check in globals().items() if name.startswith("check_")
}
"""Every check above, by its name."""


async def list_broken_checks(make_hand: Callable[[], VendorHand]) -> list[str]:
    """List the names of the checks that an adapter fails."""
    broken = []
    for name, check in CONTRACT.items():
        try:
            await check(make_hand())
        except (AssertionError, pytest.fail.Exception, VendorRefusedForGood, RetryLater):
            broken.append(name)
    return broken
