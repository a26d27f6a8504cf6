"""Claims of mails to cases: by an address that nobody guesses, and a sender whom invoicing knows."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING
from uuid import UUID

from services.escalation.adapters import open_invoicing_records
from services.escalation.domain.inbound_mails import InboundMail, TriageReason
from services.escalation.domain.mails import choose_recipient_role, find_reply_secrets
from services.escalation.repository import inbound_mail_queries, ticket_mail_queries
from services.escalation.repository.ticket_mail_queries import TicketOfAnswer
from services.escalation.tables import CaseRow
from shared.persistence.database import Unit
from shared.pure.errors import RetryLater
from shared.web.clients import RefusedByService

if TYPE_CHECKING:
    from shared.process.runtime import Runtime

MAX_PAGES = 20
"""How many pages of contact persons are read of an account."""


@dataclass(frozen=True, slots=True)
class MailClaim:
    """Claim of a mail to a case, by the address that it came to; without a reason it may join."""

    case_id: UUID | None
    account_id: UUID | None
    reason: TriageReason | None
    contact_person_id: UUID | None = None
    named_case_ids: tuple[UUID, ...] = ()
    """Cases whose addresses it names, the first of which it may join; others may be of another account."""
    ticket_id: UUID | None = None
    """Vendor ticket to whose address it came."""


async def check_mail_claim(runtime: "Runtime", mail: InboundMail) -> MailClaim:
    """Check whether a mail may join a case: by its address, and by the sender, of whom invoicing knows."""
    if not mail.is_readable:
        return MailClaim(None, None, TriageReason.UNREADABLE)

    async def load(unit: Unit) -> tuple[TicketOfAnswer | None, Sequence[CaseRow], date]:
        answered = await ticket_mail_queries.find_ticket_by_address(
            unit, find_reply_secrets(support_address, mail.recipients).reply_tokens
        )
        return answered, await _list_named(unit, mail, support_address), unit.now.date()

    support_address = runtime.settings.support_address
    answered, cases, today = await runtime.units.run(load)
    if answered is not None:
        return _claim_ticket(answered, mail.sender)
    named_case_ids = tuple(case.id for case in cases)
    account_id = cases[0].account_id if cases else None
    if account_id is None:
        return MailClaim(None, None, TriageReason.NO_CASE_ADDRESS, named_case_ids=named_case_ids)
    try:
        is_known, person_id = await _find_sender(runtime, cases[0], account_id, mail.sender, today)
    except (RetryLater, RefusedByService):
        return MailClaim(None, None, TriageReason.SENDER_UNCHECKED, named_case_ids=named_case_ids)
    if not is_known:
        return MailClaim(None, None, TriageReason.SENDER_UNKNOWN, named_case_ids=named_case_ids)
    return MailClaim(cases[0].id, account_id, None, person_id, named_case_ids)


def _claim_ticket(answered: TicketOfAnswer, sender: str | None) -> MailClaim:
    """Let a mail to the address of a vendor ticket join it, if it is of whom we have written to."""
    ticket = answered.ticket
    if sender != answered.recipient.lower():
        return MailClaim(None, None, TriageReason.SENDER_UNKNOWN, ticket_id=ticket.id)
    return MailClaim(ticket.case_id, ticket.account_id, None, ticket_id=ticket.id)


async def _list_named(unit: Unit, mail: InboundMail, support_address: str) -> Sequence[CaseRow]:
    """List the cases that a mail names: by their addresses; machines answer to the sender of the envelope, too."""
    secrets = find_reply_secrets(support_address, mail.recipients)
    named = await inbound_mail_queries.list_cases_of_addresses(unit, secrets.reply_tokens)
    if named or not mail.is_automatic or mail.bounce is not None:
        return named
    return await inbound_mail_queries.list_cases_of_mails(unit, secrets.bounce_secrets)


async def _find_sender(
    runtime: "Runtime", case: CaseRow, account_id: UUID, sender: str | None, today: date
) -> tuple[bool, UUID | None]:
    """Find the contact person with this address, or whom we would write to. Raises RetryLater, RefusedByService."""
    if sender is None:
        return False, None
    records = open_invoicing_records(runtime)
    cursor: str | None = None
    for _ in range(MAX_PAGES):
        page = await records.fetch_contact_page(account_id, today, cursor)
        for person in page.items:
            if person.email is not None and person.email.lower() == sender:
                return True, person.id
        cursor = page.next
        if cursor is None:
            break
    addressee = await records.fetch_addressee(account_id, choose_recipient_role(case.kind))
    return addressee.email.lower() == sender, None
