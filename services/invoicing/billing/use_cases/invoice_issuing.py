"""Invoices by hand are issued, with the tax that is included in their amounts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID
from zoneinfo import ZoneInfo

from services.invoicing.accounts.repository import account_queries, legal_entity_queries
from services.invoicing.accounts.repository.account_queries import LockedAccount
from services.invoicing.accounts.use_cases.account_registration import ExternalReferenceTaken
from services.invoicing.billing.domain.charge_dates import compute_invoice_due_date
from services.invoicing.billing.domain.included_tax import extract_included_taxes
from services.invoicing.billing.domain.tax_by_rate import RatedAmount
from services.invoicing.catalog.repository import tax_rate_queries
from services.invoicing.deliveries import repository as deliveries_repository
from services.invoicing.ledger import domain as ledger_domain
from services.invoicing.ledger.repository import ledger_queries
from services.invoicing.ledger.repository.ledger_queries import LedgerDocument
from services.invoicing.payments.use_cases.payment_recording import apply_unapplied_cash
from services.invoicing.receivables.domain import overdue_rules
from services.invoicing.receivables.domain.invoice_balances import Invoice, InvoiceLine
from services.invoicing.receivables.repository import invoice_queries, number_queries
from services.invoicing.receivables.repository.invoice_queries import ManualInvoiceLine
from services.invoicing.receivables.tables import InvoiceRow
from services.invoicing.receivables.use_cases import balance_updates
from services.invoicing.revenue.repository import release_queries
from services.invoicing.subscriptions.repository import subscription_queries
from shared.persistence.audit import AuditedChange
from shared.persistence.database import Unit
from shared.pure.calendar import get_local_date
from shared.pure.errors import Refusal
from shared.pure.ids import new_id
from shared.pure.money import CurrencyMismatch, Money


class InvoiceDateRefused(Refusal):
    """An invoice is neither issued in the future nor due before it is issued."""

    code = "date_refused"
    status = 422


class IssueMonthClosed(Refusal):
    """The issue date is in a month of the ledger that is closed."""

    code = "month_closed"


class ForeignSubscriptionLine(Refusal):
    """A line names a subscription of another account, or one that does not exist."""

    code = "unknown_subscription"
    status = 422


@dataclass(frozen=True, slots=True)
class NewInvoiceLine:
    """A line to be issued; the tax of its class is included in the amount."""

    description: str
    amount: Money
    subscription_id: UUID | None
    tax_class: str


@dataclass(frozen=True, slots=True)
class NewInvoice:
    """An invoice to issue. Without dates: issued today in the account's zone, due the account's terms later."""

    account_id: UUID
    lines: Sequence[NewInvoiceLine]
    external_reference: str | None
    issue_date: date | None
    due_date: date | None


async def issue_invoice_by_hand(unit: Unit, new: NewInvoice) -> InvoiceRow:
    """Issue an invoice with the next number of its legal entity. It never changes afterwards.

    Raises NotFound, ExternalReferenceTaken, InvoiceDateRefused, IssueMonthClosed, ForeignSubscriptionLine,
    CurrencyMismatch, TaxedByOutsideCalculator, UnknownTaxClass.
    """
    account = await account_queries.lock_account(unit, new.account_id)
    if new.external_reference and await invoice_queries.is_invoice_reference_taken(
        unit, account.id, new.external_reference
    ):
        raise ExternalReferenceTaken(f"the account has an invoice with the external reference {new.external_reference}")
    await _check_lines(unit, account, new.lines)
    today = get_local_date(unit.now, ZoneInfo(account.time_zone))
    issue_date, due_date = _dates(account, new, today)
    if issue_date < today.replace(day=1):
        await _check_month(unit, account.legal_entity, issue_date)
    taxed_lines = await _tax_lines(unit, account, new.lines, issue_date)
    number = await number_queries.take_next_document_number(unit, account.legal_entity, "invoice")
    row = InvoiceRow(
        id=new_id(),
        account_id=account.id,
        legal_entity=account.legal_entity,
        number=number,
        external_reference=new.external_reference,
        currency=account.currency,
        issue_date=issue_date,
        due_date=due_date,
        total_minor=sum(line.amount.minor for line in new.lines),
        issued_at=unit.now,
    )
    await _record(unit, account, row, taxed_lines)
    unit.record(AuditedChange("invoice", row.id, account.id))
    return row


def _dates(account: LockedAccount, new: NewInvoice, today: date) -> tuple[date, date]:
    issue_date = new.issue_date or today
    due_date = new.due_date or compute_invoice_due_date(today, account.terms_days)
    if issue_date > today:
        raise InvoiceDateRefused(f"issue_date: {issue_date} is in the future; it is {today} in {account.time_zone}")
    if due_date < issue_date:
        raise InvoiceDateRefused(f"due_date: {due_date} is before the issue date {issue_date}")
    return issue_date, due_date


async def _check_month(unit: Unit, legal_entity: str, issue_date: date) -> None:
    """Keep the month of a past date open until the invoice is posted into it. Raises IssueMonthClosed."""
    await legal_entity_queries.keep_entity_months_open(unit, legal_entity)
    if await release_queries.is_ledger_month_closed(unit, legal_entity, issue_date):
        raise IssueMonthClosed(f"issue_date: {issue_date:%Y-%m} is closed for {legal_entity}")


async def _check_lines(unit: Unit, account: LockedAccount, lines: Sequence[NewInvoiceLine]) -> None:
    for line in lines:
        if line.amount.currency != account.currency:
            raise CurrencyMismatch(f"the account is billed in {account.currency}, not in {line.amount.currency}")
    named = {line.subscription_id for line in lines if line.subscription_id}
    theirs = (
        {subscription.id for subscription in await subscription_queries.list_account_subscriptions(unit, account.id)}
        if named
        else set()
    )
    if missing := named - theirs:
        raise ForeignSubscriptionLine(f"the account has no subscription {min(missing)}")


async def _tax_lines(
    unit: Unit, account: LockedAccount, lines: Sequence[NewInvoiceLine], issue_date: date
) -> list[ManualInvoiceLine]:
    """Number the lines and take the tax out of each, by the rates of the issue date.

    Raises TaxedByOutsideCalculator, UnknownTaxClass.
    """
    await tax_rate_queries.check_tax_classes(unit, (line.tax_class for line in lines))
    rates = await tax_rate_queries.map_customer_tax_rates(
        unit, account.id, (line.tax_class for line in lines), issue_date
    )
    taxes = extract_included_taxes([RatedAmount(line.amount.minor, rates[line.tax_class]) for line in lines])
    return [
        ManualInvoiceLine(
            number,
            line.description,
            line.amount.minor,
            tax_minor,
            rates[line.tax_class],
            line.subscription_id,
            line.tax_class,
        )
        for number, (line, tax_minor) in enumerate(zip(lines, taxes, strict=True), 1)
    ]


async def _record(unit: Unit, account: LockedAccount, row: InvoiceRow, lines: Sequence[ManualInvoiceLine]) -> None:
    invoice = Invoice(
        row.id,
        account.id,
        row.number,
        row.currency,
        row.due_date,
        tuple(InvoiceLine(line.line, line.subscription_id, line.amount_minor) for line in lines),
    )
    issued = balance_updates.build_invoice_issued(invoice, row.issue_date, row.external_reference)
    judged = overdue_rules.schedule_invoice_overdue_check(invoice, unit.now, ZoneInfo(account.time_zone))
    sequence = unit.publish(issued)
    await invoice_queries.insert_issued_invoice(unit, row, judged, lines, sequence)
    document = LedgerDocument("invoice", row.id, sequence, row.issue_date)
    tax_minor = sum(line.tax_minor for line in lines)
    entries = ledger_domain.build_manual_invoice_entries(row.total_minor, tax_minor)
    await ledger_queries.post_ledger_entries(unit, account, document, entries)
    await deliveries_repository.enqueue_document_delivery(unit, "invoice", row.id, account.id, row.legal_entity)
    await apply_unapplied_cash(unit, [account])
