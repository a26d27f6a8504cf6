"""Service credits are matched: what the vendor credits with what was asked for, and what the customer gets of it."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from services.escalation.adapters import open_invoicing_records
from services.escalation.domain.service_credits import ServiceCreditState
from services.escalation.domain.state_moves import StateMoveRefused
from services.escalation.repository import service_credit_queries
from services.escalation.tables import ServiceCreditRow, VendorCreditRow
from services.escalation.use_cases.invoicing_answers import translate_invoicing_errors
from services.escalation.use_cases.service_credits import lock_service_credit, save_service_credit, write_credit_entry
from shared.events.invoicing import VendorCreditReceived
from shared.persistence.audit import AuditedChange
from shared.persistence.database import Unit
from shared.pure.errors import Refusal, Unavailable

if TYPE_CHECKING:
    from shared.process.runtime import Runtime


class CreditCurrencyDiffers(Refusal):
    """Amounts of two currencies are not compared."""

    code = "other_currency"


class CreditOfOtherCustomer(Refusal):
    """The credit note is another customer's."""

    code = "other_customer"


class VendorCreditAlreadyMatched(Refusal):
    """The vendor's credit answers another request already."""

    code = "already_matched"


class VendorCreditSetAside(Refusal):
    """Somebody said that no customer gets the vendor's credit."""

    code = "set_aside"


class CreditNoteUnavailable(Unavailable):
    """Invoicing does not say now what the customer was credited."""

    code = "credit_note_unavailable"


class CreditPassedOnBefore(Refusal):
    """Another credit note passes it on; `replace` puts this one in its place."""

    code = "passed_on_before"


@dataclass(frozen=True, slots=True)
class CustomerCreditNote:
    """A credit note of a customer; minor units, with tax."""

    id: UUID
    number: str
    account_id: UUID
    currency: str
    total_minor: int


async def match_vendor_credit(unit: Unit, service_credit_id: UUID, difference_id: UUID, actor: str) -> ServiceCreditRow:
    """Match a credit of a vendor invoice with the request that it answers.

    Raises NotFound, StateMoveRefused, CreditCurrencyDiffers, VendorCreditAlreadyMatched, VendorCreditSetAside.
    """
    row, before = await lock_service_credit(unit, service_credit_id)
    if row.state not in (ServiceCreditState.REQUESTED, ServiceCreditState.GRANTED):
        raise StateMoveRefused(f"what is {row.state} has no credit of the vendor's")
    credit = await service_credit_queries.get_vendor_credit(unit, difference_id)
    _check_match(row, credit)
    credit.service_credit_id = row.id
    await service_credit_queries.save_vendor_credit(unit, credit)
    await write_credit_entry(
        unit, row, actor, "", {"vendor_credit": str(difference_id), "amount_minor": credit.amount_minor}
    )
    return await save_service_credit(unit, row, before)


def _check_match(row: ServiceCreditRow, credit: VendorCreditRow) -> None:
    if credit.service_credit_id not in (None, row.id):
        raise VendorCreditAlreadyMatched(f"it answers the service credit {credit.service_credit_id}")
    if credit.set_aside_at is not None:
        raise VendorCreditSetAside("no customer gets it; take it back first")
    if credit.currency != row.currency:
        raise CreditCurrencyDiffers(f"the vendor credits {credit.currency}, and {row.currency} was asked for")


async def set_aside_vendor_credit(unit: Unit, difference_id: UUID, actor: str, reason: str) -> VendorCreditRow:
    """Say why no customer gets a credit of the vendor's.

    Raises NotFound, VendorCreditAlreadyMatched, VendorCreditSetAside.
    """
    credit = await service_credit_queries.get_vendor_credit(unit, difference_id)
    if credit.service_credit_id is not None:
        raise VendorCreditAlreadyMatched(f"it answers the service credit {credit.service_credit_id}")
    if credit.set_aside_at is not None:
        raise VendorCreditSetAside("it is set aside already")
    return await _save_credit(unit, credit, (actor, unit.now, reason))


async def restore_vendor_credit(unit: Unit, difference_id: UUID) -> VendorCreditRow:
    """Put a credit of the vendor's back onto the work list. Raises NotFound, StateMoveRefused."""
    credit = await service_credit_queries.get_vendor_credit(unit, difference_id)
    if credit.set_aside_at is None:
        raise StateMoveRefused("it is not set aside")
    return await _save_credit(unit, credit, (None, None, None))


async def _save_credit(
    unit: Unit, credit: VendorCreditRow, aside: tuple[str | None, datetime | None, str | None]
) -> VendorCreditRow:
    before = credit.model_dump(mode="json")
    credit.set_aside_by, credit.set_aside_at, credit.set_aside_reason = aside
    await service_credit_queries.save_vendor_credit(unit, credit)
    unit.record(AuditedChange("vendor_credit", credit.difference_id, None, before, credit.model_dump(mode="json")))
    return credit


async def fetch_customer_credit_note(runtime: "Runtime", credit_note_id: UUID) -> CustomerCreditNote:
    """Ask invoicing what the customer was credited; in no transaction. Raises NotFound, CreditNoteUnavailable."""
    with translate_invoicing_errors(CreditNoteUnavailable, f"there is no credit note {credit_note_id}"):
        note = await open_invoicing_records(runtime).fetch_credited_total(credit_note_id)
    return CustomerCreditNote(credit_note_id, note.number, note.account_id, note.currency, note.total_minor)


async def record_credit_passed_on(
    unit: Unit, service_credit_id: UUID, note: CustomerCreditNote, actor: str, *, replaces: bool
) -> ServiceCreditRow:
    """Record by which credit note the customer gets the credit; another one is replaced only if somebody says so.

    Raises NotFound, StateMoveRefused, CreditCurrencyDiffers, CreditOfOtherCustomer, CreditPassedOnBefore.
    """
    row, before = await lock_service_credit(unit, service_credit_id)
    if row.state in (ServiceCreditState.LAPSED, ServiceCreditState.WITHDRAWN):
        raise StateMoveRefused(f"what is {row.state} is not passed on")
    if note.account_id != row.account_id:
        raise CreditOfOtherCustomer("credit_note_id: it is another account's")
    if note.currency != row.currency:
        raise CreditCurrencyDiffers(f"the credit note is in {note.currency}, and {row.currency} was asked for")
    if row.credit_note_id not in (None, note.id) and not replaces:
        raise CreditPassedOnBefore(
            f"it was passed on by {row.credit_note_number}: say `replace` if {note.number} is the right one",
            credit_note_id=str(row.credit_note_id),
        )
    row.credit_note_id, row.credit_note_number, row.credited_minor = note.id, note.number, note.total_minor
    await write_credit_entry(unit, row, actor, "", {"credit_note": note.number})
    return await save_service_credit(unit, row, before)


async def record_vendor_credits(unit: Unit, event: VendorCreditReceived) -> None:
    """Keep the credits of a vendor invoice until somebody matches them."""
    credits = [
        (credit.difference_id, credit.vendor_customer_id, credit.vendor_subscription_id, credit.amount_minor)
        for credit in event.credits
    ]
    await service_credit_queries.save_vendor_credits(
        unit, event.vendor_invoice_id, event.reconciliation_id, event.currency, credits
    )
