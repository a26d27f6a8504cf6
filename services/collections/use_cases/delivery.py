"""Notices are sent by a worker, and recorded with what the next mail hop said."""

from typing import TYPE_CHECKING, Any
from uuid import UUID

from services.collections import mail
from services.collections.repository import notices as repository
from services.collections.tables import NoticeRow
from services.collections.use_cases import judging
from services.collections.use_cases.notices import SEND_NOTICE
from shared import intents
from shared.clients import Answered
from shared.database import Unit
from shared.errors import Later, Refusal
from shared.events.collections import NoticeFailed, NoticeSent
from shared.events.values import StepItem
from shared.intents import Intent, Recorded

if TYPE_CHECKING:
    from shared.runtime import Runtime


class NotFailed(Refusal):
    """Only a notice that the next mail hop refused for good can be sent again."""

    code = "notice_not_failed"


async def send(runtime: "Runtime", intent: Intent) -> str | None:
    """Ask invoicing whom to write to, and hand the message to the next hop; the refusal, or None when taken.

    Raises Later. Every attempt has the notice's id in its Message-ID.
    """
    notice_id = UUID(intent.key)
    row = await runtime.units.run(lambda unit: repository.notice(unit, notice_id))
    try:
        contact = await runtime.clients["invoicing"].get(f"/v1/accounts/{row.account_id}/contact")
    except Answered as refused:
        raise Later(str(refused)) from refused
    policy_url = f"{runtime.settings.public_url or runtime.settings.collections_url}/policy"
    message = mail.message(row, contact, runtime.settings.mail_from, policy_url)
    return await mail.deliver(message, runtime.settings.smtp_host, runtime.settings.smtp_port)


async def sent(unit: Unit, intent: Intent, refusal: str | None) -> Recorded:
    """Record what became of a notice, and look at the account again: a suspension may rest on it."""
    row = await repository.notice(unit, UUID(intent.key))
    items = tuple(StepItem.model_validate(item) for item in row.items)
    common: dict[str, Any] = {"notice_id": row.id, "kind": row.kind, "template": row.template, "items": items}
    if refusal is None:
        await repository.save_result(unit, row.id, "sent", None)
        unit.publish(NoticeSent(account_id=row.account_id, delivered_at=unit.now, **common))
    else:
        await repository.save_result(unit, row.id, "failed", refusal)
        unit.publish(NoticeFailed(account_id=row.account_id, cause=refusal[:3], **common))
    if row.kind == "steps":
        await judging.follow(unit, [row.account_id])
    return Recorded.DONE


async def retry(unit: Unit, notice_id: UUID) -> NoticeRow:
    """Send a failed notice again, after its address was mended. Raises NotFound, NotFailed."""
    row = await repository.notice(unit, notice_id)
    await unit.lock(row.account_id)
    await unit.session.refresh(row)
    if row.state != "failed":
        raise NotFailed(f"the notice is {row.state}")
    await repository.save_result(unit, notice_id, "pending", None)
    await intents.add(unit, SEND_NOTICE, row.account_id, notice_id, {})
    await unit.session.refresh(row)
    return row
