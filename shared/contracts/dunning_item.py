"""Dunning item: what collections says of one invoice to who asks about its policy and its next step."""

from datetime import date, datetime
from uuid import UUID

from pydantic import Field

from shared.contracts.answers import AnswerContract
from shared.pure.fields import get_model_example, set_model_example


class DunningTerms(AnswerContract):
    """Terms of the version of the policy that holds for an invoice."""

    model_config = set_model_example(policy_version=2, dispute_window_days=60, after_release_days=3)

    policy_version: int
    dispute_window_days: int | None = Field(description="days after the issue date; null: no limit")
    after_release_days: int = Field(description="local days that it stays wholly held after a release")


class DunningNext(AnswerContract):
    """Step that comes next if no new fact does, with its date in the account's time zone."""

    model_config = set_model_example(step="suspend", at="2026-04-14T07:00:00Z", on="2026-04-14")

    step: str
    at: datetime
    on: date


class DunningItem(AnswerContract):
    """Invoice as collections sees it; `terms` is null while no policy is published."""

    model_config = set_model_example(
        invoice_id="01a20d61-1c0e-7b3f-8a55-2f64d1f0a9b7",
        account_id="01a20d60-7458-729b-b244-54f33ab0c1d2",
        terms=get_model_example(DunningTerms),
        next=get_model_example(DunningNext),
    )

    invoice_id: UUID
    account_id: UUID
    terms: DunningTerms | None
    next: DunningNext | None = Field(description="null where nothing comes by time alone: it is paid, or wholly held")
