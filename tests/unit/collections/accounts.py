"""Accounts of invoices of 3.00 EUR that were warned of, and suspensions of theirs, by the standard policy."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime
from itertools import count
from uuid import UUID
from zoneinfo import ZoneInfo

from services.collections.domain.account_draft import EvaluationContext
from services.collections.domain.dunning_account import DunningAccount
from services.collections.domain.dunning_item import ItemFacts, TakenDunningStep
from services.collections.domain.policy_version import PolicyVersion
from services.collections.domain.suspension import SuspensionState
from services.collections.domain.suspension_record import RecordedSuspensionCause, SuspensionRecord
from tests.unit.collections.facts import SUBSCRIPTION, on, take_notice
from tests.unit.collections.stories import standard

ACCOUNT = UUID(int=7)
SUSPENSION = UUID(int=500)
VERSIONS = [PolicyVersion(3, date(2026, 1, 1), standard())]
WARNED = (take_notice("reminder_1", on(1)), take_notice("reminder_2", on(7)), take_notice("final_notice", on(14)))


def context(now: datetime) -> EvaluationContext:
    """At this time, with ids that count from 1000 on."""
    return EvaluationContext(VERSIONS, now, _count_ids())


def _count_ids() -> Iterator[UUID]:
    return (UUID(int=number) for number in count(1000))


def account(*items: ItemFacts, **more: object) -> DunningAccount:
    """An account with these items."""
    return replace(DunningAccount(ACCOUNT, ZoneInfo("UTC"), items), **more)  # type: ignore[arg-type]


def suspension(state: SuspensionState, *invoices: ItemFacts) -> SuspensionRecord:
    """A suspension of the subscription for these invoices, requested on the 21st day."""
    causes = {
        facts.invoice_id: RecordedSuspensionCause(facts.invoice_id, facts.number, 1, 300, "EUR") for facts in invoices
    }
    effective_at = on(21) if state is SuspensionState.EFFECTIVE else None
    return SuspensionRecord(SUSPENSION, ACCOUNT, SUBSCRIPTION, state, 3, "suspend", on(21), effective_at, causes)


def add_suspend_step(facts: ItemFacts, state: SuspensionState) -> ItemFacts:
    """The item with the step of that suspension."""
    effect = "in_effect" if state is SuspensionState.EFFECTIVE else "awaited"
    step = TakenDunningStep("suspend", 1, on(21), "requested", effect=effect, suspension_id=SUSPENSION)  # type: ignore[arg-type]
    return replace(facts, taken=(*facts.taken, step))
