"""Decisions about suspensions: requested, withdrawn when nothing carries them, ended when the debt is settled."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from services.collections.domain.account import DueSuspension
from services.collections.domain.account_changes import (
    EndedSuspensionCauses,
    NewDunningStep,
    NewSuspension,
    NewSuspensionCauses,
    NewSuspensionRelease,
    SuspensionMove,
)
from services.collections.domain.account_draft import AccountDraft
from services.collections.domain.deferral_decision import end_step_deferrals
from services.collections.domain.dunning_item import ItemFacts
from services.collections.domain.evaluated_item import EvaluatedItem, map_suspension_terms
from services.collections.domain.suspension import (
    SuspensionState,
    SuspensionTerms,
    is_suspension_still_due,
    list_current_suspension_causes,
    list_open_suspension_causes,
    list_unblocked_suspension_causes,
    move_suspension,
)
from services.collections.domain.suspension_record import RecordedSuspensionCause, SuspensionRecord
from shared.events.collections import (
    ReinstatementRequested,
    SuspensionCause,
    SuspensionEnd,
    SuspensionRequested,
    SuspensionWithdrawn,
    WithdrawalCause,
)

ENDS: dict[WithdrawalCause, str] = {
    "settled": "every invoice that caused it is paid or credited",
    "not_dunnable": "nothing that caused it is dunnable any more",
    "released": "a person released it",
    "notice_bounced": "a notice that it rests on came back",
}
"""Why a suspension ends, in words."""


class _Carriers(NamedTuple):
    """The things that carry the suspensions of an account, taken together once for all of them."""

    items: Mapping[UUID, ItemFacts]
    terms: Mapping[UUID, SuspensionTerms]
    unnoticed: frozenset[UUID]
    """The invoices of which a notice failed on which a suspension that is not effective may rest."""


def end_settled_suspension_causes(draft: AccountDraft) -> None:
    """End causes that are settled; withdraw or reinstate what nothing carries."""
    if not draft.account.suspensions:
        return
    terms = map_suspension_terms(draft.context.versions, draft.account)
    carriers = _Carriers(draft.account.items_by_invoice, terms, _list_unnoticed(draft))
    for suspension in draft.account.suspensions:
        _update_suspension(draft, suspension, carriers)


def _list_unnoticed(draft: AccountDraft) -> frozenset[UUID]:
    if not draft.account.invoices_of_requests:
        return frozenset()
    return frozenset(
        result.item.invoice_id for result in draft.evaluate_items() if result.evaluation.lacks_required_notice
    )


def _update_suspension(draft: AccountDraft, suspension: SuspensionRecord, carriers: _Carriers) -> None:
    now, causes = draft.context.now, frozenset(suspension.causes)
    open_causes = _list_open_causes(suspension, carriers, now)
    if ended := causes - open_causes:
        draft.apply(EndedSuspensionCauses(suspension.id, ended))
    if suspension.state is SuspensionState.REQUESTED and not _is_still_due(suspension, carriers, open_causes, now):
        withdraw_suspension(draft, suspension, "settled" if not open_causes else "not_dunnable")
    elif suspension.state is SuspensionState.REQUESTED and open_causes & carriers.unnoticed:
        withdraw_suspension(draft, suspension, "notice_bounced")  # for what has its notices, it is due again at once
    elif suspension.state is SuspensionState.EFFECTIVE and not open_causes:
        request_reinstatement(draft, suspension, "settled")
    elif ended:
        _announce_request(draft, suspension, {id_: suspension.causes[id_] for id_ in open_causes})


def _list_open_causes(suspension: SuspensionRecord, carriers: _Carriers, now: datetime) -> frozenset[UUID]:
    """List the invoices that still cause a suspension."""
    items = {id_: carriers.items[id_] for id_ in suspension.causes if id_ in carriers.items}
    latest = {id_: history[-1] for id_, item in items.items() if (history := item.list_balance_history(now))}
    rounds = {id_: cause.round for id_, cause in suspension.causes.items()}
    current = list_current_suspension_causes(rounds, items, now)
    return list_open_suspension_causes(current, suspension.subscription_id, latest)


def _is_still_due(
    suspension: SuspensionRecord, carriers: _Carriers, open_causes: frozenset[UUID], now: datetime
) -> bool:
    items = {id_: carriers.items[id_] for id_ in open_causes if id_ in carriers.items}
    unblocked = list_unblocked_suspension_causes(open_causes, items, carriers.terms, suspension.requested_at, now)
    return is_suspension_still_due(unblocked, suspension.subscription_id, items, carriers.terms, now)


def withdraw_suspension(
    draft: AccountDraft, suspension: SuspensionRecord, cause: WithdrawalCause, reason: str | None = None
) -> None:
    """Withdraw a suspension that is not effective yet; a person's reason stays here. Raises SuspensionMoveRefused."""
    state = move_suspension(suspension.state, SuspensionState.WITHDRAWN)
    draft.apply(SuspensionMove(suspension.id, state, draft.context.now, reason or ENDS[cause]))
    draft.publish(
        SuspensionWithdrawn(
            account_id=suspension.account_id,
            suspension_id=suspension.id,
            subscription_id=suspension.subscription_id,
            cause=cause,
        )
    )


def request_reinstatement(
    draft: AccountDraft, suspension: SuspensionRecord, cause: SuspensionEnd, reason: str | None = None
) -> None:
    """Have an effective suspension end; a person's reason stays here. Raises SuspensionMoveRefused."""
    state = move_suspension(suspension.state, SuspensionState.ENDING)
    draft.apply(SuspensionMove(suspension.id, state, draft.context.now, reason or ENDS[cause]))
    draft.publish(
        ReinstatementRequested(
            account_id=suspension.account_id,
            suspension_id=suspension.id,
            subscription_id=suspension.subscription_id,
            cause=cause,
        )
    )


def end_suspension_by_release(draft: AccountDraft, suspension: SuspensionRecord, until: date, reason: str) -> None:
    """Release a suspension to the end of a local day, though the debt stands; a person's reason stays here.

    Its step counts as taken until then, also if it was not effective yet. Raises SuspensionMoveRefused.
    """
    if suspension.state is SuspensionState.REQUESTED:
        withdraw_suspension(draft, suspension, "released", reason)
        for cause in suspension.causes.values():
            draft.apply(_build_released_step(draft, suspension, cause))
    else:
        request_reinstatement(draft, suspension, "released", reason)
    draft.apply(NewSuspensionRelease(suspension.id, tuple(suspension.causes), draft.context.now, until))


def _build_released_step(
    draft: AccountDraft, suspension: SuspensionRecord, cause: RecordedSuspensionCause
) -> NewDunningStep:
    """Build the step of a suspension that was released before it happened."""
    item = draft.account.items_by_invoice[cause.invoice_id]
    before = [
        step
        for step in item.taken
        if (step.step, step.round) == (suspension.step, cause.round) and step.suspension_id is None
    ]
    return NewDunningStep(
        invoice_id=cause.invoice_id,
        round=cause.round,
        step=suspension.step,
        outcome="requested",
        taken_at=draft.context.now,
        instant=suspension.requested_at,
        policy_version=suspension.policy_version,
        dunnable_minor=cause.dunnable_minor,
        notice_id=None,
        replaced_by=None,
        attempt=1 + len(before),
    )


def request_suspension(draft: AccountDraft, due: DueSuspension, items: Mapping[UUID, EvaluatedItem]) -> None:
    """Request a suspension, or add causes to the one that stands; the request carries the whole wanted state."""
    account = draft.account
    standing = (record for record in account.suspensions if record.subscription_id == due.subscription_id)
    suspension = next(standing, None)
    if suspension is None:
        suspension = SuspensionRecord(
            id=next(draft.context.new_ids),
            account_id=account.account_id,
            subscription_id=due.subscription_id,
            state=SuspensionState.REQUESTED,
            policy_version=items[due.causes[0][0]].version,
            step=due.step,
            requested_at=draft.context.now,
            effective_at=None,
            causes={},
        )
        draft.apply(NewSuspension(suspension))
    causes = tuple(_build_cause(items[invoice_id], amount) for invoice_id, amount in due.causes)
    draft.apply(NewSuspensionCauses(suspension.id, causes, draft.context.now))
    _announce_request(draft, suspension, {**suspension.causes, **{cause.invoice_id: cause for cause in causes}})
    end_step_deferrals(draft, (cause.invoice_id for cause in causes))


def _build_cause(result: EvaluatedItem, dunnable_minor: int) -> RecordedSuspensionCause:
    item = result.item
    return RecordedSuspensionCause(item.invoice_id, item.number, result.evaluation.round, dunnable_minor, item.currency)


def _announce_request(
    draft: AccountDraft, suspension: SuspensionRecord, causes: Mapping[UUID, RecordedSuspensionCause]
) -> None:
    draft.publish(
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
