"""Events of others, applied: accounts, balances, overdue invoices, and suspensions that the vendor has carried out."""

from uuid import UUID

from services.collections.domain.account_changes import SuspensionMove
from services.collections.domain.account_decision import evaluate_account, settle_account
from services.collections.domain.notice_items import list_suspension_step_items, render_notice_items
from services.collections.domain.suspension import SuspensionState, move_suspension
from services.collections.repository import reported_fact_queries, suspension_queries
from services.collections.repository.reported_fact_queries import ReportedInvoiceBalance
from services.collections.use_cases import account_evaluation, notice_writing
from shared.base.kafka import MessageEnvelope
from shared.events.invoicing import (
    AccountRegistered,
    InvoiceBalance,
    InvoiceBalanceChanged,
    InvoiceIssued,
    InvoiceOverdue,
)
from shared.messaging.consumer import GroupedEvents
from shared.persistence.database import Unit

SUBSCRIPTION_ENDED = "the subscription has ended"
BalanceEvent = InvoiceIssued | InvoiceBalanceChanged | InvoiceOverdue


async def apply_balance_events(unit: Unit, heard: GroupedEvents) -> None:
    """Keep what was told of accounts and their invoices, and look at each account again, once."""
    balance_events = [(event, envelope) for event, envelope in heard.events if isinstance(event, BalanceEvent)]
    registered = {event.account_id: event for event, _ in heard.events if isinstance(event, AccountRegistered)}
    copies = [(event.account_id, event.legal_entity, event.time_zone) for event in registered.values()]
    await reported_fact_queries.save_account_copies(unit, copies)
    await reported_fact_queries.save_invoice_balances(
        unit, [_build_balance(event.account_id, event.balance, envelope) for event, envelope in balance_events]
    )
    await reported_fact_queries.save_overdue_judgements(
        unit,
        [
            (event.balance.invoice_id, envelope.sequence, event.account_id, event.evaluated_at, envelope.id)
            for event, envelope in balance_events
            if isinstance(event, InvoiceOverdue)
        ],
    )
    accounts, context = await account_evaluation.load_accounts_to_evaluate(unit, [UUID(id_) for id_ in heard.last])
    decisions = [evaluate_account(account, context) for account in accounts]
    await account_evaluation.save_account_decisions(unit, decisions)
    for decision in decisions:
        with heard.attribute_to_event(unit, decision.account.account_id):
            account_evaluation.publish_decision_events(unit, decision)


def _build_balance(account_id: UUID, balance: InvoiceBalance, envelope: MessageEnvelope) -> ReportedInvoiceBalance:
    return ReportedInvoiceBalance(
        balance.invoice_id,
        account_id,
        balance.number,
        balance.currency,
        balance.due_date,
        envelope.sequence,
        envelope.time,
        sum(line.open_minor for line in balance.lines),
        reported_fact_queries.render_balance_lines(balance.lines),
        envelope.id,
    )


async def record_suspension_effective(unit: Unit, account_id: UUID, suspension_id: UUID, vendor_bills_on: bool) -> None:
    """The vendor has switched access off: the customer is told. An answer that comes too late changes nothing."""
    suspension = await suspension_queries.get_suspension(unit, suspension_id)
    if suspension.state is not SuspensionState.REQUESTED:
        return
    state = move_suspension(suspension.state, SuspensionState.EFFECTIVE)
    draft = await account_evaluation.load_account_draft(unit, account_id)
    draft.apply(SuspensionMove(suspension_id, state, unit.now))
    outlooks = {
        result.item.invoice_id: result.assess_outlook(draft.account.suspended_subscriptions)
        for result in draft.evaluate_items()
        if result.item.invoice_id in suspension.causes
    }
    items = render_notice_items(list_suspension_step_items(suspension), outlooks)
    await notice_writing.create_access_notice(unit, account_id, "suspended", suspension.subscription_id, items)
    await suspension_queries.save_vendor_bills_on(unit, suspension_id, vendor_bills_on)
    settle_account(draft)
    await account_evaluation.apply_account_decisions(unit, [draft.finish()])


async def record_access_reinstated(unit: Unit, account_id: UUID, suspension_id: UUID) -> None:
    """Access is back: the customer is told."""
    suspension = await suspension_queries.get_suspension(unit, suspension_id)
    if suspension.state is not SuspensionState.ENDING:
        return
    state = move_suspension(suspension.state, SuspensionState.ENDED)
    await suspension_queries.save_suspension_moves(unit, [SuspensionMove(suspension_id, state, unit.now)])
    await notice_writing.create_access_notice(unit, account_id, "restored", suspension.subscription_id)


async def record_vendor_refusal(unit: Unit, suspension_id: UUID, code: str) -> None:
    """Note that a suspension was refused for good, which `standing` shows."""
    await suspension_queries.save_vendor_refusal(unit, suspension_id, code)


async def end_subscription_suspensions(unit: Unit, account_id: UUID, subscription_id: UUID) -> None:
    """End the suspensions of a subscription that is gone: access does not come back, so nobody is informed of it."""
    suspensions = await suspension_queries.list_suspensions_at_vendor(unit, subscription_id)
    moves = [
        SuspensionMove(
            suspension.id, move_suspension(suspension.state, SuspensionState.ENDED), unit.now, SUBSCRIPTION_ENDED
        )
        for suspension in suspensions
    ]
    await suspension_queries.save_suspension_moves(unit, moves)
    if not unit.is_past:
        await account_evaluation.reevaluate_account(unit, account_id)
