"""The course of a subscription: a fold of its changes, from which every charge follows; and what may be changed when.

A change holds from the local date on which it takes effect. A suspended day is one at whose beginning access was
suspended, or on which it was; the day of the reinstatement is billed again.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum
from itertools import pairwise

from services.invoicing.subscriptions.domain.proration import BillingCycle, ChargePeriod, SubscriptionUnitRate
from shared.pure.errors import Refusal

NEVER = date.max


class SubscriptionChangeRefused(Refusal):
    """The vendor's programme does not allow this change now; `detail` says what is possible."""

    code = "change_refused"


class ChangeKind(StrEnum):
    """Kind of a change of a subscription."""

    ACTIVATE = "activate"
    QUANTITY = "quantity"
    PLAN = "plan"
    RENEW = "renew"
    CANCEL = "cancel"
    SUSPEND = "suspend"
    REINSTATE = "reinstate"


@dataclass(frozen=True, slots=True)
class SubscriptionChange:
    """Change and the day from which it holds; None leaves the quantity or the rates as they were."""

    effective_on: date
    kind: ChangeKind
    quantity: int | None = None
    rate: SubscriptionUnitRate | None = None
    vendor_rate: SubscriptionUnitRate | None = None


@dataclass(frozen=True, slots=True)
class SubscriptionState:
    """How a subscription stands after some changes."""

    quantity: int
    rate: SubscriptionUnitRate
    vendor_rate: SubscriptionUnitRate
    suspended: bool = False
    ended: bool = False

    def compute_state_after_change(self, change: SubscriptionChange) -> "SubscriptionState":
        """The state once a change has taken effect."""
        return replace(
            self,
            quantity=self.quantity if change.quantity is None else change.quantity,
            rate=change.rate or self.rate,
            vendor_rate=change.vendor_rate or self.vendor_rate,
            suspended=_apply_switch(self.suspended, change.kind, ChangeKind.SUSPEND, ChangeKind.REINSTATE),
            ended=self.ended or change.kind is ChangeKind.CANCEL,
        )


def _apply_switch(now: bool, kind: ChangeKind, on: ChangeKind, off: ChangeKind) -> bool:
    return True if kind is on else False if kind is off else now


class SubscriptionHistory:
    """The changes of one subscription that were applied, in the order of their days; the first one activates it."""

    def __init__(self, changes: Iterable[SubscriptionChange]) -> None:
        # A stable sort: of one day, what was recorded later comes later.
        self._changes = sorted(changes, key=lambda change: change.effective_on)

    def add_subscription_change(self, change: SubscriptionChange) -> "SubscriptionHistory":
        """The course with one more change."""
        return SubscriptionHistory([*self._changes, change])

    @property
    def activated_on(self) -> date:
        """The day on which it was activated."""
        return self._changes[0].effective_on

    @property
    def last_changed_on(self) -> date:
        """The last day on which something changed."""
        return self._changes[-1].effective_on

    @property
    def cancelled_on(self) -> date:
        """The first day on which it is cancelled."""
        return next((change.effective_on for change in self._changes if change.kind is ChangeKind.CANCEL), NEVER)

    def list_subscription_states(self) -> Iterator[tuple[date, SubscriptionState]]:
        """Each day on which something changed, with the state from then on."""
        first = self._changes[0]
        assert first.quantity is not None
        assert first.rate is not None
        state = SubscriptionState(first.quantity, first.rate, first.vendor_rate or SubscriptionUnitRate(0))
        for change, following in pairwise([*self._changes, None]):
            assert change is not None
            state = state.compute_state_after_change(change)
            if following is None or following.effective_on > change.effective_on:
                yield change.effective_on, state

    def get_subscription_state_on(self, day: date) -> SubscriptionState | None:
        """The state on a day; None before it was activated."""
        latest_state = None
        for begin, state in self.list_subscription_states():
            if begin <= day:
                latest_state = state
        return latest_state

    def list_customer_billed_periods(self, cycle: BillingCycle, *, credits_suspension: bool) -> list[ChargePeriod]:
        """List what a cycle costs the customer, period by period."""
        return [
            ChargePeriod(begin, end, state.quantity, state.rate)
            for begin, end, state in self._within(cycle)
            if not (state.suspended and credits_suspension)
        ]

    def list_vendor_charged_periods(self, cycle: BillingCycle, *, bills_while_suspended: bool) -> list[ChargePeriod]:
        """List what a cycle costs us at the vendor, period by period."""
        return [
            ChargePeriod(begin, end, state.quantity, state.vendor_rate)
            for begin, end, state in self._within(cycle)
            if bills_while_suspended or not state.suspended
        ]

    def _within(self, cycle: BillingCycle) -> Iterator[tuple[date, date, SubscriptionState]]:
        states = list(self.list_subscription_states())
        ends = [*(begin for begin, _ in states[1:]), NEVER]
        for (begin, state), end in zip(states, ends, strict=True):
            first, last = max(begin, cycle.begin), min(end, cycle.end)
            if first < last and not state.ended:
                yield first, last, state


def check_quantity_change(
    course: SubscriptionHistory, wanted: int, *, today: date, term_start: date, window: int
) -> None:
    """Seats may be added at any time, given back only within `window` days of being added.

    While it is suspended the quantity cannot change (the vendor's 2001, 900214 and 900257).
    Raises SubscriptionChangeRefused.
    """
    state = _current(course, today)
    if state.suspended:
        raise SubscriptionChangeRefused("the quantity cannot change while the subscription is suspended")
    since = today - timedelta(days=window)
    older = course.get_subscription_state_on(since)
    kept = older.quantity if older is not None and since >= term_start else 0
    if wanted < min(kept, state.quantity):
        raise SubscriptionChangeRefused(
            f"only seats added within {window} days can be given back now; at renewal all can"
        )


def check_cancellation_window(course: SubscriptionHistory, *, today: date, term_start: date, window: int) -> None:
    """Cancelling now is possible within `window` days of purchase or renewal (900117, 900213).

    Raises SubscriptionChangeRefused.
    """
    _current(course, today)
    if today >= term_start + timedelta(days=window):
        raise SubscriptionChangeRefused(
            f"the cancellation window closed {window} days after {term_start}; at renewal it can end"
        )


def _current(course: SubscriptionHistory, today: date) -> SubscriptionState:
    state = course.get_subscription_state_on(today)
    if state is None or state.ended:
        raise SubscriptionChangeRefused("the subscription is not active")
    return state


def compute_subscription_state(today: date, start: date, ended_on: date | None, *, will_end: bool) -> str:
    """Judge the state on a local day: ended from 00:00 of `ended_on`, else upcoming, ending or active."""
    if ended_on is not None and ended_on <= today:
        return "ended"
    if will_end:
        return "ending"
    return "upcoming" if start > today else "active"
