"""Access is ended on fresh facts only: invoicing is asked before a request, and again before the vendor is called."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Literal
from uuid import UUID

from services.collections.adapters import open_invoicing_facts
from services.collections.domain import account as domain_account
from services.collections.domain import guard as domain_guard
from services.collections.domain.bank_data import BankDataState, find_stale_bank_reason
from services.collections.domain.suspension import SuspensionState, is_suspension_still_due
from services.collections.repository import (
    fact_queries,
    guard_queries,
    notice_queries,
    policy_queries,
    reported_fact_queries,
    suspension_queries,
)
from services.collections.repository.fact_queries import DunningFacts
from services.collections.repository.guard_queries import WINDOW
from services.collections.repository.reported_fact_queries import ReportedInvoiceBalance
from services.collections.repository.suspension_queries import RecordedSuspensionCause, SuspensionRecord
from services.collections.use_cases import account_evaluation, suspensions
from services.collections.use_cases.account_evaluation import EvaluatedItem
from shared.contracts.invoice_balances import MOST_BALANCES, FreshInvoiceBalance, InvoiceBalancesQuestion
from shared.events.collections import WaitsFor
from shared.persistence.database import Unit
from shared.process.intents import Intent, Recorded
from shared.pure.errors import RetryLater
from shared.web.clients import Answered

if TYPE_CHECKING:
    from shared.process.runtime import Runtime

SuspensionVerdict = Literal["stands", "withdrawn", "wait"]


LOOK_AGAIN = timedelta(hours=1)
"""When a suspension that waits for the bank's data is looked at again."""


@dataclass(frozen=True, slots=True)
class FreshInvoicingFacts:
    """Answers of invoicing; `bank` is None where no version of the policy asks for it."""

    balances: Sequence[FreshInvoiceBalance]
    bank: BankDataState | None


async def fetch_invoicing_facts(runtime: "Runtime", intent: Intent) -> FreshInvoicingFacts:
    """Ask invoicing for the balances of an account's open items. Raises RetryLater when there is no answer."""
    invoice_ids, asks = await runtime.units.run(lambda unit: _list_questions(unit, intent.account_id))
    balances = await _fetch_balances(runtime, invoice_ids)
    return FreshInvoicingFacts(balances, await _fetch_bank_knowledge(runtime, intent.account_id) if asks else None)


async def _list_questions(unit: Unit, account_id: UUID) -> tuple[list[UUID], bool]:
    """The open invoices, and whether any version of the policy wants to know of the bank."""
    versions = await policy_queries.list_policy_versions(unit)
    asks = any(version.policy.bank_data_hours is not None for version in versions)
    return await fact_queries.list_open_invoice_ids(unit, account_id), asks


async def _fetch_bank_knowledge(runtime: "Runtime", account_id: UUID) -> BankDataState:
    try:
        knowledge = await open_invoicing_facts(runtime).fetch_bank_knowledge(account_id)
    except Answered as refused:
        raise RetryLater(str(refused)) from refused
    return BankDataState(knowledge.known_until, len(knowledge.entries_in_question))


async def _fetch_balances(runtime: "Runtime", invoice_ids: list[UUID]) -> list[FreshInvoiceBalance]:
    """Ask for all of them, no more at once than invoicing answers; each balance says how fresh it is itself."""
    facts, balances = open_invoicing_facts(runtime), list[FreshInvoiceBalance]()
    for begin in range(0, len(invoice_ids), MOST_BALANCES):
        question = InvoiceBalancesQuestion(invoice_ids=invoice_ids[begin : begin + MOST_BALANCES])
        try:
            balances += (await facts.fetch_invoice_balances(question)).balances
        except Answered as refused:
            raise RetryLater(str(refused)) from refused
    return balances


async def save_fetched_balances(unit: Unit, answers: Sequence[FreshInvoiceBalance]) -> None:
    """Keep what invoicing answered; its sequence decides against what events say."""
    balances = [_build_balance(answer) for answer in answers]
    if balances:
        await reported_fact_queries.save_invoice_balances(unit, balances)


def _build_balance(answer: FreshInvoiceBalance) -> ReportedInvoiceBalance:
    return ReportedInvoiceBalance(
        answer.invoice_id,
        answer.account_id,
        answer.number,
        answer.currency,
        answer.due_date,
        answer.sequence,
        answer.changed_at,
        sum(line.open_minor for line in answer.lines),
        reported_fact_queries.render_balance_lines(answer.lines),
        None,
    )


async def request_due_suspensions(unit: Unit, intent: Intent, fresh: FreshInvoicingFacts) -> Recorded:
    """With fresh balances: judge again, and request what is still due and what bank data and guard allow."""
    await save_fetched_balances(unit, fresh.balances)
    asked: dict[UUID, datetime | None] = {}
    for account in (await fact_queries.load_account_facts(unit, [intent.account_id])).values():
        items = {result.item.invoice_id: result for result in await account_evaluation.evaluate_account(unit, account)}
        due = domain_account.group_suspensions(result.evaluation for result in items.values())
        delay = await _find_common_delay(unit, due, items, fresh.bank)
        for suspension in due:
            if delay is None:
                await _request(unit, account, suspension, items)
                continue
            for result in (items[invoice_id] for invoice_id, _ in suspension.causes):
                asked[result.item.invoice_id] = delay.again
                await account_evaluation.announce_step_deferral(
                    unit, account, result, suspension.step, delay.cause, delay.again, waits_for=delay.waits_for
                )
    await account_evaluation.apply_account_facts(unit, [intent.account_id], asked=asked)
    return Recorded.DONE


@dataclass(frozen=True, slots=True)
class _Delay:
    """Why suspensions that are due wait, and when to look again."""

    cause: str
    again: datetime | None
    waits_for: WaitsFor


async def _find_common_delay(
    unit: Unit,
    due: Sequence[domain_account.DueSuspension],
    items: Mapping[UUID, EvaluatedItem],
    bank: BankDataState | None,
) -> _Delay | None:
    """Find what these suspensions wait for. They go out together or not at all: the strictest version counts."""
    numbers = {items[id_].version for suspension in due for id_, _ in suspension.causes}
    if cause := await _find_bank_delay(unit, numbers, bank):
        return _Delay(cause, unit.now + LOOK_AGAIN, "bank_data")
    verdict, again = await _ask_guard(unit, due)
    return None if verdict.allowed else _Delay(verdict.reason or "", again, "guard")


async def _find_bank_delay(unit: Unit, numbers: Collection[int], bank: BankDataState | None) -> str | None:
    """Find what these versions of the policy make a suspension wait for, if anything.

    A version that was published since invoicing was asked is not asked for here: the next check does.
    """
    versions = await policy_queries.list_policy_versions(unit)
    hours = [version.policy.bank_data_hours for version in versions if version.number in numbers]
    strictest = min((limit for limit in hours if limit is not None), default=None)
    return None if strictest is None or bank is None else find_stale_bank_reason(bank, strictest, unit.now)


async def _ask_guard(
    unit: Unit, due: Sequence[domain_account.DueSuspension]
) -> tuple[domain_guard.SuspensionGuardVerdict, datetime | None]:
    """The guard's verdict on all of these suspensions, and when its window will have room again.

    They go out together or not at all: once one of an invoice is requested, its step is taken and does not
    come again for the others.
    """
    state = await guard_queries.lock_guard(unit)
    if (limits := state.limits) is None:
        return domain_guard.SuspensionGuardVerdict(False, "there is no policy"), None
    verdicts = (
        domain_guard.check_suspension_limits(
            requested_in_last_hour=state.requested + before,
            active_accounts=state.accounts,
            limits=limits,
            stopped=state.stopped,
            approved=state.approved_until is not None and state.approved_until > unit.now,
        )
        for before in range(len(due))
    )
    again = state.oldest + WINDOW if state.oldest and not state.stopped else None
    return next(
        (verdict for verdict in verdicts if not verdict.allowed), domain_guard.SuspensionGuardVerdict(True)
    ), again


async def _request(
    unit: Unit, account: DunningFacts, due: domain_account.DueSuspension, items: dict[UUID, EvaluatedItem]
) -> None:
    causes = [
        RecordedSuspensionCause(
            id_, items[id_].item.number, items[id_].evaluation.round, amount, items[id_].item.currency
        )
        for id_, amount in due.causes
    ]
    version = items[due.causes[0][0]].version
    await suspensions.request_suspension(unit, account, due.subscription_id, due.step, version, causes)
    await notice_queries.end_step_deferrals(unit, [cause.invoice_id for cause in causes])


async def confirm_suspension(runtime: "Runtime", suspension_id: UUID) -> tuple[SuspensionVerdict, str]:
    """Whether a suspension still stands, by fresh facts: asked directly before the vendor is called.

    Raises NotFound. Without an answer of invoicing the verdict is to wait.
    """
    suspension = await runtime.units.run(lambda unit: suspension_queries.get_suspension(unit, suspension_id))
    if suspension.state is not SuspensionState.REQUESTED:
        return _verdict_of_state(suspension.state)
    try:
        fresh = await _fetch_facts_of(runtime, suspension)
    except RetryLater as error:
        return "wait", f"invoicing gives no answer: {error}"
    return await runtime.units.run(lambda unit: _confirm(unit, suspension_id, fresh))


async def _fetch_facts_of(runtime: "Runtime", suspension: SuspensionRecord) -> FreshInvoicingFacts:
    balances = await _fetch_balances(runtime, list(suspension.causes))
    _, asks = await runtime.units.run(lambda unit: _list_questions(unit, suspension.account_id))
    return FreshInvoicingFacts(balances, await _fetch_bank_knowledge(runtime, suspension.account_id) if asks else None)


def _verdict_of_state(state: SuspensionState) -> tuple[SuspensionVerdict, str]:
    stands_already = state is SuspensionState.EFFECTIVE
    return ("stands" if stands_already else "withdrawn"), f"the suspension is {state}"


async def _confirm(unit: Unit, suspension_id: UUID, fresh: FreshInvoicingFacts) -> tuple[SuspensionVerdict, str]:
    unlocked = await suspension_queries.get_suspension(unit, suspension_id)
    await unit.lock_subjects(unlocked.account_id)
    await save_fetched_balances(unit, fresh.balances)
    await account_evaluation.apply_account_facts(unit, [unlocked.account_id])
    suspension = await suspension_queries.get_suspension(unit, suspension_id)
    if suspension.state is not SuspensionState.REQUESTED:
        return _verdict_of_state(suspension.state)
    account = (await fact_queries.load_account_facts(unit, [suspension.account_id]))[suspension.account_id]
    if cause := await _find_delay(unit, account, suspension, fresh.bank):
        return "wait", cause
    items = {item.invoice_id: item for item in account.items}
    terms = account_evaluation.map_suspension_terms(await policy_queries.list_policy_versions(unit), account)
    if is_suspension_still_due(frozenset(suspension.causes), suspension.subscription_id, items, terms, unit.now):
        return "stands", "its causes are dunnable by fresh balances"
    return "wait", "its causes are not known well enough"


async def _find_delay(
    unit: Unit, account: DunningFacts, suspension: SuspensionRecord, bank: BankDataState | None
) -> str | None:
    """Find what a requested suspension waits for, and note it with its invoices; what they waited for before is over.

    The stop of all suspensions comes before the bank's data.
    """
    results = [
        result
        for result in await account_evaluation.evaluate_account(unit, account)
        if result.item.invoice_id in suspension.causes
    ]
    waits_for: WaitsFor = "guard"
    cause, until = domain_guard.ALL_STOPPED if (await guard_queries.get_guard_state(unit)).stopped else None, None
    if cause is None:
        waits_for, until = "bank_data", unit.now + LOOK_AGAIN
        cause = await _find_bank_delay(unit, {result.version for result in results}, bank)
    if cause is None:
        await notice_queries.end_step_deferrals(unit, list(suspension.causes))
        return None
    for result in results:
        await account_evaluation.announce_step_deferral(
            unit, account, result, suspension.step, cause, until, waits_for=waits_for
        )
    return cause
