"""Incidents of the vendor's services, and the cases that fit them."""

from collections.abc import Sequence
from uuid import UUID

import asyncpg
from sqlmodel import col, select

from services.escalation.domain.service_health import Incident
from services.escalation.tables import HealthWatchRow, IncidentRow
from shared.persistence.database import Unit
from shared.pure.errors import NotFound


async def get_health_watch(unit: Unit, watch_id: UUID) -> HealthWatchRow:
    """Get who looks for incidents. Raises NotFound if nobody does any more."""
    row = await unit.session.get(HealthWatchRow, watch_id, populate_existing=True)
    if row is None:
        raise NotFound(f"there is no health watch {watch_id}")
    return row


async def find_service_health_watch(unit: Unit, legal_entity: str) -> HealthWatchRow | None:
    """Find whether service health is looked at for a legal entity."""
    query = select(HealthWatchRow).where(HealthWatchRow.legal_entity == legal_entity)
    return (await unit.session.exec(query)).first()


async def list_watched_legal_entities(unit: Unit, legal_entities: Sequence[str]) -> set[str]:
    """List those of these legal entities for which service health is looked at."""
    query = select(HealthWatchRow.legal_entity).where(col(HealthWatchRow.legal_entity).in_(legal_entities))
    return set((await unit.session.exec(query)).all())


async def save_health_watch(unit: Unit, row: HealthWatchRow) -> None:
    """Write a watch, new or changed."""
    unit.session.add(row)
    await unit.session.flush()


async def delete_health_watch(unit: Unit, legal_entity: str) -> None:
    """Let nobody look at service health for a legal entity any more."""
    await unit.connection.execute("DELETE FROM health_watches WHERE legal_entity = $1", legal_entity)


async def save_vendor_incidents(unit: Unit, incidents: Sequence[Incident]) -> None:
    """Write incidents as they were seen, in the order of their references, so that two who write them take turns."""
    query = """
        INSERT INTO incidents (reference, title, content, services, regions, status, began_at, ended_at, seen_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
        ON CONFLICT (reference) DO UPDATE SET title = EXCLUDED.title, content = EXCLUDED.content,
            services = EXCLUDED.services, regions = EXCLUDED.regions, status = EXCLUDED.status,
            began_at = EXCLUDED.began_at, ended_at = EXCLUDED.ended_at, seen_at = EXCLUDED.seen_at
    """
    rows = [
        (
            incident.reference,
            incident.title,
            incident.content,
            list(incident.services),
            list(incident.regions),
            incident.status,
            incident.began_at,
            incident.ended_at,
            unit.now,
        )
        for incident in sorted(incidents, key=lambda incident: incident.reference)
    ]
    await unit.connection.executemany(query, rows)


_FITTING = """
SELECT i.reference, c.id AS case_id, c.account_id FROM incidents i
JOIN cases c ON lower(c.product) = ANY (SELECT lower(service) FROM unnest(i.services) AS service)
JOIN accounts a ON a.account_id = c.account_id
WHERE i.status = 'active' AND c.kind = 'technical'
    AND c.state IN ('new', 'in_progress', 'waiting_for_customer', 'waiting_for_vendor')
    AND NOT EXISTS (SELECT FROM incident_cases l WHERE (l.reference, l.case_id) = (i.reference, c.id))
"""
_UNASKED = """
SELECT i.reference, c.id AS case_id, c.account_id FROM incidents i
JOIN incident_cases l ON l.reference = i.reference AND l.asked_at IS NULL
JOIN cases c ON c.id = l.case_id
JOIN accounts a ON a.account_id = c.account_id
WHERE i.status = 'resolved'
    AND c.state IN ('new', 'in_progress', 'waiting_for_customer', 'waiting_for_vendor')
"""


async def enqueue_incident_accounts(unit: Unit, legal_entity: str) -> None:
    """Want the accounts of a legal entity to be looked at that have a case to be linked, or an owner to be asked."""
    query = f"""
        INSERT INTO incident_accounts (account_id, due_at)
        SELECT account_id, $2 FROM (
            {_FITTING} AND a.legal_entity = $1 UNION {_UNASKED} AND a.legal_entity = $1
        ) AS wanted GROUP BY account_id ORDER BY account_id ON CONFLICT DO NOTHING
    """
    await unit.connection.execute(query, legal_entity, unit.now)


async def dequeue_incident_accounts(unit: Unit, account_ids: Sequence[UUID]) -> None:
    """Forget that these accounts were to be looked at."""
    await unit.connection.execute("DELETE FROM incident_accounts WHERE account_id = ANY ($1)", account_ids)


async def list_cases_fitting_incidents(unit: Unit, account_ids: Sequence[UUID]) -> list[asyncpg.Record]:
    """List cases of accounts that fit an incident which goes on, and are not linked to it yet.

    A case fits by its product, which is one of the incident's services.
    """
    query = f"{_FITTING} AND c.account_id = ANY ($1) ORDER BY c.id, i.reference"
    return await unit.connection.fetch(query, account_ids)  # type: ignore[no-any-return]


async def list_cases_after_incidents(unit: Unit, account_ids: Sequence[UUID]) -> list[asyncpg.Record]:
    """List unresolved cases of accounts whose incident has ended, and whose owners were not asked yet."""
    query = f"{_UNASKED} AND c.account_id = ANY ($1) ORDER BY c.id, i.reference"
    return await unit.connection.fetch(query, account_ids)  # type: ignore[no-any-return]


async def get_vendor_incident(unit: Unit, reference: str) -> IncidentRow:
    """Get an incident. Raises NotFound."""
    row = await unit.session.get(IncidentRow, reference, populate_existing=True)
    if row is None:
        raise NotFound(f"there is no incident {reference}")
    return row


async def list_vendor_incidents(unit: Unit, status: str | None, after: str | None, limit: int) -> Sequence[IncidentRow]:
    """List incidents in the order of their references, after this one."""
    query = select(IncidentRow).order_by(col(IncidentRow.reference)).limit(limit)
    if status is not None:
        query = query.where(IncidentRow.status == status)
    if after is not None:
        query = query.where(col(IncidentRow.reference) > after)
    return (await unit.session.exec(query)).all()


async def list_incidents_of_case(unit: Unit, case_id: UUID, limit: int) -> list[asyncpg.Record]:
    """List the incidents that a case fits, the newest link first."""
    query = """
        SELECT i.*, l.linked_at, l.asked_at FROM incident_cases l JOIN incidents i ON i.reference = l.reference
        WHERE l.case_id = $1 ORDER BY l.linked_at DESC, i.reference LIMIT $2
    """
    return await unit.connection.fetch(query, case_id, limit)  # type: ignore[no-any-return]


async def link_case_to_incident(unit: Unit, reference: str, case_id: UUID) -> bool:
    """Link a case to an incident; whether it was not linked before."""
    query = """
        INSERT INTO incident_cases (reference, case_id, linked_at) VALUES ($1, $2, $3)
        ON CONFLICT DO NOTHING RETURNING true
    """
    return bool(await unit.connection.fetchval(query, reference, case_id, unit.now))


async def mark_incident_owner_asked(unit: Unit, reference: str, case_id: UUID) -> bool:
    """Note that the owner of a case was asked after the end of an incident; whether nobody had asked before."""
    query = """
        UPDATE incident_cases SET asked_at = $3 WHERE reference = $1 AND case_id = $2 AND asked_at IS NULL
        RETURNING true
    """
    return bool(await unit.connection.fetchval(query, reference, case_id, unit.now))
