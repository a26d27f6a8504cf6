"""Invoicing, as escalation asks it and reserves amounts in it."""

from datetime import date
from uuid import UUID

from shared.contracts.account_time_zones import AccountTimeZone
from shared.contracts.contact_persons import ContactPersonPage, LetterAddressee, LetterContactPerson
from shared.contracts.credit_notes import CreditedTotal
from shared.contracts.dispute_reservations import (
    CreditAuthorisation,
    DisputeReservationAmendment,
    DisputeReservationRequest,
)
from shared.contracts.invoice_balances import DisputableBalance
from shared.contracts.issued_invoices import InvoiceIssueDate, InvoiceLineTotals
from shared.contracts.notice_facts import NoticeFacts, NoticeFactsIn
from shared.contracts.vendor_documents import ComparedVendorLine, ContestableDifference, ContestableVendorInvoice
from shared.web.clients import ServiceClient, parse_answer, serialize_request

MAX_PAGE = 200
"""Contact persons of one page."""


class InvoicingRecords:
    """Accounts, invoices, vendor documents and reservations in invoicing.

    Every call raises RetryLater, RefusedByService.
    """

    def __init__(self, client: ServiceClient) -> None:
        self._client = client

    async def fetch_account_zone(self, account_id: UUID) -> AccountTimeZone:
        """Ask for the time zone of an account."""
        answer = await self._client.get(f"/v1/accounts/{account_id}")
        return parse_answer(AccountTimeZone, answer)

    async def fetch_letter_facts(self, account_id: UUID, question: NoticeFactsIn) -> NoticeFacts:
        """Ask what a mail of a case states."""
        answer = await self._client.post(f"/v1/accounts/{account_id}/notice-facts", serialize_request(question))
        return parse_answer(NoticeFacts, answer)

    async def fetch_addressee(self, account_id: UUID, role: str) -> LetterAddressee:
        """Ask whom to write to of a role."""
        answer = await self._client.get(f"/v1/accounts/{account_id}/addressee?role={role}")
        return parse_answer(LetterAddressee, answer)

    async def fetch_contact_person(self, account_id: UUID, contact_person_id: UUID) -> LetterContactPerson:
        """Ask for a contact person."""
        answer = await self._client.get(f"/v1/accounts/{account_id}/contact-persons/{contact_person_id}")
        return parse_answer(LetterContactPerson, answer)

    async def fetch_contact_page(self, account_id: UUID, valid_on: date, cursor: str | None) -> ContactPersonPage:
        """Ask for the contact persons of a day, from the first page on or after a cursor."""
        after = "" if cursor is None else f"&after={cursor}"
        day = valid_on.isoformat()
        path = f"/v1/accounts/{account_id}/contact-persons?valid_on={day}&limit={MAX_PAGE}{after}"
        answer = await self._client.get(path)
        return parse_answer(ContactPersonPage, answer)

    async def fetch_issue_date(self, invoice_id: UUID) -> InvoiceIssueDate:
        """Ask when an invoice was issued."""
        answer = await self._client.get(f"/v1/invoices/{invoice_id}")
        return parse_answer(InvoiceIssueDate, answer)

    async def fetch_line_totals(self, invoice_id: UUID) -> InvoiceLineTotals:
        """Ask for the amounts of an invoice's lines."""
        answer = await self._client.get(f"/v1/invoices/{invoice_id}")
        return parse_answer(InvoiceLineTotals, answer)

    async def fetch_disputable_balance(self, invoice_id: UUID) -> DisputableBalance:
        """Ask for the lines and the total of an invoice."""
        answer = await self._client.get(f"/v1/invoices/{invoice_id}/balance")
        return parse_answer(DisputableBalance, answer)

    async def fetch_credited_total(self, credit_note_id: UUID) -> CreditedTotal:
        """Ask for a credit note."""
        answer = await self._client.get(f"/v1/credit-notes/{credit_note_id}")
        return parse_answer(CreditedTotal, answer)

    async def fetch_contestable_invoice(self, vendor_invoice_id: UUID) -> ContestableVendorInvoice:
        """Ask for an invoice of the vendor."""
        answer = await self._client.get(f"/v1/vendor-invoices/{vendor_invoice_id}")
        return parse_answer(ContestableVendorInvoice, answer)

    async def fetch_contestable_difference(self, difference_id: UUID) -> ContestableDifference:
        """Ask which vendor invoice a difference is of."""
        answer = await self._client.get(f"/v1/vendor-differences/{difference_id}")
        return parse_answer(ContestableDifference, answer)

    async def fetch_compared_line(self, difference_id: UUID) -> ComparedVendorLine:
        """Ask for our line beside the vendor's."""
        answer = await self._client.get(f"/v1/vendor-differences/{difference_id}")
        return parse_answer(ComparedVendorLine, answer)

    async def request_reservation(self, request: DisputeReservationRequest, key: str) -> None:
        """Reserve the amounts of a dispute, once for each key."""
        await self._client.post("/v1/reservations", serialize_request(request), key=key)

    async def request_reservation_amendment(
        self, dispute_id: UUID, amendment: DisputeReservationAmendment, key: str
    ) -> None:
        """Reserve other amounts for a dispute, once for each key."""
        await self._client.post(f"/v1/reservations/{dispute_id}:amend", serialize_request(amendment), key=key)

    async def authorise_credit(self, dispute_id: UUID, question: CreditAuthorisation, key: str) -> None:
        """Have a person authorised to decide about a dispute; invoicing counts it once for each key."""
        await self._client.post(f"/v1/reservations/{dispute_id}:authorise", serialize_request(question), key=key)
