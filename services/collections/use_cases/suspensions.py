"""Suspensions are requested, withdrawn when nothing dunnable carries them, and ended when the debt is settled."""

from collections.abc import Iterable, Mapping
from datetime import date
from uuid import UUID

from services.collections.domain.dunning_item import Balance, ItemFacts
from services.collections.domain.suspension import (
    SuspensionState,
    SuspensionTerms,
    is_suspension_still_due,
    list_current_suspension_causes,
    list_open_suspension_causes,
    list_unblocked_suspension_causes,
    move_suspension,
)
from services.collections.repository import suspension_queries
from services.collections.repository.fact_queries import DunningFacts, load_account_facts
from services.collections.repository.suspension_queries import RecordedSuspensionCause, SuspensionRecord
from shared.events.collections import (
    ReinstatementRequested,
    SuspensionCause,
    SuspensionEnd,
    SuspensionRequested,
    SuspensionWithdrawn,
    WithdrawalCause,
)
from shared.persistence.audit import AuditedChange
from shared.persistence.database import Unit
from shared.pure.calendar import ONE_DAY, get_local_date
from shared.pure.errors import Refusal
from shared.pure.ids import new_id

ENDS: dict[WithdrawalCause, str] = {
    "settled": "every invoice that caused it is paid or credited",
    "not_dunnable": "nothing that caused it is dunnable any more",
    "released": "a person released it",
    "notice_bounced": "a notice that it rests on came back",
}
"""Why a suspension ends, in words."""
MAX_RELEASE_DAYS = 365


class SuspensionReleaseRefused(Refusal):
    """A release ends today or later, and within a year."""

    code = "release_refused"
    status = 422


async def end_settled_suspension_causes(
    unit: Unit, account: DunningFacts, unnoticed: frozenset[UUID], terms: Mapping[UUID, SuspensionTerms]
) -> bool:
    """End causes that are settled; withdraw or reinstate what nothing carries. Whether anything changed.

    `unnoticed` are the invoices of which a notice came back that a suspension requires; `terms` are those of the
    policies of the invoices.
    """
    changed = False
    items = {item.invoice_id: item for item in account.items}
    latest = {id_: history[-1] for id_, item in items.items() if (history := item.list_balance_history(unit.now))}
    for suspension in account.suspensions:
        changed |= await _update_suspension(unit, suspension, items, latest, unnoticed, terms)
    return changed


async def _update_suspension(
    unit: Unit,
    suspension: SuspensionRecord,
    items: Mapping[UUID, ItemFacts],
    latest: Mapping[UUID, Balance],
    unnoticed: frozenset[UUID],
    terms: Mapping[UUID, SuspensionTerms],
) -> bool:
    causes = frozenset(suspension.causes)
    rounds = {id_: cause.round for id_, cause in suspension.causes.items()}
    open_causes = list_open_suspension_causes(
        list_current_suspension_causes(rounds, items, unit.now), suspension.subscription_id, latest
    )
    unblocked = open_causes
    if suspension.state is SuspensionState.REQUESTED:
        unblocked = list_unblocked_suspension_causes(open_causes, items, terms, suspension.requested_at, unit.now)
    await suspension_queries.end_suspension_causes(unit, suspension.id, causes - open_causes)
    if suspension.state is SuspensionState.REQUESTED and not is_suspension_still_due(
        unblocked, suspension.subscription_id, items, terms, unit.now
    ):
        await withdraw_suspension(unit, suspension, "settled" if not open_causes else "not_dunnable")
    elif suspension.state is SuspensionState.REQUESTED and open_causes & unnoticed:
        await withdraw_suspension(
            unit, suspension, "notice_bounced"
        )  # for what has its notices, it is due again at once
    elif suspension.state is SuspensionState.EFFECTIVE and not open_causes:
        await request_reinstatement(unit, suspension, "settled")
    elif open_causes != causes:
        _announce_request(unit, suspension, {id_: suspension.causes[id_] for id_ in open_causes})
    else:
        return False
    return True


async def withdraw_suspension(
    unit: Unit, suspension: SuspensionRecord, cause: WithdrawalCause, reason: str | None = None
) -> None:
    """Withdraw a suspension that is not effective yet; a person's reason stays here."""
    state = move_suspension(suspension.state, SuspensionState.WITHDRAWN)
    await suspension_queries.save_suspension_state(unit, suspension.id, state, reason or ENDS[cause])
    unit.publish(
        SuspensionWithdrawn(
            account_id=suspension.account_id,
            suspension_id=suspension.id,
            subscription_id=suspension.subscription_id,
            cause=cause,
        )
    )


async def request_reinstatement(
    unit: Unit, suspension: SuspensionRecord, cause: SuspensionEnd, reason: str | None = None
) -> None:
    """Have an effective suspension end; a person's reason stays here."""
    state = move_suspension(suspension.state, SuspensionState.ENDING)
    await suspension_queries.save_suspension_state(unit, suspension.id, state, reason or ENDS[cause])
    unit.publish(
        ReinstatementRequested(
            account_id=suspension.account_id,
            suspension_id=suspension.id,
            subscription_id=suspension.subscription_id,
            cause=cause,
        )
    )


async def request_suspension(
    unit: Unit,
    account: DunningFacts,
    subscription_id: UUID,
    step: str,
    policy_version: int,
    causes: Iterable[RecordedSuspensionCause],
) -> None:
    """Request a suspension, or add causes to the one that stands; the request carries the whole wanted state."""
    new = list(causes)
    standing = [
        suspension_of_account
        for suspension_of_account in account.suspensions
        if suspension_of_account.subscription_id == subscription_id
    ]
    if standing:
        suspension = standing[0]
    else:
        suspension = SuspensionRecord(
            new_id(),
            account.account_id,
            subscription_id,
            SuspensionState.REQUESTED,
            policy_version,
            step,
            unit.now,
            None,
            {},
        )
        await suspension_queries.insert_suspension(unit, suspension)
    await suspension_queries.insert_suspension_causes(unit, account.account_id, suspension.id, new)
    added = {cause.invoice_id: cause for cause in new}
    _announce_request(unit, suspension, {**suspension.causes, **added})


def _announce_request(unit: Unit, suspension: SuspensionRecord, causes: Mapping[UUID, RecordedSuspensionCause]) -> None:
    unit.publish(
        SuspensionRequested(
            account_id=suspension.account_id,
            suspension_id=suspension.id,
            subscription_id=suspension.subscription_id,
            policy_version=suspension.policy_version,
            step=suspension.step,
            causes=tuple(
                SuspensionCause(invoice_id=id_, dunnable_minor=cause.dunnable_minor, currency=cause.currency)
                for id_, cause in sorted(causes.items())
            ),
        )
    )


async def release_suspension(unit: Unit, suspension_id: UUID, until: date, reason: str) -> SuspensionRecord:
    """Release a suspension until the end of a local day, though the debt stands.

    Raises NotFound, SuspensionReleaseRefused, SuspensionMoveRefused. It is a fact of each invoice that caused it: the
    step counts as taken until then; after it, access ends again only after a new notice and its days.
    """
    suspension = await suspension_queries.get_suspension(unit, suspension_id)
    await unit.lock_subjects(suspension.account_id)
    suspension = await suspension_queries.get_suspension(unit, suspension_id)
    account = (await load_account_facts(unit, [suspension.account_id]))[suspension.account_id]
    _check_end_of_release(until, get_local_date(unit.now, account.zone))
    before = {"state": suspension.state}
    if suspension.state is SuspensionState.REQUESTED:
        await suspension_queries.record_suspension_step(unit, suspension_id)
        await withdraw_suspension(unit, suspension, "released", reason)
    else:
        await request_reinstatement(unit, suspension, "released", reason)
    await suspension_queries.insert_suspension_releases(unit, suspension_id, until)
    suspension = await suspension_queries.get_suspension(unit, suspension_id)
    after = {"state": suspension.state, "until": until}
    unit.record(AuditedChange("suspension", suspension_id, suspension.account_id, before, after))
    return suspension


def _check_end_of_release(until: date, today: date) -> None:
    if until < today:
        raise SuspensionReleaseRefused(f"until: a release lasts to the end of {today} at the earliest")
    if until > today + MAX_RELEASE_DAYS * ONE_DAY:
        raise SuspensionReleaseRefused(f"until: a release lasts at most {MAX_RELEASE_DAYS} days")
