"""Notices are written together with the step that wants them; a worker sends them."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import timedelta
from types import MappingProxyType
from typing import Any, Literal
from uuid import UUID

from services.collections.domain.account import InvoiceInNotice, Message, assess_access_statement
from services.collections.domain.dunning_outlook import DunningOutlook
from services.collections.repository import notice_queries
from services.collections.repository.notice_queries import NewDunningStep
from services.collections.repository.suspension_queries import SuspensionRecord
from services.collections.tables import NoticeRow
from shared.events.collections import NoticeKind
from shared.events.values import StepItem
from shared.persistence.database import Unit
from shared.process import intents
from shared.pure.ids import new_id

SEND_NOTICE = "send_notice"
"""The kind of the intent; its id is the notice's."""
GATHERED_FOR = timedelta(minutes=5)
"""Business time for which news about access waits for more of the kind, so that an account gets one message."""


async def create_step_notice(
    unit: Unit,
    account_id: UUID,
    message: Message,
    versions: Mapping[UUID, int],
    suspended: Collection[UUID],
    prospects: Mapping[UUID, DunningOutlook],
) -> None:
    """Write the message of the steps that fall on one instant, and record the steps as taken.

    `suspended` are the subscriptions of the account whose access has ended.
    """
    notice_id = new_id()
    items: list[StepItem] = []
    steps: list[NewDunningStep] = []
    for notice_item in message.items:
        evaluation, action = notice_item.evaluation, notice_item.action
        version, amount = versions[evaluation.invoice_id], evaluation.dunnable_minor
        items.append(
            StepItem(
                invoice_id=evaluation.invoice_id,
                number=evaluation.number,
                round=evaluation.round,
                step=action.step,
                policy_version=version,
                dunnable_minor=amount,
                currency=evaluation.currency,
                template=action.template,
                access=assess_access_statement(evaluation, suspended),
            )
        )
        steps += _list_taken_steps(notice_item, version, notice_id)
    await create_notice(unit, account_id, "steps", message.main_template, _add_prospects(items, prospects), notice_id)
    await notice_queries.insert_dunning_steps(unit, account_id, steps)


def _list_taken_steps(notice_item: InvoiceInNotice, version: int, notice_id: UUID) -> Iterator[NewDunningStep]:
    """List the step that a notice is for, and those that it stands for."""
    evaluation, action = notice_item.evaluation, notice_item.action
    taken = NewDunningStep(
        invoice_id=evaluation.invoice_id,
        round=evaluation.round,
        step=action.step,
        outcome="notice",
        instant=action.at,
        policy_version=version,
        dunnable_minor=evaluation.dunnable_minor,
        notice_id=notice_id,
        replaced_by=None,
        attempt=evaluation.attempts_by_step[action.step] + 1,
    )
    yield taken
    for name in action.skipped:
        attempt = evaluation.attempts_by_step[name] + 1
        yield taken._replace(step=name, outcome="skipped", notice_id=None, replaced_by=action.step, attempt=attempt)


async def create_notice(
    unit: Unit,
    account_id: UUID,
    kind: NoticeKind,
    template: str,
    items: Sequence[dict[str, Any]],
    notice_id: UUID | None = None,
    subscription_ids: Sequence[UUID] = (),
) -> None:
    """Write a notice and want it sent; news about access after a while, in which more of it may come."""
    row = NoticeRow(
        id=notice_id or new_id(),
        account_id=account_id,
        kind=kind,
        template=template,
        items=list(items),
        subscription_ids=list(subscription_ids),
        state="pending",
        created_at=unit.now,
        delivered_at=None,
        failure=None,
        secret=None,
        bounce_id=None,
    )
    await notice_queries.insert_notice(unit, row)
    delay = timedelta() if kind == "steps" else GATHERED_FOR
    await intents.enqueue_intent(unit, SEND_NOTICE, account_id, row.id, {}, row.id, delay)


async def create_access_notice(
    unit: Unit,
    account_id: UUID,
    kind: Literal["suspended", "restored"],
    subscription_id: UUID,
    items: Sequence[StepItem] = (),
    prospects: Mapping[UUID, DunningOutlook] = MappingProxyType({}),
) -> None:
    """Inform the customer of the access to a subscription, in a notice of the kind that nobody has begun to send."""
    stated = _add_prospects(items, prospects)
    notice = await notice_queries.find_unsent_notice(unit, account_id, kind, SEND_NOTICE)
    if notice is None:
        await create_notice(unit, account_id, kind, kind, stated, subscription_ids=[subscription_id])
        return
    items_by_invoice = {item["invoice_id"]: item for item in [*notice.items, *stated]}
    subscription_ids = sorted({*notice.subscription_ids, subscription_id})
    await notice_queries.save_unsent_notice(unit, notice.id, list(items_by_invoice.values()), subscription_ids)


def _add_prospects(items: Sequence[StepItem], prospects: Mapping[UUID, DunningOutlook]) -> list[dict[str, Any]]:
    """Add to items, as they are stored, what the message states beside their steps."""
    return [item.model_dump(mode="json") | _dump_prospect(prospects.get(item.invoice_id)) for item in items]


def _dump_prospect(prospect: DunningOutlook | None) -> dict[str, Any]:
    if prospect is None:
        return {}
    return {
        "open_minor": prospect.open_minor,
        "to_pay_minor": prospect.to_pay_minor,
        "subscription_ids": [str(id_) for id_ in prospect.subscription_ids],
        "coming": [step._asdict() | {"day": step.day.isoformat()} for step in prospect.coming],
    }


def list_suspension_step_items(suspension: SuspensionRecord) -> list[StepItem]:
    """The invoices that caused a suspension, for the message that tells of it."""
    return [
        StepItem(
            invoice_id=cause.invoice_id,
            number=cause.number,
            round=cause.round,
            step=suspension.step,
            policy_version=suspension.policy_version,
            dunnable_minor=cause.dunnable_minor,
            currency=cause.currency,
        )
        for cause in suspension.causes.values()
    ]
