"""Documents are drawn up: facts, and who they are from and to, which never changes once they were drawn up."""

from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import asyncpg

from services.invoicing.accounts.domain.document_parties import DocumentParties
from services.invoicing.accounts.repository import account_queries, document_party_queries
from services.invoicing.adjustments.repository import credit_note_queries
from services.invoicing.documents.domain.account_statement import (
    AccountStatement,
    AccountStatementEntry,
    AccountStatementInCurrency,
    AccountStatementOpenInvoice,
    add_statement_running_balances,
)
from services.invoicing.documents.domain.paper import DocumentChargedPeriod, DocumentContent, DocumentLine
from services.invoicing.documents.repository import document_queries, statement_queries
from services.invoicing.ledger.domain import CreditNoteLineShare
from services.invoicing.receivables.repository import invoice_queries
from shared.persistence.database import Unit
from shared.pure.calendar import get_local_date
from shared.pure.errors import Refusal


class DocumentSellerUnknown(Refusal):
    """Nothing is known of the legal entity that a document would be from."""

    code = "seller_unknown"


class InvoiceNotIssued(Refusal):
    """The invoice is a draft of a bill run, and no document."""

    code = "not_issued"


class AccountStatementDatesRefused(Refusal):
    """A statement does not end before it begins."""

    code = "dates_refused"
    status = 422


async def build_invoice_document(unit: Unit, invoice_id: UUID, at: datetime | None = None) -> DocumentContent:
    """An invoice, with what was settled of it by an instant (now).

    Raises NotFound, InvoiceNotIssued, DocumentSellerUnknown.
    """
    if await document_queries.is_invoice_draft(unit, invoice_id):
        raise InvoiceNotIssued(f"invoice {invoice_id} is a draft")
    row = await invoice_queries.get_invoice(unit, invoice_id)
    named = await _parties(unit, row.id, row.account_id, row.legal_entity, row.issued_at)
    recorded_on = get_local_date(row.issued_at, ZoneInfo(named.buyer.time_zone))
    paid, credited = await document_queries.sum_settled_of_invoice(unit, row.id, row.account_id, at or unit.now)
    return DocumentContent(
        kind="invoice",
        number=row.number,
        credited_invoice=None,
        currency=row.currency,
        issued_on=row.issue_date,
        due_on=row.due_date,
        terms_days=(row.due_date - row.issue_date).days,
        lines=await document_queries.list_document_lines(unit, row.id),
        paid=paid,
        credited=credited,
        parties=named,
        policy_version=await document_queries.find_policy_version_on(unit, recorded_on),
        tax_note=row.tax_note,
    )


async def build_credit_note_document(unit: Unit, credit_note_id: UUID) -> DocumentContent:
    """A credit note. Raises NotFound, DocumentSellerUnknown."""
    row = await credit_note_queries.get_credit_note(unit, credit_note_id)
    named = await _parties(unit, row.id, row.account_id, row.legal_entity, row.issued_at)
    return DocumentContent(
        kind="credit_note",
        number=row.number,
        credited_invoice=(await invoice_queries.get_invoice(unit, row.invoice_id)).number,
        currency=row.currency,
        issued_on=get_local_date(row.issued_at, ZoneInfo(named.buyer.time_zone)),
        due_on=None,
        terms_days=0,
        lines=tuple(_build_credited_line(line) for line in await document_queries.list_credited_lines(unit, row.id)),
        paid=0,
        credited=0,
        parties=named,
        policy_version=None,
        reason_code=row.reason_code,
    )


def _build_credited_line(row: asyncpg.Record) -> DocumentLine:
    share = CreditNoteLineShare(row["amount_minor"], row["credited_before"], row["line_amount"], row["line_tax"])
    begin, end = row["period_from"], row["period_to"]
    charged = (
        DocumentChargedPeriod(row["kind"], row["product"], begin, end, 0, 0, 0, None, row["meter"])
        if row["kind"]
        else None
    )
    return DocumentLine(
        row["line"],
        row["description"],
        share.amount - share.tax_minor,
        share.tax_minor,
        row["tax_rate_bp"],
        charged,
        row["lacks_rate"],
    )


async def _parties(
    unit: Unit, document_id: UUID, account_id: UUID, legal_entity: str, issued_at: datetime
) -> DocumentParties:
    stored_parties = await document_party_queries.find_document_parties(unit, document_id)
    if stored_parties is not None:
        return stored_parties
    return await document_party_queries.save_document_parties(
        unit, document_id, account_id, await _at(unit, account_id, legal_entity, issued_at)
    )


async def _at(unit: Unit, account_id: UUID, legal_entity: str, at: datetime) -> DocumentParties:
    seller = await document_party_queries.find_document_seller(unit, legal_entity, at)
    if seller is None:
        raise DocumentSellerUnknown(f"nothing is known of the legal entity {legal_entity}")
    return DocumentParties(seller, await document_party_queries.get_document_buyer(unit, account_id, at))


async def build_account_statement_document(
    unit: Unit, account_id: UUID, begin: date, end: date
) -> tuple[AccountStatement, DocumentParties]:
    """A statement and who it is from and to. Raises NotFound, AccountStatementDatesRefused, DocumentSellerUnknown."""
    account = await account_queries.get_account(unit, account_id)
    named = await _at(unit, account.id, account.legal_entity, unit.now)
    return await build_account_statement(unit, account_id, begin, end), named


async def build_account_statement(unit: Unit, account_id: UUID, begin: date, end: date) -> AccountStatement:
    """Build the statement from one local day to another, both included.

    Raises NotFound, AccountStatementDatesRefused.
    """
    if end < begin:
        raise AccountStatementDatesRefused(f"to: {end} is before {begin}")
    account = await account_queries.get_account(unit, account_id)
    zone = ZoneInfo(account.time_zone)
    since, until = (datetime(day.year, day.month, day.day, tzinfo=zone) for day in (begin, end + timedelta(days=1)))
    opening = await statement_queries.sum_statement_opening_balances(unit, account_id, since)
    entries = [
        _entry(row, zone)
        for row in await statement_queries.list_statement_ledger_entries(unit, account_id, since, until)
    ]
    items = [_item(row) for row in await statement_queries.list_open_statement_invoices(unit, account_id, until)]
    unapplied = await statement_queries.sum_statement_unapplied_cash(unit, account_id, until)
    return AccountStatement(
        begin,
        end,
        tuple(
            AccountStatementInCurrency(
                currency,
                opening.get(currency, 0),
                add_statement_running_balances(
                    opening.get(currency, 0), [entry for entry in entries if entry.currency == currency]
                ),
                unapplied.get(currency, 0),
                tuple(item for item in items if item.currency == currency),
            )
            for currency in sorted({*opening, *(entry.currency for entry in entries)})
        ),
    )


def _entry(row: asyncpg.Record, zone: ZoneInfo) -> AccountStatementEntry:
    return AccountStatementEntry(
        get_local_date(row["posted_at"], zone), row["kind"], row["reference"], row["currency"], row["amount"]
    )


def _item(row: asyncpg.Record) -> AccountStatementOpenInvoice:
    return AccountStatementOpenInvoice(*row)


async def record_policy_version(unit: Unit, version: int, effective_date: date) -> None:
    """The collection policy has a version that applies to invoices from a day on."""
    await document_queries.save_policy_version(unit, version, effective_date)
