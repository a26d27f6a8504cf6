"""Decisions about an account from its facts alone: suspensions, the dunning case, and when to look again.

An event means "look at this account again". It settles what follows from facts alone; steps are taken by the sweep
only (`due_step_decision`). Evaluating what a decision leaves changes nothing.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from uuid import UUID

from services.collections.domain.account import find_case_stage, is_case_open
from services.collections.domain.account_changes import DunningCaseEnd, DunningCaseUpdate, NewDunningCase
from services.collections.domain.account_draft import AccountDecision, AccountDraft, EvaluationContext
from services.collections.domain.deferral_decision import sync_policy_deferrals
from services.collections.domain.dunning_account import DunningAccount, OpenDunningCase
from services.collections.domain.evaluated_item import EvaluatedItem, find_oldest_due_date
from services.collections.domain.suspension_decision import end_settled_suspension_causes
from shared.events.collections import DunningCaseClosed, DunningCaseOpened, DunningStageChanged
from shared.pure.calendar import find_local_instant

Asked = Mapping[UUID, datetime | None]
"""Items whose suspension is in work or waits, with when to look again; None if an answer will come."""
NOTHING_ASKED: Asked = MappingProxyType({})


def evaluate_account(account: DunningAccount, context: EvaluationContext) -> AccountDecision:
    """Decide what follows from the facts of an account."""
    draft = AccountDraft(account, context)
    settle_account(draft)
    return draft.finish()


def settle_account(draft: AccountDraft, asked: Asked = NOTHING_ASKED) -> None:
    """Settle what follows from the facts of an account, and when each of its items must be looked at next."""
    end_settled_suspension_causes(draft)
    items = draft.evaluate_items()  # what was withdrawn may be due again
    if (case := draft.account.case) is None:
        _open_case(draft, items)
    else:
        _update_case(draft, case, items)
    sync_policy_deferrals(draft, items)
    draft.due_at |= {result.item.invoice_id: _compute_due_at(result, asked) for result in items}


def _open_case(draft: AccountDraft, items: Sequence[EvaluatedItem]) -> None:
    """Open a dunning case if anything is overdue."""
    oldest = find_oldest_due_date(items)
    if oldest is None:
        return
    stage = find_case_stage(result.evaluation for result in items)
    case = OpenDunningCase(next(draft.context.new_ids), stage.name if stage else None, oldest)
    draft.apply(NewDunningCase(case))
    draft.publish(DunningCaseOpened(account_id=draft.account.account_id, case_id=case.id))
    _announce_stage(draft, case)


def _update_case(draft: AccountDraft, case: OpenDunningCase, items: Sequence[EvaluatedItem]) -> None:
    """Note how far the dunning case is, and close it if nothing that is overdue is left."""
    evaluations, oldest = [result.evaluation for result in items], find_oldest_due_date(items)
    stage = find_case_stage(evaluations)
    wanted = OpenDunningCase(case.id, stage.name if stage else case.stage, oldest or case.oldest_due_date)
    if wanted != case:
        draft.apply(DunningCaseUpdate(wanted))
    if wanted.stage != case.stage:
        _announce_stage(draft, wanted)
    if not is_case_open(evaluations):
        draft.apply(DunningCaseEnd(case.id))
        draft.publish(DunningCaseClosed(account_id=draft.account.account_id, case_id=case.id))


def _announce_stage(draft: AccountDraft, case: OpenDunningCase) -> None:
    if case.stage is not None:
        account_id = draft.account.account_id
        draft.publish(DunningStageChanged(account_id=account_id, case_id=case.id, stage=case.stage))


def _compute_due_at(result: EvaluatedItem, asked: Asked) -> datetime | None:
    """When the sweep must look: at once for an action that is due, else when the next one comes or must wait."""
    evaluation, invoice_id = result.evaluation, result.item.invoice_id
    instants = [
        action.at for action in evaluation.actions if not action.kind.awaits_fresh_facts or invoice_id not in asked
    ]
    instants += [evaluation.next.at] if evaluation.next else []
    again = asked.get(invoice_id)
    return min([*instants, *_list_deferral_instants(result), *([again] if again else [])], default=None)


def _list_deferral_instants(result: EvaluatedItem) -> list[datetime]:
    """When a suspension will be reached whose notice has not arrived: it cannot be taken then, but it is said."""
    reached = (
        find_local_instant(rung.reached_on, rung.step.at, result.item.zone)
        for rung in result.evaluation.ladder
        if rung.reached_on and not rung.taken and any(required.fulfilled_on is None for required in rung.requirements)
    )
    return [instant for instant in reached if instant > result.evaluation.judged_at]
