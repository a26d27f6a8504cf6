"""Late accounts with where each stands by the policy, judged now from its facts."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from operator import attrgetter
from uuid import UUID

import asyncpg

from services.collections.domain.evaluated_item import EvaluatedItem, evaluate_items
from services.collections.domain.item_evaluation import NextDunningStep
from services.collections.domain.policy_version import PolicyVersion
from services.collections.repository import fact_queries, late_account_queries, policy_queries
from services.collections.repository.late_account_queries import LateAccountCriteria
from services.collections.use_cases.standing import assess_account_state
from shared.persistence.database import Unit
from shared.pure.calendar import get_local_date
from shared.pure.errors import Refusal


@dataclass(frozen=True, slots=True)
class OverdueAmounts:
    """Amounts of the overdue invoices of an account in one currency; minor units."""

    currency: str
    open_minor: int
    disputed_minor: int
    in_flight_minor: int
    promised_minor: int
    dunnable_minor: int


@dataclass(frozen=True, slots=True)
class NextAccountStep:
    """The first step of an account that comes if no new fact does, and the invoice whose step it is."""

    invoice_id: UUID
    step: str
    at: datetime
    rule: str


@dataclass(frozen=True, slots=True)
class LateAccount:
    """An account of which something is overdue."""

    case_id: UUID
    account_id: UUID
    legal_entity: str
    late_since: datetime
    """Since when something of it is overdue without a break."""
    oldest_due_date: date
    days_late: int
    """Whole local days since the oldest due date."""
    state: str
    step: str | None
    """The furthest step that was taken."""
    position: int
    """The furthest on the ladder of its overdue invoices."""
    next: NextAccountStep | None
    amounts: Sequence[OverdueAmounts]
    suspended_subscription_ids: Sequence[UUID]
    waiting: Sequence[asyncpg.Record]


class UnknownPolicyStep(Refusal):
    """No version of the policy has a step of this name."""

    code = "unknown_step"
    status = 422


def _check_step(versions: Sequence[PolicyVersion], name: str) -> None:
    names = sorted({step.name for version in versions for step in version.policy.steps})
    if name not in names:
        raise UnknownPolicyStep(f"step: no version of the policy has a step {name}; there are {', '.join(names)}")


async def list_late_accounts(
    unit: Unit, criteria: LateAccountCriteria, after: UUID | None, limit: int
) -> list[LateAccount]:
    """List late accounts in the order of their cases' ids; all of a page are loaded together.

    Raises UnknownPolicyStep.
    """
    versions = await policy_queries.list_policy_versions(unit)
    if criteria.step is not None:
        _check_step(versions, criteria.step)
    rows = await late_account_queries.list_late_account_rows(unit, criteria, after, limit)
    account_ids = [row["account_id"] for row in rows]
    facts_by_account = await fact_queries.load_dunning_accounts(unit, account_ids)
    suspensions = _group_by_account(await late_account_queries.list_suspensions_of_accounts(unit, account_ids))
    waiting = _group_by_account(await late_account_queries.list_deferred_steps(unit, account_ids))
    described = []
    for row in rows:
        account = facts_by_account[row["account_id"]]
        items = evaluate_items(versions, account, unit.now)
        today = get_local_date(unit.now, account.zone)
        described.append(
            _describe_account(row, items, today, suspensions[account.account_id], waiting[account.account_id])
        )
    return described


def _group_by_account(rows: Sequence[asyncpg.Record]) -> Mapping[UUID, list[asyncpg.Record]]:
    rows_by_account: defaultdict[UUID, list[asyncpg.Record]] = defaultdict(list)
    for row in rows:
        rows_by_account[row["account_id"]].append(row)
    return rows_by_account


def _describe_account(
    row: asyncpg.Record,
    items: Sequence[EvaluatedItem],
    today: date,
    suspensions: Sequence[asyncpg.Record],
    waiting: Sequence[asyncpg.Record],
) -> LateAccount:
    overdue = [item for item in items if item.evaluation.is_overdue_and_open]
    return LateAccount(
        case_id=row["case_id"],
        account_id=row["account_id"],
        legal_entity=row["legal_entity"],
        late_since=row["opened_at"],
        oldest_due_date=row["oldest_due_date"],
        days_late=(today - row["oldest_due_date"]).days,
        state=assess_account_state(items, suspensions),
        step=row["stage"],
        position=max((item.evaluation.position for item in overdue), default=0),
        next=_find_coming_step(overdue),
        amounts=_sum_amounts(overdue),
        suspended_subscription_ids=[
            suspension["subscription_id"] for suspension in suspensions if suspension["state"] != "requested"
        ],
        waiting=waiting,
    )


def _find_coming_step(overdue: Sequence[EvaluatedItem]) -> NextAccountStep | None:
    """Find the first step that comes of the overdue invoices; of several at one instant, that of the first number."""
    coming: list[tuple[datetime, str, UUID, NextDunningStep]] = [
        (upcoming.at, item.item.number, item.item.invoice_id, upcoming)
        for item in overdue
        if (upcoming := item.evaluation.next)
    ]
    if not coming:
        return None
    at, _, invoice_id, upcoming = min(coming)
    return NextAccountStep(invoice_id, upcoming.step, at, upcoming.rule)


_AMOUNTS = attrgetter("open_minor", "disputed_minor", "in_flight_minor", "promised_minor", "dunnable_minor")


def _sum_amounts(overdue: Sequence[EvaluatedItem]) -> list[OverdueAmounts]:
    """Sum the amounts of the overdue invoices by currency; currencies are never added."""
    amounts_by_currency: defaultdict[str, list[tuple[int, ...]]] = defaultdict(list)
    for item in overdue:
        amounts_by_currency[item.evaluation.currency].append(_AMOUNTS(item.evaluation))
    return [
        OverdueAmounts(currency, *(sum(column) for column in zip(*amounts, strict=True)))
        for currency, amounts in sorted(amounts_by_currency.items())
    ]
