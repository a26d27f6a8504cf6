"""The invoices of a notice as they are stored: their step, and what the message states beside it."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from services.collections.domain.account import InvoiceInNotice, assess_access_statement
from services.collections.domain.dunning_outlook import DunningOutlook
from services.collections.domain.suspension_record import SuspensionRecord
from shared.events.values import StepItem


def build_step_item(notice_item: InvoiceInNotice, policy_version: int, suspended: Collection[UUID]) -> StepItem:
    """Build the item of an invoice in a notice of steps, where these subscriptions are suspended."""
    evaluation, action = notice_item.evaluation, notice_item.action
    return StepItem(
        invoice_id=evaluation.invoice_id,
        number=evaluation.number,
        round=evaluation.round,
        step=action.step,
        policy_version=policy_version,
        dunnable_minor=evaluation.dunnable_minor,
        currency=evaluation.currency,
        template=action.template,
        access=assess_access_statement(evaluation, suspended),
    )


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


def render_notice_items(items: Sequence[StepItem], outlooks: Mapping[UUID, DunningOutlook]) -> list[dict[str, Any]]:
    """Render items as they are stored, with what the message states beside their steps."""
    return [item.model_dump(mode="json") | _dump_outlook(outlooks.get(item.invoice_id)) for item in items]


def _dump_outlook(outlook: DunningOutlook | None) -> dict[str, Any]:
    if outlook is None:
        return {}
    return {
        "open_minor": outlook.open_minor,
        "to_pay_minor": outlook.to_pay_minor,
        "subscription_ids": [str(id_) for id_ in outlook.subscription_ids],
        "coming": [step._asdict() | {"day": step.day.isoformat()} for step in outlook.coming],
    }
