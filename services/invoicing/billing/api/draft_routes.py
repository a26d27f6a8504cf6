"""Drafts of bill runs over REST: what a person looks at before approving."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Literal, Self
from uuid import UUID

import asyncpg
from fastapi import Query
from pydantic import BaseModel, Field

from services.invoicing.billing.repository import bill_run_queries, draft_queries
from shared.persistence.database import Unit
from shared.pure.fields import get_model_example, set_model_example
from shared.web.auth import needs
from shared.web.http import PROBLEMS, Page, Paging, Read, Router

reads = Router(prefix="/v1/bill-runs", tags=["bill runs"], dependencies=[needs("invoicing:read")], responses=PROBLEMS)


class DraftOut(BaseModel):
    """A draft of a run, in minor units; a total below 0 is given back. While it is `to_be_taxed` it has no tax yet.

    It is dated on the day on which it is issued, and due `terms_days` later.
    """

    model_config = set_model_example(
        id="01a20d81-2a41-7c07-9d3e-5b4c3d2e1f60",
        account_id="01a20d60-7458-729b-b244-54f33ab0c1d2",
        legal_entity="GS-DE",
        state="drafted",
        document_type="invoice",
        currency="EUR",
        drafted_on="2026-04-01",
        terms_days=14,
        total_minor=11995,
        unbilled=None,
    )

    id: UUID
    account_id: UUID
    legal_entity: str
    state: Literal["to_be_taxed", "drafted", "approved"]
    document_type: Literal["invoice", "credit_notes"]
    currency: str
    drafted_on: date
    terms_days: int
    total_minor: int
    unbilled: str | None = Field(description="what of a credit stays unbilled, and why")

    @classmethod
    def from_draft_row(cls, row: asyncpg.Record) -> Self:
        """Build the answer for a draft."""
        return cls(**row, document_type="invoice" if row["total_minor"] > 0 else "credit_notes")


class DraftLineOut(BaseModel):
    """A line that a draft would have as a document; `period_to` is exclusive. Usage has meters, and no unit price."""

    model_config = set_model_example(
        line=1,
        subscription_id="01a20d60-a1c3-7e02-9b6d-7f1b8d2f9e46",
        description="Business Premium, 2026-04-01 – 2026-04-30",
        kind="cycle",
        period_from="2026-04-01",
        period_to="2026-05-01",
        quantity=10,
        unit_price_minor=1008,
        meters=None,
        used=None,
        net_minor=10080,
        tax_minor=1915,
        tax_rate_bp=1900,
        collectable_minor=11995,
    )

    line: int
    subscription_id: UUID
    description: str
    kind: str
    period_from: date
    period_to: date
    quantity: int | None
    unit_price_minor: int | None = Field(description="for one unit and a whole cycle, in minor units")
    meters: str | None
    used: str | None = Field(description="the quantity of usage; null where there are several meters")
    net_minor: int
    tax_minor: int
    tax_rate_bp: int | None
    collectable_minor: int = Field(description="what is to be paid of the line once reversals are taken off")


class DraftDetailsOut(DraftOut):
    """A draft with its lines; they add up to its total."""

    model_config = set_model_example(
        **get_model_example(DraftOut), net_minor=10080, tax_minor=1915, lines=[get_model_example(DraftLineOut)]
    )

    net_minor: int
    tax_minor: int
    lines: list[DraftLineOut]

    @classmethod
    def from_draft_rows(cls, head: asyncpg.Record, rows: Sequence[asyncpg.Record]) -> Self:
        """Build the answer for a draft and its lines."""
        lines = [DraftLineOut(**row) for row in rows]
        return cls(
            **DraftOut.from_draft_row(head).model_dump(),
            net_minor=sum(line.net_minor for line in lines),
            tax_minor=sum(line.tax_minor for line in lines),
            lines=lines,
        )


@reads.get("/{run_id}/drafts", name="list_invoice_drafts", summary="The drafts of a run")
async def list_drafts(
    run_id: UUID, read: Read, paging: Paging, account_id: Annotated[UUID | None, Query()] = None
) -> Page[DraftOut]:
    """By account: what waits for its tax or for approval. What is issued or discarded is no draft any more."""

    async def load_invoice_drafts(unit: Unit) -> list[DraftOut]:
        await bill_run_queries.get_bill_run(unit, run_id)
        rows = await draft_queries.list_invoice_drafts(unit, run_id, account_id, paging.get_last_id(), paging.limit + 1)
        return [DraftOut.from_draft_row(row) for row in rows]

    return paging.page(await read(load_invoice_drafts), key=lambda draft: draft.account_id)


@reads.get("/{run_id}/drafts/{draft_id}", summary="One draft")
async def get_invoice_draft(run_id: UUID, draft_id: UUID, read: Read) -> DraftDetailsOut:
    """The lines that the draft would have as an invoice, which keeps its id, or that credit notes would settle."""

    async def load_invoice_draft(unit: Unit) -> DraftDetailsOut:
        await bill_run_queries.get_bill_run(unit, run_id)
        return DraftDetailsOut.from_draft_rows(*await draft_queries.get_draft_with_lines(unit, run_id, draft_id))

    return await read(load_invoice_draft)
