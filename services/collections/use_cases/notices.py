"""Notices are written together with the step that wants them; a worker sends them."""

from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

from services.collections.domain.account import Message, assess_access
from services.collections.repository import notices as repository
from services.collections.repository.suspensions import Suspension
from services.collections.tables import NoticeRow
from shared import intents
from shared.database import Unit
from shared.events.collections import NoticeKind
from shared.events.values import StepItem
from shared.ids import new_id

SEND_NOTICE = "send_notice"
"""The kind of the intent; its id is the notice's."""


async def write_steps(
    unit: Unit, account_id: UUID, message: Message, versions: Mapping[UUID, int], suspended: Collection[UUID]
) -> None:
    """Write the message of the steps that fall on one instant, and record the steps as taken.

    `suspended` are the subscriptions of the account whose access has ended.
    """
    notice_id = new_id()
    items: list[StepItem] = []
    steps: list[tuple[object, ...]] = []
    for one in message.items:
        judgement, action = one.judgement, one.action
        version, amount = versions[judgement.invoice_id], judgement.dunnable_minor
        items.append(
            StepItem(
                invoice_id=judgement.invoice_id,
                number=judgement.number,
                round=judgement.round,
                step=action.step,
                policy_version=version,
                dunnable_minor=amount,
                currency=judgement.currency,
                template=action.template,
                access=assess_access(judgement, suspended),
            )
        )
        taken, attempts = (judgement.invoice_id, judgement.round), judgement.attempts
        attempt = attempts[action.step] + 1
        steps.append((*taken, action.step, "notice", action.at, version, amount, notice_id, None, attempt))
        steps += [
            (*taken, name, "skipped", action.at, version, amount, None, action.step, attempts[name] + 1)
            for name in action.skipped
        ]
    await write(unit, account_id, "steps", message.template, items, notice_id)
    await repository.add_steps(unit, account_id, steps)


async def write(
    unit: Unit,
    account_id: UUID,
    kind: NoticeKind,
    template: str,
    items: Sequence[StepItem],
    notice_id: UUID | None = None,
) -> None:
    """Write a notice and want it sent."""
    row = NoticeRow(
        id=notice_id or new_id(),
        account_id=account_id,
        kind=kind,
        template=template,
        items=[item.model_dump(mode="json") for item in items],
        state="pending",
        created_at=unit.now,
        delivered_at=None,
        failure=None,
    )
    await repository.add_notice(unit, row)
    await intents.add(unit, SEND_NOTICE, account_id, row.id, {}, row.id)


def items_of(suspension: Suspension) -> list[StepItem]:
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
