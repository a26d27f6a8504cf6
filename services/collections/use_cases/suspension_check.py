"""Access is ended on fresh facts only: invoicing is asked before a request, and again before the vendor is called."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Literal
from uuid import UUID

from services.collections.adapters import open_invoicing_facts
from services.collections.domain import guard as domain_guard
from services.collections.domain.account import DueSuspension
from services.collections.domain.account_decision import settle_account
from services.collections.domain.account_draft import AccountDraft
from services.collections.domain.bank_data import BankDataState, find_stale_bank_reason
from services.collections.domain.deferral_decision import announce_step_deferral, end_step_deferrals
from services.collections.domain.due_step_decision import (
    SuspensionDelay,
    evaluate_due_suspensions,
    list_due_suspensions,
)
from services.collections.domain.dunning_account import AnnouncedDeferral
from services.collections.domain.evaluated_item import EvaluatedItem, evaluate_items, map_suspension_terms
from services.collections.domain.suspension import SuspensionState, is_suspension_still_due
from services.collections.domain.suspension_record import SuspensionRecord
from services.collections.repository import (
    fact_queries,
    guard_queries,
    policy_queries,
    reported_fact_queries,
    suspension_queries,
)
from services.collections.repository.guard_queries import WINDOW
from services.collections.repository.reported_fact_queries import ReportedInvoiceBalance
from services.collections.use_cases import account_evaluation
from shared.contracts.invoice_balances import MOST_BALANCES, FreshInvoiceBalance, InvoiceBalancesQuestion
from shared.persistence.database import Unit
from shared.process.intents import Intent, RecordingOutcome
from shared.pure.errors import RetryLater
from shared.web.clients import RefusedByService

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
    except RefusedByService as refused:
        raise RetryLater(str(refused)) from refused
    return BankDataState(knowledge.known_until, len(knowledge.undecided_entries))


async def _fetch_balances(runtime: "Runtime", invoice_ids: list[UUID]) -> list[FreshInvoiceBalance]:
    """Ask for all of them, no more at once than invoicing answers; each balance says how fresh it is itself."""
    facts, balances = open_invoicing_facts(runtime), list[FreshInvoiceBalance]()
    for begin in range(0, len(invoice_ids), MOST_BALANCES):
        question = InvoiceBalancesQuestion(invoice_ids=invoice_ids[begin : begin + MOST_BALANCES])
        try:
            balances += (await facts.fetch_invoice_balances(question)).balances
        except RefusedByService as refused:
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


async def request_due_suspensions(unit: Unit, intent: Intent, fresh: FreshInvoicingFacts) -> RecordingOutcome:
    """With fresh balances: evaluate again, and request what is still due and what bank data and guard allow."""
    await save_fetched_balances(unit, fresh.balances)
    accounts, context = await account_evaluation.load_accounts_to_evaluate(unit, [intent.account_id])
    decisions = []
    for account in accounts:
        items = evaluate_items(context.versions, account, unit.now)
        delay = await _find_common_delay(unit, list_due_suspensions(items), items, fresh.bank)
        decisions.append(evaluate_due_suspensions(account, context, delay))
    await account_evaluation.apply_account_decisions(unit, decisions)
    return RecordingOutcome.DONE


async def _find_common_delay(
    unit: Unit,
    due: Sequence[DueSuspension],
    items: Sequence[EvaluatedItem],
    bank: BankDataState | None,
) -> SuspensionDelay | None:
    """Find what these suspensions wait for. They go out together or not at all: the strictest version counts."""
    causes = {invoice_id for suspension in due for invoice_id, _ in suspension.causes}
    if delay := _find_bank_delay([result for result in items if result.item.invoice_id in causes], bank, unit.now):
        return delay
    verdict, again = await _ask_guard(unit, due)
    return None if verdict.allowed else SuspensionDelay(verdict.reason or "", again, "guard")


def _find_bank_delay(
    causes: Sequence[EvaluatedItem], bank: BankDataState | None, now: datetime
) -> SuspensionDelay | None:
    """Find what the bank's data make a suspension wait for, by the policies of its causes, if anything.

    A version that was published since invoicing was asked is not asked for here: the next check does.
    """
    hours = (result.policy.bank_data_hours for result in causes)
    strictest = min((limit for limit in hours if limit is not None), default=None)
    if strictest is None or bank is None:
        return None
    reason = find_stale_bank_reason(bank, strictest, now)
    return SuspensionDelay(reason, now + LOOK_AGAIN, "bank_data") if reason else None


async def _ask_guard(
    unit: Unit, due: Sequence[DueSuspension]
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
    account_id = (await suspension_queries.get_suspension(unit, suspension_id)).account_id
    await unit.lock_subjects(account_id)
    await save_fetched_balances(unit, fresh.balances)
    draft = await account_evaluation.load_account_draft(unit, account_id)
    settle_account(draft)
    verdict = await _decide_confirmation(unit, draft, suspension_id, fresh.bank)
    await account_evaluation.apply_account_decisions(unit, [draft.finish()])
    if verdict is None:
        return _verdict_of_state((await suspension_queries.get_suspension(unit, suspension_id)).state)
    return verdict


async def _decide_confirmation(
    unit: Unit, draft: AccountDraft, suspension_id: UUID, bank: BankDataState | None
) -> tuple[SuspensionVerdict, str] | None:
    """Decide whether a suspension stands that is requested; None if it is not, or not any more."""
    suspension = draft.account.find_suspension(suspension_id)
    if suspension is None or suspension.state is not SuspensionState.REQUESTED:
        return None
    if delay := await _note_delay(unit, draft, suspension, bank):
        return "wait", delay.cause
    items, terms = draft.account.items_by_invoice, map_suspension_terms(draft.context.versions, draft.account)
    if is_suspension_still_due(frozenset(suspension.causes), suspension.subscription_id, items, terms, unit.now):
        return "stands", "its causes are dunnable by fresh balances"
    return "wait", "its causes are not known well enough"


async def _note_delay(
    unit: Unit, draft: AccountDraft, suspension: SuspensionRecord, bank: BankDataState | None
) -> SuspensionDelay | None:
    """Find what a requested suspension waits for, and note it with its invoices; what they waited for before is over.

    The stop of all suspensions comes before the bank's data.
    """
    causes = [result for result in draft.evaluate_items() if result.item.invoice_id in suspension.causes]
    if (await guard_queries.get_suspension_guard_state(unit)).stopped:
        delay: SuspensionDelay | None = SuspensionDelay(domain_guard.ALL_STOPPED, None, "guard")
    else:
        delay = _find_bank_delay(causes, bank, unit.now)
    if delay is None:
        end_step_deferrals(draft, suspension.causes)
        return None
    for result in causes:
        deferral = AnnouncedDeferral(suspension.step, delay.cause, delay.again, delay.waits_for)
        announce_step_deferral(draft, result, deferral)
    return delay
