"""Mails of ours come back: what told the customer nothing closes no loop; other services' are announced to them."""

from collections.abc import Collection
from uuid import UUID

from services.escalation.domain.cases import CaseState
from services.escalation.domain.inbound_mails import is_case_unreachable
from services.escalation.domain.mails import MAIL_ALLOWED, MailState
from services.escalation.domain.state_moves import move_state
from services.escalation.repository import case_mail_queries, case_queries, inbound_mail_queries
from services.escalation.use_cases.case_moves import build_case_loop, undo_case_closing
from services.escalation.use_cases.cases import CaseLink, open_task
from services.escalation.use_cases.informing import expect_outcome_contact
from services.escalation.use_cases.ticket_mails import record_distributor_mail_bounce
from shared.events.escalation import MailBounced
from shared.persistence.database import Unit
from shared.pure.bounces import compute_bounce_id
from shared.pure.state_tables import can_transition

MAX_OTHERS = 4
"""How many mails of other services one delivery status is announced for: it is about a single mail."""


async def record_case_mail_bounce(unit: Unit, secrets: Collection[str], code: str | None) -> None:
    """Record that a mail came back for good: one of a case, else of whichever service knows it. Otherwise nothing."""
    if code is None:
        return
    bounced = await inbound_mail_queries.find_bounced_case_mail(unit, secrets)
    if bounced is None:
        if not await record_distributor_mail_bounce(unit, secrets, code):
            await _announce_others(unit, secrets, code)
        return
    entry_id, account_id = bounced
    await unit.lock_subjects(account_id, entry_id)
    row, _ = await case_mail_queries.get_case_mail(unit, entry_id)
    if not can_transition(MAIL_ALLOWED, MailState(row.state), MailState.BOUNCED):
        return
    row.state = move_state(MAIL_ALLOWED, MailState(row.state), MailState.BOUNCED)
    row.code, row.settled_at = code, unit.now
    await case_mail_queries.save_case_mail(unit, row)
    unit.publish(MailBounced(message_id=entry_id, permanent=True, code=code))
    await _follow_bounce(unit, row.case_id, account_id)


async def _announce_others(unit: Unit, secrets: Collection[str], code: str) -> None:
    """Announce bounces of mails that are of no case, once each; the service that sent one knows its secret."""
    bounce_ids = sorted(compute_bounce_id(secret) for secret in sorted(secrets)[:MAX_OTHERS])
    await unit.lock_subjects(*bounce_ids)
    for bounce_id in bounce_ids:
        if await inbound_mail_queries.insert_other_bounce(unit, bounce_id, code):
            unit.publish(MailBounced(message_id=bounce_id, permanent=True, code=code))


async def _follow_bounce(unit: Unit, case_id: UUID, account_id: UUID) -> None:
    case = await case_queries.get_case(unit, case_id)
    loop = await build_case_loop(unit, case, case.no_customer_affected)
    if is_case_unreachable(case.state, loop.is_customer_informed, case.no_customer_affected, case.kind):
        await undo_case_closing(unit, case, "the message about the outcome came back")
    if case.state == CaseState.RESOLVED and not loop.is_customer_informed:
        await expect_outcome_contact(unit, case)
        await case_queries.save_case(unit, case)
    subject = "a message to the customer came back: find out how they are reached"
    await open_task(unit, account_id, f"mail_bounced:{case_id}", subject, [CaseLink("case", case_id)])
