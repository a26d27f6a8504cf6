"""The standing of an account: its state, and why; what was done, and what comes next."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import asyncpg

from services.collections.repository import facts as repository_facts
from services.collections.repository import notices
from services.collections.repository import standing as repository_standing
from services.collections.tables import NoticeRow
from services.collections.use_cases import judging
from services.collections.use_cases.judging import EvaluatedItem
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
    account = await repository_standing.account(unit, account_id)
    facts = (await repository_facts.load_account_facts(unit, [account_id]))[account_id]
    items = await judging.evaluate_account(unit, facts)
    suspensions = await repository_standing.suspensions(unit, account_id)
    return AccountStanding(
        account_id,
        account["time_zone"],
        assess_account_state(items, suspensions),
        items,
        await repository_standing.list_fact_events(unit, [result.item.invoice_id for result in items]),
        await repository_standing.cases(unit, account_id),
        suspensions,
        await repository_standing.list_step_deferrals(unit, account_id),
        await notices.list_notices(unit, account_id, NOTICES_SHOWN),
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
