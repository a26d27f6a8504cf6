"""Months of the ledger over REST: which are open, and which were closed by whom."""

from datetime import UTC, date, datetime
from typing import Annotated, Literal

import asyncpg
from fastapi import Query
from pydantic import BaseModel, Field

from services.invoicing.accounts.repository import legal_entity_queries
from services.invoicing.accounts.repository.legal_entity_queries import UnknownLegalEntity
from services.invoicing.revenue.repository.ledger_period_queries import (
    LedgerPeriodCriteria,
    PeriodState,
    list_ledger_period_records,
)
from services.invoicing.settings.api import SettingChangeOut, list_pending_setting_changes
from services.invoicing.settings.domain.setting_change import SettingKind
from shared.persistence.database import Unit
from shared.pure.fields import Code, set_model_example
from shared.web.auth import needs
from shared.web.http import PROBLEMS, Page, PageCursorRefused, Read, Router, TextPaging, refusals

reads = Router(prefix="/v1/ledger-periods", tags=["ledger"], dependencies=[needs("invoicing:read")], responses=PROBLEMS)


class LedgerPeriodOut(BaseModel):
    """A month of a legal entity, by its first day; closed by itself or with a later one (`closed_with`)."""

    model_config = set_model_example(
        legal_entity="GS-DE",
        month="2026-03-01",
        state="closed",
        closed_with="2026-03-01",
        closed_by="finance",
        reason="month end",
        closed_at="2026-04-02T08:00:00Z",
        proposed_change=None,
    )

    legal_entity: str
    month: date
    state: Literal["open", "closed"]
    closed_with: date | None = Field(description="the month that was closed then, this one or a later one")
    closed_by: str | None
    reason: str | None
    closed_at: datetime | None
    proposed_change: SettingChangeOut | None = Field(description="that it shall be closed")

    @property
    def ledger_period_key(self) -> str:
        """Key by which the list is in order and goes on."""
        return f"{self.legal_entity}/{self.month}"


def _parse_key(key: str | None) -> tuple[str, date] | None:
    """Parse the legal entity and the month of a cursor. Raises PageCursorRefused."""
    if key is None:
        return None
    legal_entity, _, month = key.rpartition("/")
    try:
        return legal_entity, date.fromisoformat(month)
    except ValueError as error:
        raise PageCursorRefused("`after` is not a cursor of this list") from error


@reads.get("", summary="List months of the ledger", responses=refusals(UnknownLegalEntity))
async def list_ledger_periods(
    read: Read,
    paging: TextPaging,
    legal_entity: Annotated[Code | None, Query()] = None,
    state: Annotated[PeriodState | None, Query()] = None,
) -> Page[LedgerPeriodOut]:
    """By legal entity, from the first month in which something was posted to this one (UTC), the oldest first."""
    criteria, after = LedgerPeriodCriteria(legal_entity, state), _parse_key(paging.after)

    async def load_ledger_periods(unit: Unit) -> list[LedgerPeriodOut]:
        await legal_entity_queries.check_listed_legal_entity(unit, legal_entity)
        rows = await list_ledger_period_records(
            unit, criteria, unit.now.astimezone(UTC).date(), after, paging.limit + 1
        )
        proposed = await list_pending_setting_changes(
            unit, SettingKind.LEDGER_PERIOD, [_build_setting_key(row) for row in rows]
        )
        by_key = {change.key: change for change in proposed}
        return [LedgerPeriodOut(**row, proposed_change=by_key.get(_build_setting_key(row))) for row in rows]

    return paging.page(await read(load_ledger_periods), key=lambda period: period.ledger_period_key)


def _build_setting_key(row: asyncpg.Record) -> str:
    return f"{row['legal_entity']}/{row['month']:%Y-%m}"
