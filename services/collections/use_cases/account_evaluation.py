"""Judging accounts: what events change at once.

An event means "look at this account again". It settles what follows from facts alone (suspensions that
nothing carries any more, the dunning case, when to judge next); steps are taken by the sweep only (`due_steps`).
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from services.collections.domain import account as domain_account
from services.collections.domain.dunning_item import ItemFacts
from services.collections.domain.dunning_outlook import DunningOutlook, assess_dunning_outlook
from services.collections.domain.item_evaluation import Action, ItemEvaluation
from services.collections.domain.item_evaluator import evaluate_dunning_item
from services.collections.domain.policy import Policy
from services.collections.domain.suspension import SuspensionState, SuspensionTerms
from services.collections.repository import fact_queries, notice_queries, policy_queries
from services.collections.repository.fact_queries import DunningFacts
from services.collections.repository.policy_queries import PolicyVersion
from services.collections.use_cases import suspensions
from shared.events.collections import (
    DunningCaseClosed,
    DunningCaseOpened,
    DunningStageChanged,
    StepDeferred,
    WaitsFor,
)
from shared.persistence.database import Unit
from shared.pure.calendar import find_local_instant
from shared.pure.ids import new_id


@dataclass(frozen=True, slots=True)
class EvaluatedItem:
    """An item, the version of the policy that holds for it, and what that says now."""

    item: ItemFacts
    version: int
    policy: Policy
    evaluation: ItemEvaluation

    def assess_outlook(self, suspended: Collection[UUID], action: Action | None = None) -> DunningOutlook:
        """Assess what a message states of it, after an action that is carried out now."""
        return assess_dunning_outlook(self.item, self.policy, self.evaluation, action, suspended)


async def evaluate_account(unit: Unit, account: DunningFacts) -> list[EvaluatedItem]:
    """Judge every item of an account; without any policy there is nothing to judge by."""
    return evaluate_items(await policy_queries.list_policy_versions(unit), account, unit.now)


def evaluate_items(versions: Sequence[PolicyVersion], account: DunningFacts, now: datetime) -> list[EvaluatedItem]:
    """Judge every item of an account, each by the version that was in force when it was recorded."""
    results = []
    for item in account.items:
        version = policy_queries.find_policy(versions, item.recorded_at, item.zone)
        if version is not None:
            results.append(
                EvaluatedItem(item, version.number, version.policy, evaluate_dunning_item(item, version.policy, now))
            )
    return results


def map_suspension_terms(versions: Sequence[PolicyVersion], account: DunningFacts) -> dict[UUID, SuspensionTerms]:
    """Map the invoices of an account to the terms of their policies on which suspensions rest."""
    pairs = (
        (item.invoice_id, policy_queries.find_policy(versions, item.recorded_at, item.zone)) for item in account.items
    )
    return {invoice_id: SuspensionTerms.from_policy(version.policy) for invoice_id, version in pairs if version}


async def apply_account_facts(
    unit: Unit,
    account_ids: Sequence[UUID],
    *,
    asked: Mapping[UUID, datetime | None] | None = None,
    because: Callable[[UUID], AbstractContextManager[None]] = lambda _: nullcontext(),
) -> None:
    """Settle what follows from the facts of these accounts, and say when to judge next.

    `asked` names the items whose suspension is in work or held by the guard, with when to look again.
    `because` says, around what is done for an account, what it follows from, where that is not one cause for
    all.
    """
    versions = await policy_queries.list_policy_versions(unit)
    due: list[tuple[UUID, datetime | None]] = []
    opened: list[tuple[UUID, UUID, str | None, date]] = []
    due_dates: list[tuple[UUID, date]] = []
    for account_id, account in (await fact_queries.load_account_facts(unit, account_ids)).items():
        with because(account_id):
            items = await _reevaluate_account(unit, versions, account, opened, due_dates)
        due += [(result.item.invoice_id, _compute_due_at(result, asked or {})) for result in items]
    await notice_queries.open_dunning_cases(unit, opened)
    await notice_queries.save_oldest_due_dates(unit, due_dates)
    await fact_queries.save_next_evaluation_times(unit, due)


async def _reevaluate_account(
    unit: Unit,
    versions: Sequence[PolicyVersion],
    account: DunningFacts,
    opened: list[tuple[UUID, UUID, str | None, date]],
    due_dates: list[tuple[UUID, date]],
) -> list[EvaluatedItem]:
    unnoticed = _list_unnoticed(versions, account, unit.now)
    if account.suspensions and await suspensions.end_settled_suspension_causes(
        unit, account, unnoticed, map_suspension_terms(versions, account)
    ):  # what was withdrawn may be due again
        account = (await fact_queries.load_account_facts(unit, [account.account_id]))[account.account_id]
    items = evaluate_items(versions, account, unit.now)
    if account.case_id is None:
        opened += _open_case(unit, account, items)
    else:
        await _update_case(unit, account, account.case_id, items)
        oldest = _find_oldest_due_date(items)
        due_dates += [(account.case_id, oldest)] if oldest and oldest != account.oldest_due_date else []
    await _sync_deferrals(unit, account, items)
    return items


def _list_unnoticed(versions: Sequence[PolicyVersion], account: DunningFacts, now: datetime) -> frozenset[UUID]:
    """List the invoices of which a notice failed on which a suspension that is not effective may rest."""
    if all(suspension.state is not SuspensionState.REQUESTED for suspension in account.suspensions):
        return frozenset()
    judged_items = evaluate_items(versions, account, now)
    return frozenset(result.item.invoice_id for result in judged_items if result.evaluation.lacks_required_notice)


def _compute_due_at(result: EvaluatedItem, asked: Mapping[UUID, datetime | None]) -> datetime | None:
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
        if rung.reached_on and not rung.taken and any(required.met_on is None for required in rung.requirements)
    )
    return [instant for instant in reached if instant > result.evaluation.judged_at]


async def list_undunnable(unit: Unit, account_id: UUID, rounds: Iterable[tuple[UUID, int]]) -> frozenset[UUID]:
    """The invoices of a notice (each with its round) that are not dunnable now, as far as is known here."""
    account = (await fact_queries.load_account_facts(unit, [account_id]))[account_id]
    return domain_account.list_not_dunnable(rounds, [item.evaluation for item in await evaluate_account(unit, account)])


def list_suspended_subscriptions(account: DunningFacts) -> frozenset[UUID]:
    """List the subscriptions of an account whose access has ended."""
    return frozenset(
        suspension.subscription_id
        for suspension in account.suspensions
        if suspension.state is SuspensionState.EFFECTIVE
    )


def _find_oldest_due_date(items: Sequence[EvaluatedItem]) -> date | None:
    """Find the due date of the oldest invoice that is overdue and open."""
    return min((results.item.due_date for results in items if results.evaluation.is_overdue_and_open), default=None)


def _open_case(
    unit: Unit, account: DunningFacts, items: Sequence[EvaluatedItem]
) -> list[tuple[UUID, UUID, str | None, date]]:
    """The case to be opened, if one is: its id, account, stage and oldest due date."""
    evaluations = [result.evaluation for result in items]
    oldest = _find_oldest_due_date(items)
    if oldest is None:
        return []
    case_id, stage = new_id(), domain_account.find_case_stage(evaluations)
    unit.publish(DunningCaseOpened(account_id=account.account_id, case_id=case_id))
    if stage is not None:
        unit.publish(DunningStageChanged(account_id=account.account_id, case_id=case_id, stage=stage.name))
    return [(case_id, account.account_id, stage.name if stage else None, oldest)]


async def _update_case(unit: Unit, account: DunningFacts, case_id: UUID, items: Sequence[EvaluatedItem]) -> None:
    evaluations = [result.evaluation for result in items]
    stage = domain_account.find_case_stage(evaluations)
    if stage is not None and stage.name != account.stage:
        await notice_queries.save_dunning_stage(unit, case_id, stage.name)
        unit.publish(DunningStageChanged(account_id=account.account_id, case_id=case_id, stage=stage.name))
    if not domain_account.is_case_open(evaluations):
        await notice_queries.close_dunning_case(unit, case_id)
        unit.publish(DunningCaseClosed(account_id=account.account_id, case_id=case_id))


async def _sync_deferrals(unit: Unit, account: DunningFacts, items: Sequence[EvaluatedItem]) -> None:
    """Announce each deferred step once for each cause; forget those that no longer wait.

    A suspension that is due and not deferred by the policy keeps what the guard or the bank's data said of it, and
    so does one that is requested.
    """
    over = []
    requested = {
        id_
        for suspension in account.suspensions
        if suspension.state is SuspensionState.REQUESTED
        for id_ in suspension.causes
    }
    for result in items:
        announced = account.deferrals.get(result.item.invoice_id)
        due = any(action.kind.awaits_fresh_facts for action in result.evaluation.actions)
        for waiting in result.evaluation.deferred:
            await announce_step_deferral(unit, account, result, waiting.step, waiting.reason, waiting.until)
        if announced and not result.evaluation.deferred and not due and result.item.invoice_id not in requested:
            over.append(result.item.invoice_id)
    await notice_queries.end_step_deferrals(unit, over)


async def announce_step_deferral(
    unit: Unit,
    account: DunningFacts,
    result: EvaluatedItem,
    step: str,
    cause: str,
    until: datetime | None,
    *,
    waits_for: WaitsFor = "policy",
) -> None:
    """Record that a step waits, and announce it unless that was said before."""
    invoice_id = result.item.invoice_id
    was_announced = account.deferrals.get(invoice_id) == (step, cause)
    await notice_queries.save_step_deferral(unit, account.account_id, invoice_id, step, cause, until, waits_for)
    if not was_announced:
        unit.publish(
            StepDeferred(
                account_id=account.account_id,
                step=step,
                policy_version=result.version,
                invoice_ids=(invoice_id,),
                cause=waits_for,
                until=until,
            )
        )
