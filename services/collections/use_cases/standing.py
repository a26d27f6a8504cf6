"""The standing of an account: its state, and why; what was done, and what comes next."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import asyncpg

from services.collections.domain.evaluated_item import EvaluatedItem
from services.collections.repository import fact_queries, notice_queries, standing_queries
from services.collections.tables import NoticeRow
from services.collections.use_cases import account_evaluation
from shared.persistence.database import Unit

NOTICES_SHOWN = 50
GOOD = "good_standing"
"""The state of an account of which nothing is late."""


@dataclass(frozen=True, slots=True)
class AccountStanding:
    """Everything that explains why an account stands as it does."""

    account_id: UUID
    time_zone: str
    state: str
    items: Sequence[EvaluatedItem]
    facts: dict[UUID, list[asyncpg.Record]]
    cases: Sequence[asyncpg.Record]
    suspensions: Sequence[asyncpg.Record]
    deferrals: Sequence[asyncpg.Record]
    notices: Sequence[NoticeRow]


async def load_account_standing(unit: Unit, account_id: UUID) -> AccountStanding:
    """The standing of an account now. Raises NotFound."""
    account = await standing_queries.get_account_copy(unit, account_id)
    facts = (await fact_queries.load_dunning_accounts(unit, [account_id]))[account_id]
    items = await account_evaluation.evaluate_known_items(unit, facts)
    suspensions = await standing_queries.list_account_suspensions(unit, account_id)
    return AccountStanding(
        account_id,
        account["time_zone"],
        assess_account_state(items, suspensions),
        items,
        await standing_queries.list_fact_events(unit, [result.item.invoice_id for result in items]),
        await standing_queries.list_dunning_cases(unit, account_id),
        suspensions,
        await standing_queries.list_step_deferrals(unit, account_id),
        await notice_queries.list_notices(unit, account_id, NOTICES_SHOWN),
    )


def assess_account_state(items: Sequence[EvaluatedItem], suspensions: Sequence[asyncpg.Record]) -> str:
    """Assess the gravest thing that is true of an account, by its judged items and its suspensions."""
    if any(row["state"] in ("effective", "ending") for row in suspensions):
        return "suspended"
    requested = [row for row in suspensions if row["state"] == "requested"]
    if any(row["vendor_refusal"] is None for row in requested):
        return "suspension_requested"
    if requested:
        return "suspension_refused"
    if any(result.evaluation.is_overdue_and_open for result in items):
        return "overdue"
    return GOOD
