"""A vendor in memory that is like none: its own words, one integer as version, its own names of settings."""

from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from services.entitlements.domain.renewal_snapshot import RenewalSnapshot
from services.entitlements.domain.vendor_port import (
    VendorPort,
    VendorRefusedForGood,
    VendorStatus,
    VendorSubscriptionState,
)
from shared.pure.errors import RetryLater

ATTEMPTS = 3
LOOKS = 5
"""How often a port looks whether an accepted change is done."""
WORDS = {"on": VendorStatus.ACTIVE, "off": VendorStatus.SUSPENDED, "over": VendorStatus.GONE}


class FakeAway(Exception):
    """There is no answer."""


class FakeBusy(Exception):
    """The vendor wants no call."""


class FakeOutdated(Exception):
    """The version is not the present one."""


class FakeNever(Exception):
    """It is refused whenever it is asked."""


@dataclass(frozen=True)
class Licence:
    """A subscription as this vendor keeps it."""

    power: str = "on"
    renews: bool = True
    follow_up: str | None = "two years"
    seats: int = 10
    version: int = 1


@dataclass
class FakeVendor:
    """The vendor, and the hand on it."""

    port_class: type["FakePort"]
    licence: Licence | None = field(default_factory=Licence)
    calls: int = 0
    is_line_closed: bool = False
    """Whether the ports know that the vendor wants no call."""
    answers: dict[str, Licence] = field(default_factory=dict)
    waiting: Licence | None = None
    looks_left: int = 0
    failures: int = 0
    lost_answers: int = 0
    is_refusing: bool = False
    is_busy: bool = False
    looks_of_next: int = 0

    @property
    def changes(self) -> int:
        return len(self.answers)

    def open_port(self, intent_id: UUID) -> VendorPort:
        return self.port_class(self, intent_id)

    def set_status(self, status: VendorStatus) -> None:
        self._edit(power=next(word for word, meaning in WORDS.items() if meaning is status))

    def forget_subscription(self) -> None:
        self.licence = None

    def change_elsewhere(self) -> None:
        self._edit(seats=12)

    def is_change_kept(self) -> bool:
        return self.licence is not None and self.licence.seats == 12

    def lose_renewal(self) -> None:
        self._edit(renews=False, follow_up=None)

    def read_renewal(self) -> Any:
        assert self.licence is not None
        return self.licence.renews, self.licence.follow_up

    def fail_next_calls(self, times: int) -> None:
        self.failures = times

    def lose_next_answers(self, times: int) -> None:
        self.lost_answers = times

    def refuse_next_change(self) -> str:
        self.is_refusing = True
        return "E-17"

    def throttle(self) -> None:
        self.is_busy = True

    def accept_next_change(self, *, in_time: bool) -> None:
        self.looks_of_next = 2 if in_time else LOOKS + 1

    def finish_accepted_changes(self) -> None:
        self.licence, self.waiting = self.waiting or self.licence, None

    def _edit(self, **fields: Any) -> None:
        assert self.licence is not None
        self.licence = replace(self.licence, version=self.licence.version + 1, **fields)

    def read_licence(self) -> Licence:
        """Answer a call that reads; an accepted change is done after so many."""
        self._receive_call()
        if self.waiting is not None:
            self.looks_left -= 1
            if self.looks_left <= 0:
                self.finish_accepted_changes()
        assert self.licence is not None
        return self.licence

    def write_licence(self, request: str, wanted: Licence) -> Licence | None:
        """Answer a call that changes; None if it is only accepted."""
        self._receive_call()
        assert self.licence is not None
        answer = self.answers.get(request)
        if answer is None:
            if self.is_refusing or self.licence.power == "over":
                raise FakeNever("E-17")
            if wanted.version != self.licence.version:
                raise FakeOutdated
            answer = self.answers[request] = replace(wanted, version=wanted.version + 1)
            if self.looks_of_next:
                self.waiting, self.looks_left = answer, self.looks_of_next
                return None
            self.licence = answer
        if self.lost_answers:
            self.lost_answers -= 1
            raise FakeAway
        return answer

    def _receive_call(self) -> None:
        self.calls += 1
        if self.is_busy:
            raise FakeBusy
        if self.failures:
            self.failures -= 1
            raise FakeAway
        if self.licence is None:
            raise FakeNever("E-404")


class FakePort:
    """The adapter of this vendor."""

    def __init__(self, vendor: FakeVendor, intent_id: UUID) -> None:
        self._vendor = vendor
        self._intent_id = intent_id

    async def fetch_subscription(self) -> VendorSubscriptionState:
        return self._read_state(self._send())

    async def suspend_subscription(self, state: VendorSubscriptionState) -> VendorSubscriptionState:
        return self._change(state, power="off")

    async def activate_subscription(self, state: VendorSubscriptionState) -> VendorSubscriptionState:
        return self._change(state, power="on")

    async def switch_auto_renew_off(self, state: VendorSubscriptionState) -> VendorSubscriptionState:
        return self._change(state, renews=False)

    async def restore_renewal(
        self, state: VendorSubscriptionState, snapshot: RenewalSnapshot
    ) -> VendorSubscriptionState:
        return self._change(state, renews=snapshot.is_auto_renew_on, follow_up=snapshot.vendor_settings["follow_up"])

    def list_unrestored_settings(self, snapshot: RenewalSnapshot, state: VendorSubscriptionState) -> tuple[str, ...]:
        names = ["renews"] if snapshot.is_auto_renew_on != state.renewal.is_auto_renew_on else []
        return (*names, *(["follow_up"] if snapshot.vendor_settings != state.renewal.vendor_settings else []))

    def _read_state(self, licence: Licence) -> VendorSubscriptionState:
        renewal = RenewalSnapshot(licence.renews, {"follow_up": licence.follow_up})
        return VendorSubscriptionState(WORDS[licence.power], renewal, licence)

    def _change(self, state: VendorSubscriptionState, **fields: Any) -> VendorSubscriptionState:
        licence: Licence = state.resource
        for _ in range(ATTEMPTS):
            try:
                return self._read_state(self._send(self.prepare_change(licence, fields)))
            except FakeOutdated:
                licence = self._send()
                if replace(licence, **fields) == licence:
                    return self._read_state(licence)
        raise RetryLater("somebody else is always faster")

    def prepare_change(self, licence: Licence, fields: dict[str, Any]) -> Licence:
        """Build what the vendor is asked for, from what was read."""
        return replace(licence, **fields)

    def choose_request_name(self, wanted: Licence) -> str:
        """Choose the name under which a change is repeated."""
        return f"{self._intent_id} {wanted}"

    def wait_until_done(self) -> Licence:
        """Look until the vendor has done what it accepted."""
        for _ in range(LOOKS):
            licence = self._vendor.read_licence()
            if self._vendor.waiting is None:
                return licence
        raise RetryLater("it was accepted and is not done")

    def translate_refusal(self, refusal: FakeNever | FakeBusy) -> Exception:
        """Translate what the vendor says into the words of the port."""
        if isinstance(refusal, FakeNever):
            return VendorRefusedForGood(str(refusal), "never")
        self._vendor.is_line_closed = True
        return RetryLater("the vendor wants no call")

    def _send(self, wanted: Licence | None = None) -> Licence:
        if self._vendor.is_line_closed:
            raise RetryLater("the vendor wanted no call")
        for _ in range(ATTEMPTS):
            try:
                if wanted is None:
                    return self._vendor.read_licence()
                return self._vendor.write_licence(self.choose_request_name(wanted), wanted) or self.wait_until_done()
            except FakeAway:
                continue
            except (FakeNever, FakeBusy) as refusal:
                raise self.translate_refusal(refusal) from refusal
        raise RetryLater("nobody answers")
