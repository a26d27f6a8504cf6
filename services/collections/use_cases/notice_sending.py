"""Notices are sent by a worker, and recorded with what the next mail hop said."""

from dataclasses import dataclass, field
from datetime import datetime
from email.message import EmailMessage
from typing import TYPE_CHECKING, Any
from uuid import UUID

from services.collections import mail
from services.collections.adapters import open_invoicing_facts
from services.collections.repository import notice_queries
from services.collections.repository.notice_message_queries import SentNoticeMessage, save_notice_message
from services.collections.tables import NoticeRow
from services.collections.use_cases import account_evaluation
from services.collections.use_cases.account_evaluation import SEND_NOTICE
from shared.contracts.notice_facts import NoticeFacts, NoticeFactsIn
from shared.events.collections import NoticeFailed, NoticeSent, NoticeWithdrawn
from shared.events.values import StepItem
from shared.outside import mail as outside_mail
from shared.persistence.audit import AuditedChange
from shared.persistence.database import Unit
from shared.process import intents
from shared.process.intents import Intent, RecordingOutcome
from shared.pure.addresses import is_mail_address
from shared.pure.bounces import build_envelope_sender, create_mail_secret
from shared.pure.errors import Refusal, RetryLater
from shared.web.clients import RefusedByService

if TYPE_CHECKING:
    from shared.process.runtime import Runtime

SECRETS = {"secret", "bounce_id"}
"""Columns of a notice that stand nowhere else."""


class NoticeNotFailed(Refusal):
    """Only a notice that the next mail hop refused for good, or that came back, can be sent again."""

    code = "notice_not_failed"


@dataclass(frozen=True, slots=True)
class NoticeSendingResult:
    """Result of an attempt to send a notice."""

    refusal: str | None = None
    """Why it cannot be sent for good: a code of SMTP, and what it means."""
    message: SentNoticeMessage | None = field(default=None, repr=False)
    """The message that the next hop took."""
    not_dunnable: frozenset[UUID] = frozenset()
    """The invoices for which it was not sent, if any."""


async def send_notice(runtime: "Runtime", intent: Intent) -> NoticeSendingResult:
    """See whether the notice still holds, ask invoicing whom to write to, and hand the message to the next hop.

    Raises RetryLater. A notice whose address cannot be written to, or that is refused or put off for too long, fails.
    Every attempt has the same Message-ID and content: so one that does not hold any more is withdrawn as a whole.
    Whether an attempt that was cut off reached the hop is not known, unless it came back: then there is nothing to
    send.
    """
    row, not_dunnable, now = await runtime.units.run(lambda unit: _check_notice(unit, UUID(intent.key)))
    if not_dunnable or row.state != "pending" or row.secret is None:
        return NoticeSendingResult(not_dunnable=not_dunnable)
    facts = await _ask_facts(runtime, row)
    if not is_mail_address(facts.billing_email):
        return NoticeSendingResult(outside_mail.NOT_WRITABLE)
    policy_url = f"{runtime.settings.public_url or runtime.settings.collections_url}/policy"
    message = mail.write_notice_letter(row, facts, runtime.settings.mail_from, policy_url)
    sender = build_envelope_sender(runtime.settings.support_address, row.secret)
    refusal = await runtime.mail_hop.deliver_letter_once(message, now - intent.created_at, sender)
    return NoticeSendingResult(refusal, None if refusal else _describe_message(message))


def _describe_message(message: EmailMessage) -> SentNoticeMessage:
    return SentNoticeMessage(message["To"], message["Subject"], message.get_content())


async def _ask_facts(runtime: "Runtime", row: NoticeRow) -> NoticeFacts:
    """Ask invoicing what a notice states: contact, sender, what its invoices are for. Raises RetryLater."""
    coming = (id_ for item in row.items for id_ in item.get("subscription_ids", []))
    question = NoticeFactsIn(
        invoice_ids=sorted({UUID(item["invoice_id"]) for item in row.items}),
        subscription_ids=sorted({*row.subscription_ids, *map(UUID, coming)}),
    )
    try:
        return await open_invoicing_facts(runtime).fetch_notice_facts(row.account_id, question)
    except RefusedByService as refused:
        raise RetryLater(str(refused)) from refused


async def _check_notice(unit: Unit, notice_id: UUID) -> tuple[NoticeRow, frozenset[UUID], datetime]:
    """Read a notice, the invoices on it that are not dunnable any more, and the business time; it has a secret then."""
    await notice_queries.save_notice_secret(unit, notice_id, create_mail_secret())
    row = await notice_queries.get_notice(unit, notice_id)
    if row.kind != "steps":
        return row, frozenset(), unit.now
    noticed_rounds = [(item.invoice_id, item.round) for item in _items(row)]
    return row, await account_evaluation.list_invoices_not_dunnable(unit, row.account_id, noticed_rounds), unit.now


def _items(row: NoticeRow) -> tuple[StepItem, ...]:
    return tuple(StepItem.model_validate(item) for item in row.items)


async def record_notice_result(unit: Unit, intent: Intent, delivery: NoticeSendingResult) -> RecordingOutcome:
    """Record what became of a notice, and look at the account again: a suspension may rest on it.

    One that came back already has failed, whatever its last attempt became.
    """
    row = await notice_queries.get_notice(unit, UUID(intent.key))
    if row.state != "pending":
        return RecordingOutcome.DONE
    common = describe_notice_in_events(row)
    if delivery.not_dunnable:
        await _withdraw(unit, row, delivery.not_dunnable, common)
    elif delivery.refusal is None:
        await notice_queries.save_notice_result(unit, row.id, "sent", None)
        if delivery.message is not None:
            await save_notice_message(unit, row.id, row.account_id, delivery.message)
        unit.publish(NoticeSent(account_id=row.account_id, delivered_at=unit.now, **common))
    else:
        await notice_queries.save_notice_result(unit, row.id, "failed", delivery.refusal)
        unit.publish(NoticeFailed(account_id=row.account_id, cause=delivery.refusal[:3], **common))
    if row.kind == "steps":
        await account_evaluation.reevaluate_account(unit, row.account_id)
    return RecordingOutcome.DONE


def describe_notice_in_events(row: NoticeRow) -> dict[str, Any]:
    """Describe a notice as events about it do."""
    return {"notice_id": row.id, "kind": row.kind, "template": row.template, "items": _items(row)}


async def _withdraw(unit: Unit, row: NoticeRow, not_dunnable: frozenset[UUID], common: dict[str, Any]) -> None:
    numbers = ", ".join(item.number for item in _items(row) if item.invoice_id in not_dunnable)
    await notice_queries.save_notice_result(unit, row.id, "withdrawn", f"not dunnable any more: {numbers}")
    await notice_queries.undo_steps_of_notice(unit, row.id)
    unit.publish(NoticeWithdrawn(account_id=row.account_id, invoice_ids=tuple(sorted(not_dunnable)), **common))


async def retry_notice(unit: Unit, notice_id: UUID) -> NoticeRow:
    """Send a notice that failed or came back again, after its address was mended. Raises NotFound, NotFailed."""
    row = await notice_queries.get_notice(unit, notice_id)
    await unit.lock_subjects(row.account_id)
    await unit.session.refresh(row)
    if row.state != "failed":
        raise NoticeNotFailed(f"the notice is {row.state}")
    before = row.model_dump(exclude=SECRETS)
    await notice_queries.save_notice_result(unit, notice_id, "pending", None)
    await intents.enqueue_intent(unit, SEND_NOTICE, row.account_id, notice_id, {})
    await unit.session.refresh(row)
    unit.record(AuditedChange("notice", row.id, row.account_id, before, row.model_dump(exclude=SECRETS)))
    return row
