"""Judging accounts: what events change at once, and what the sweep does when a step is due.

An event means "look at this account again". It settles what follows from facts alone (suspensions that
nothing carries any more, the dunning case, when to judge next); steps are taken by the sweep only.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from services.collections.domain import account as consolidation
from services.collections.domain.item import Item
from services.collections.domain.judge import judge
from services.collections.domain.judgement import Action, Judgement
from services.collections.domain.outlook import Prospect, assess_prospect
from services.collections.domain.policy import Policy
from services.collections.domain.suspension import ItemTerms, SuspensionState
from services.collections.repository import facts as repository
from services.collections.repository import notices as notice_rows
from services.collections.repository import policies
from services.collections.repository.facts import Facts
from services.collections.repository.policies import Version
from services.collections.use_cases import notices, suspensions
from shared.events.collections import (
    DunningCaseClosed,
    DunningCaseOpened,
    DunningStageChanged,
    StepDeferred,
    TerminationRequested,
    WaitsFor,
)
from shared.persistence.database import Unit
from shared.process import intents
from shared.pure.calendar import local_instant
from shared.pure.ids import new_id

CHECK_SUSPENSION = "check_suspension"
"""The kind of the intent that asks invoicing for fresh balances before a suspension is requested."""


@dataclass(frozen=True, slots=True)
class Judged:
    """An item, the version of the policy that holds for it, and what that says now."""

    item: Item
    version: int
    policy: Policy
    judgement: Judgement

    def assess_prospect(self, suspended: Collection[UUID], action: Action | None = None) -> Prospect:
        """Assess what a message states of it, after an action that is carried out now."""
        return assess_prospect(self.item, self.policy, self.judgement, action, suspended)


async def judged(unit: Unit, account: Facts) -> list[Judged]:
    """Judge every item of an account; without any policy there is nothing to judge by."""
    return judged_by(await policies.versions(unit), account, unit.now)


def judged_by(known: Sequence[Version], account: Facts, now: datetime) -> list[Judged]:
    """Judge every item of an account, each by the version that was in force when it was recorded."""
    found = []
    for item in account.items:
        version = policies.in_force(known, item.recorded_at, item.zone)
        if version is not None:
            found.append(Judged(item, version.number, version.policy, judge(item, version.policy, now)))
    return found


def map_terms(versions: Sequence[Version], account: Facts) -> dict[UUID, ItemTerms]:
    """Map the invoices of an account to the terms of their policies on which suspensions rest."""
    in_force = ((item.invoice_id, policies.in_force(versions, item.recorded_at, item.zone)) for item in account.items)
    return {invoice_id: ItemTerms.from_policy(version.policy) for invoice_id, version in in_force if version}


async def follow(
    unit: Unit,
    account_ids: Sequence[UUID],
    *,
    asked: Mapping[UUID, datetime | None] | None = None,
    because: Callable[[UUID], AbstractContextManager[None]] = lambda _: nullcontext(),
) -> None:
    """Settle what follows from the facts of these accounts, and say when to judge next.

    `asked` names the items whose suspension is in work or held by the guard, with when to look again.
    `because` says, around what is done for an account, what it follows from, where that is not one cause for all.
    """
    known = await policies.versions(unit)
    due: list[tuple[UUID, datetime | None]] = []
    opened: list[tuple[UUID, UUID, str | None, date]] = []
    due_dates: list[tuple[UUID, date]] = []
    for account_id, account in (await repository.facts(unit, account_ids)).items():
        with because(account_id):
            items = await _follow_one(unit, known, account, opened, due_dates)
        due += [(one.item.invoice_id, _due(one, asked or {})) for one in items]
    await notice_rows.open_cases(unit, opened)
    await notice_rows.save_oldest_due_dates(unit, due_dates)
    await repository.save_due(unit, due)


async def _follow_one(
    unit: Unit,
    known: Sequence[Version],
    account: Facts,
    opened: list[tuple[UUID, UUID, str | None, date]],
    due_dates: list[tuple[UUID, date]],
) -> list[Judged]:
    unnoticed = _list_unnoticed(known, account, unit.now)
    if account.suspensions and await suspensions.settle(
        unit, account, unnoticed, map_terms(known, account)
    ):  # what was withdrawn may be due again
        account = (await repository.facts(unit, [account.account_id]))[account.account_id]
    items = judged_by(known, account, unit.now)
    if account.case_id is None:
        opened += _open_case(unit, account, items)
    else:
        await _settle_case(unit, account, account.case_id, items)
        oldest = _find_oldest_due_date(items)
        due_dates += [(account.case_id, oldest)] if oldest and oldest != account.oldest_due_date else []
    await _say_what_waits(unit, account, items)
    return items


def _list_unnoticed(versions: Sequence[Version], account: Facts, now: datetime) -> frozenset[UUID]:
    """List the invoices of which a notice failed on which a suspension that is not effective may rest."""
    if all(suspension.state is not SuspensionState.REQUESTED for suspension in account.suspensions):
        return frozenset()
    judged_items = judged_by(versions, account, now)
    return frozenset(judged.item.invoice_id for judged in judged_items if judged.judgement.is_unnoticed)


def _due(one: Judged, asked: Mapping[UUID, datetime | None]) -> datetime | None:
    """When the sweep must look: at once for an action that is due, else when the next one comes or must wait."""
    judgement, invoice_id = one.judgement, one.item.invoice_id
    instants = [action.at for action in judgement.actions if action.kind != "suspend" or invoice_id not in asked]
    instants += [judgement.next.at] if judgement.next else []
    again = asked.get(invoice_id)
    return min([*instants, *_to_say_waits(one), *([again] if again else [])], default=None)


def _to_say_waits(one: Judged) -> list[datetime]:
    """When a suspension will be reached whose notice has not arrived: it cannot be taken then, but it is said."""
    reached = (
        local_instant(rung.reached_on, rung.step.at, one.item.zone)
        for rung in one.judgement.ladder
        if rung.reached_on and not rung.taken and any(required.met_on is None for required in rung.requirements)
    )
    return [instant for instant in reached if instant > one.judgement.judged_at]


async def not_dunnable(unit: Unit, account_id: UUID, told: Iterable[tuple[UUID, int]]) -> frozenset[UUID]:
    """The invoices of a notice (each with its round) that are not dunnable now, as far as is known here."""
    account = (await repository.facts(unit, [account_id]))[account_id]
    return consolidation.not_dunnable(told, [one.judgement for one in await judged(unit, account)])


async def sweep(unit: Unit, account_ids: list[str]) -> None:
    """Take the steps that are due for these accounts, which are locked, and say when to judge next."""
    ids = [UUID(one) for one in account_ids]
    asked: dict[UUID, datetime | None] = {}
    for account in (await repository.facts(unit, ids)).values():
        items = await judged(unit, account)
        judgements = [one.judgement for one in items]
        versions = {one.item.invoice_id: one.version for one in items}
        suspended = list_suspended(account)
        for message in consolidation.messages(judgements):
            actions = {item.judgement.invoice_id: item.action for item in message.items}
            prospects = {
                judged_item.item.invoice_id: judged_item.assess_prospect(suspended, action)
                for judged_item in items
                if (action := actions.get(judged_item.item.invoice_id))
            }
            await notices.write_steps(unit, account.account_id, message, versions, suspended, prospects)
        await _ask_for_terminations(unit, account, items)
        if consolidation.suspensions(judgements):
            await intents.add(unit, CHECK_SUSPENSION, account.account_id, account.account_id, {})
            asked |= {one.item.invoice_id: None for one in items}
    await follow(unit, ids, asked=asked)


def list_suspended(account: Facts) -> frozenset[UUID]:
    """List the subscriptions of an account whose access has ended."""
    return frozenset(
        suspension.subscription_id
        for suspension in account.suspensions
        if suspension.state is SuspensionState.EFFECTIVE
    )


async def _ask_for_terminations(unit: Unit, account: Facts, items: Sequence[Judged]) -> None:
    for one in items:
        for action in one.judgement.actions:
            if action.kind != "terminate":
                continue
            taken = (one.item.invoice_id, one.judgement.round, action.step, "requested", action.at)
            amounts = (one.version, one.judgement.dunnable_minor, None, None, one.judgement.attempts[action.step] + 1)
            await notice_rows.add_steps(unit, account.account_id, [(*taken, *amounts)])
            mine = [two for two in account.suspensions if one.item.invoice_id in two.causes]
            unit.publish(
                TerminationRequested(
                    account_id=account.account_id,
                    suspension_id=mine[0].id if mine else None,
                    policy_version=one.version,
                    step=action.step,
                    invoice_ids=(one.item.invoice_id,),
                    subscription_ids=tuple(two.subscription_id for two in mine),
                )
            )


def _find_oldest_due_date(items: Sequence[Judged]) -> date | None:
    """Find the due date of the oldest invoice that is overdue and open."""
    return min((judged.item.due_date for judged in items if judged.judgement.is_overdue_and_open), default=None)


def _open_case(unit: Unit, account: Facts, items: Sequence[Judged]) -> list[tuple[UUID, UUID, str | None, date]]:
    """The case to be opened, if one is: its id, account, stage and oldest due date."""
    judgements = [one.judgement for one in items]
    oldest = _find_oldest_due_date(items)
    if oldest is None:
        return []
    case_id, stage = new_id(), consolidation.stage_of_case(judgements)
    unit.publish(DunningCaseOpened(account_id=account.account_id, case_id=case_id))
    if stage is not None:
        unit.publish(DunningStageChanged(account_id=account.account_id, case_id=case_id, stage=stage.name))
    return [(case_id, account.account_id, stage.name if stage else None, oldest)]


async def _settle_case(unit: Unit, account: Facts, case_id: UUID, items: Sequence[Judged]) -> None:
    judgements = [one.judgement for one in items]
    stage = consolidation.stage_of_case(judgements)
    if stage is not None and stage.name != account.stage:
        await notice_rows.save_stage(unit, case_id, stage.name)
        unit.publish(DunningStageChanged(account_id=account.account_id, case_id=case_id, stage=stage.name))
    if not consolidation.is_case_open(judgements):
        await notice_rows.close_case(unit, case_id)
        unit.publish(DunningCaseClosed(account_id=account.account_id, case_id=case_id))


async def _say_what_waits(unit: Unit, account: Facts, items: Sequence[Judged]) -> None:
    """Announce each deferred step once for each cause; forget those that no longer wait.

    A suspension that is due and not deferred by the policy keeps what the guard or the bank's data said of it, and
    so does one that is requested.
    """
    over = []
    requested = {id_ for two in account.suspensions if two.state is SuspensionState.REQUESTED for id_ in two.causes}
    for one in items:
        told = account.deferrals.get(one.item.invoice_id)
        due = any(action.kind == "suspend" for action in one.judgement.actions)
        for waiting in one.judgement.deferred:
            await say_deferred(unit, account, one, waiting.step, waiting.reason, waiting.until)
        if told and not one.judgement.deferred and not due and one.item.invoice_id not in requested:
            over.append(one.item.invoice_id)
    await notice_rows.end_deferrals(unit, over)


async def say_deferred(
    unit: Unit,
    account: Facts,
    one: Judged,
    step: str,
    cause: str,
    until: datetime | None,
    *,
    waits_for: WaitsFor = "policy",
) -> None:
    """Record that a step waits, and announce it unless that was said before."""
    invoice_id = one.item.invoice_id
    known = account.deferrals.get(invoice_id) == (step, cause)
    await notice_rows.save_deferral(unit, account.account_id, invoice_id, step, cause, until, waits_for)
    if not known:
        unit.publish(
            StepDeferred(
                account_id=account.account_id,
                step=step,
                policy_version=one.version,
                invoice_ids=(invoice_id,),
                cause=waits_for,
                until=until,
            )
        )
