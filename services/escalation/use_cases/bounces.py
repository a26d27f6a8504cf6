"""Mails of ours come back: what told the customer nothing closes no loop."""

from collections.abc import Collection
from uuid import UUID

from services.escalation.domain.cases import CaseState
from services.escalation.domain.inbound_mails import is_case_unreachable
from services.escalation.domain.mails import MAIL_ALLOWED, MailState
from services.escalation.domain.moves import move
from services.escalation.repository import case_queries, inbound_mails, mails
from services.escalation.use_cases.case_moves import build_loop, undo_closing
from services.escalation.use_cases.cases import CaseLink, open_task
from services.escalation.use_cases.informing import expect_contact
from shared.database import Unit
from shared.events.escalation import MailBounced


async def record_bounce(unit: Unit, secrets: Collection[str], code: str | None) -> None:
    """Record that a mail came back for good. Nothing happens if it is none of ours, or did not fail for good."""
    bounced = await inbound_mails.find_bounced(unit, secrets)
    if code is None or bounced is None:
        return
    entry_id, account_id = bounced
    await unit.lock(account_id, entry_id)
    row, _ = await mails.get_mail(unit, entry_id)
    if MailState.BOUNCED not in MAIL_ALLOWED[MailState(row.state)]:
        return
    row.state = move(MAIL_ALLOWED, MailState(row.state), MailState.BOUNCED)
    row.code, row.settled_at = code, unit.now
    await mails.save_mail(unit, row)
    unit.publish(MailBounced(message_id=entry_id, permanent=True, code=code))
    await _follow_bounce(unit, row.case_id, account_id)


async def _follow_bounce(unit: Unit, case_id: UUID, account_id: UUID) -> None:
    case = await case_queries.get_case(unit, case_id)
    loop = await build_loop(unit, case, case.no_customer_affected)
    if is_case_unreachable(case.state, loop.customer_told, case.no_customer_affected, case.kind):
        await undo_closing(unit, case, "the message about the outcome came back")
    if case.state == CaseState.RESOLVED and not loop.customer_told:
        await expect_contact(unit, case)
        await case_queries.save_case(unit, case)
    subject = "a message to the customer came back: find out how they are reached"
    await open_task(unit, account_id, f"mail_bounced:{case_id}", subject, [CaseLink("case", case_id)])
