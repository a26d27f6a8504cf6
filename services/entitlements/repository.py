"""Every query of entitlements; the only place that knows both rows and domain."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal
from uuid import UUID

import asyncpg
from sqlmodel import col, select

from services.entitlements.domain.entitlement import EntitlementState, SubscriptionEntitlement, VendorFailure
from services.entitlements.domain.hold import Hold
from services.entitlements.domain.renewal_snapshot import RenewalSnapshot
from services.entitlements.tables import AccountRow, EntitlementRow, HoldRow
from shared.events.entitlements import HoldReason
from shared.persistence.database import Unit
from shared.persistence.list_queries import build_list_query
from shared.pure.errors import NotFound

_FAILURE = ("failure_wanted", "failure_code", "failure_detail", "failed_at")
_AUTO_RENEW = "autoRenewEnabled"
"""Whether auto-renew was on, in a stored snapshot; the other fields are the vendor's."""


async def get_entitlement(unit: Unit, subscription_id: UUID) -> SubscriptionEntitlement:
    """The entitlement to a subscription, with its holds that matter. Raises NotFound."""
    stored = await find_entitlement(unit, subscription_id)
    if stored is None:
        raise NotFound(f"there is no entitlement to subscription {subscription_id}")
    return stored


async def find_entitlement(unit: Unit, subscription_id: UUID) -> SubscriptionEntitlement | None:
    """The entitlement to a subscription if it was granted already."""
    row = await unit.session.get(EntitlementRow, subscription_id)
    if row is None:
        return None
    fields = row.model_dump(exclude=set(_FAILURE))
    values = [getattr(row, name) for name in _FAILURE]
    snapshot = None if row.snapshot is None else parse_renewal_snapshot(row.snapshot)
    return SubscriptionEntitlement(
        **fields | {"state": EntitlementState(row.state), "snapshot": snapshot},
        failure=VendorFailure(*values) if row.failure_code is not None else None,
        holds=await list_relevant_holds(unit, subscription_id),
    )


async def list_entitlements_to_end(unit: Unit, account_ids: Sequence[UUID]) -> list[SubscriptionEntitlement]:
    """List the entitlements of these accounts whose end is known and still to come, in the order of their ends."""
    rows = await unit.connection.fetch(
        "SELECT subscription_id FROM entitlements"
        " WHERE account_id = ANY($1::uuid[]) AND ends_at IS NOT NULL AND state <> 'ended' ORDER BY ends_at",
        account_ids,
    )
    return [await get_entitlement(unit, row["subscription_id"]) for row in rows]


async def save_account_time_zone(unit: Unit, account_id: UUID, time_zone: str) -> None:
    """Store the time zone of an account."""
    await unit.session.merge(AccountRow(account_id=account_id, time_zone=time_zone))
    await unit.session.flush()


async def get_account_time_zone(unit: Unit, account_id: UUID) -> str:
    """Get the time zone of an account. Raises NotFound."""
    row = await unit.session.get(AccountRow, account_id)
    if row is None:
        raise NotFound(f"there is no account {account_id}")
    return row.time_zone


async def get_account_of_subscription(unit: Unit, subscription_id: UUID) -> UUID:
    """The account of a subscription. Raises NotFound."""
    query = "SELECT account_id FROM entitlements WHERE subscription_id = $1"
    account_id: UUID | None = await unit.connection.fetchval(query, subscription_id)
    if account_id is None:
        raise NotFound(f"subscription_id: there is no entitlement to subscription {subscription_id}")
    return account_id


async def get_account_of_hold(unit: Unit, hold_id: UUID) -> UUID:
    """The account of a hold. Raises NotFound."""
    account_id: UUID | None = await unit.connection.fetchval("SELECT account_id FROM holds WHERE id = $1", hold_id)
    if account_id is None:
        raise NotFound(f"there is no hold {hold_id}")
    return account_id


async def save_entitlement(unit: Unit, changed: SubscriptionEntitlement) -> None:
    """Store an entitlement with its holds."""
    fields: dict[str, Any] = {
        name: getattr(changed, name) for name in EntitlementRow.model_fields if name not in _FAILURE
    }
    failure = changed.failure
    values = (failure.wanted, failure.code, failure.detail, failure.at) if failure else (None,) * len(_FAILURE)
    fields |= zip(_FAILURE, values, strict=True)
    fields["snapshot"] = changed.snapshot and render_renewal_snapshot(changed.snapshot)
    await unit.session.merge(EntitlementRow(**fields))
    for hold in changed.holds:
        await save_hold(unit, hold)
    await unit.session.flush()


def render_renewal_snapshot(snapshot: RenewalSnapshot) -> dict[str, Any]:
    """Render renewal settings as they are stored."""
    return {_AUTO_RENEW: snapshot.is_auto_renew_on, **snapshot.vendor_settings}


def parse_renewal_snapshot(stored: Mapping[str, Any]) -> RenewalSnapshot:
    """Parse renewal settings as they are stored."""
    vendor_settings = {name: value for name, value in stored.items() if name != _AUTO_RENEW}
    return RenewalSnapshot(bool(stored[_AUTO_RENEW]), vendor_settings)


async def get_hold(unit: Unit, hold_id: UUID) -> Hold:
    """The hold. Raises NotFound."""
    row = await unit.session.get(HoldRow, hold_id)
    if row is None:
        raise NotFound(f"there is no hold {hold_id}")
    return _hold(row)


async def find_suspension_hold(unit: Unit, suspension_id: UUID) -> Hold | None:
    """The hold that a suspension of collections has placed."""
    row = (await unit.session.exec(select(HoldRow).where(HoldRow.suspension_id == suspension_id))).first()
    return _hold(row) if row else None


async def list_relevant_holds(unit: Unit, subscription_id: UUID) -> tuple[Hold, ...]:
    """The holds on a subscription that stand, or that the vendor was called for and whose end is not announced."""
    query = (
        select(HoldRow)
        .where(HoldRow.subscription_id == subscription_id, col(HoldRow.ended_at).is_(None))
        .where(col(HoldRow.released_at).is_(None) | col(HoldRow.attempted_at).is_not(None) | _IS_EFFECTIVE)
        .order_by(col(HoldRow.id))
    )
    return tuple(_hold(row) for row in (await unit.session.exec(query)).all())


_IS_EFFECTIVE = col(HoldRow.effective_at).is_not(None)


async def save_hold(unit: Unit, changed: Hold) -> None:
    """Store a hold, new or changed."""
    await unit.session.merge(HoldRow(**asdict(changed) | {"invoice_ids": list(changed.invoice_ids)}))
    await unit.session.flush()


@dataclass(frozen=True, slots=True)
class HoldCriteria:
    """Criteria of the holds that are wanted; None is any."""

    state: Literal["standing", "released"] | None = None
    reason: HoldReason | None = None
    account_id: UUID | None = None
    subscription_id: UUID | None = None


_HOLDS = """
SELECT id AS hold_id, account_id, subscription_id, reason, owner, comment, placed_at AS since, released_at,
    suspension_id, invoice_ids, effective_at
FROM holds
"""
_HOLD_STATES = {"standing": ["released_at IS NULL"], "released": ["released_at IS NOT NULL"], None: []}


def build_hold_search(criteria: HoldCriteria, after: UUID | None, limit: int) -> tuple[str, list[Any]]:
    """Build the query of a page of holds in the order of ids, and its arguments."""
    conditions = (
        ("reason = {}", criteria.reason),
        ("account_id = {}", criteria.account_id),
        ("subscription_id = {}", criteria.subscription_id),
        ("id > {}", after),
    )
    return build_list_query(_HOLDS, conditions, "id", limit, always=_HOLD_STATES[criteria.state])


async def search_holds(unit: Unit, criteria: HoldCriteria, after: UUID | None, limit: int) -> list[asyncpg.Record]:
    """Find holds in the order of their ids, after this one."""
    query, arguments = build_hold_search(criteria, after, limit)
    return await unit.connection.fetch(query, *arguments)  # type: ignore[no-any-return]


def _hold(row: HoldRow) -> Hold:
    fields: dict[str, Any] = row.model_dump()
    return Hold(**fields | {"invoice_ids": tuple(row.invoice_ids)})


_ACCESS = """
SELECT e.subscription_id, e.account_id, e.allowed, e.since, e.seen_status, e.seen_at, e.waiting_for, e.ended_on,
       e.failure_wanted, e.failure_code, e.failure_detail, e.failed_at,
       h.id AS hold_id, h.reason, h.owner, h.comment, h.placed_at, h.suspension_id, h.invoice_ids
FROM {entitlements} AS e
LEFT JOIN holds AS h ON h.subscription_id = e.subscription_id AND h.released_at IS NULL
ORDER BY e.subscription_id, h.placed_at, h.id
"""
_ACCESS_TO_ONE = _ACCESS.format(entitlements="(SELECT * FROM entitlements WHERE subscription_id = $1)")
_ACCESS_OF_ACCOUNT = _ACCESS.format(
    entitlements="""(
    SELECT * FROM entitlements WHERE account_id = $1 AND ($2::uuid IS NULL OR subscription_id > $2)
    ORDER BY subscription_id LIMIT $3
)"""
)


async def list_access_rows(unit: Unit, subscription_id: UUID) -> Sequence[asyncpg.Record]:
    """One row for each standing hold on a subscription, one without a hold if there is none."""
    rows: Sequence[asyncpg.Record] = await unit.connection.fetch(_ACCESS_TO_ONE, subscription_id)
    return rows


async def list_access_of_account(
    unit: Unit, account_id: UUID, after: UUID | None, limit: int
) -> Sequence[asyncpg.Record]:
    """List the access rows of an account's subscriptions, in the order of their ids."""
    rows: Sequence[asyncpg.Record] = await unit.connection.fetch(_ACCESS_OF_ACCOUNT, account_id, after, limit)
    return rows
