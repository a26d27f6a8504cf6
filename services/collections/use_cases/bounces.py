"""Notices come back: they count no more, and no suspension that is not effective rests on one."""

from services.collections.repository import notice_queries
from services.collections.use_cases import account_evaluation
from services.collections.use_cases.notice_sending import describe_notice_in_events
from shared.events.collections import NoticeBounced
from shared.events.escalation import MailBounced
from shared.persistence.database import Unit


async def record_notice_bounce(unit: Unit, event: MailBounced) -> None:
    """Record that a notice came back for good. Nothing happens if it is none of ours, or has failed already."""
    bounced = await notice_queries.find_bounced_notice(unit, event.message_id)
    if bounced is None or not event.permanent:
        return
    notice_id, account_id = bounced
    await unit.lock_subjects(account_id)
    row = await notice_queries.get_notice(unit, notice_id)
    if row.bounce_id != event.message_id or row.state not in ("pending", "sent"):
        return
    await notice_queries.save_notice_result(
        unit, notice_id, "failed", f"{event.code} came back after the next mail hop took it"
    )
    unit.publish(NoticeBounced(account_id=account_id, code=event.code, **describe_notice_in_events(row)))
    if row.kind == "steps":
        await account_evaluation.reevaluate_account(unit, account_id)
