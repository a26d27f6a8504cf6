"""Service health is looked at: cases that fit an incident are linked, and asked about when it has ended."""

from typing import TYPE_CHECKING
from uuid import UUID

from services.escalation.adapters import open_service_health
from services.escalation.domain.cases import UNRESOLVED, CaseState
from services.escalation.domain.service_health import (
    HEALTH_INTERVAL,
    SLOW_HEALTH_INTERVAL,
    Incident,
    ServiceHealth,
    ServiceHealthRefused,
)
from services.escalation.repository import case_queries, health_queries
from services.escalation.tables import HealthWatchRow, IncidentRow
from services.escalation.use_cases.case_clocks import begin_case_clocks
from services.escalation.use_cases.case_moves import advance_case
from services.escalation.use_cases.cases import write_internal_entry
from shared.persistence.database import Unit
from shared.process import intents
from shared.process.intents import Intent, RecordingOutcome
from shared.pure.errors import NotFound
from shared.pure.ids import new_id

if TYPE_CHECKING:
    from shared.process.runtime import Runtime

READ_HEALTH = "read_health"
"""The kind of the intent; its key is the watch's id."""
HealthReading = tuple[Incident, ...] | str
"""Incidents as the vendor shows them, or the code by which it does not."""


async def set_health_watch(unit: Unit, legal_entity: str, wanted: bool) -> None:
    """Have service health looked at for a legal entity, or no more."""
    if not wanted:
        await health_queries.delete_health_watch(unit, legal_entity)
    elif await health_queries.find_service_health_watch(unit, legal_entity) is None:
        row = HealthWatchRow(id=new_id(), legal_entity=legal_entity, next_reading_at=unit.now)
        await unit.lock_subjects(row.id)
        await health_queries.save_health_watch(unit, row)


async def enqueue_health_reading(unit: Unit, watch_ids: list[str]) -> None:
    """Want service health to be looked at for these watches, which are locked, and again after an interval."""
    for watch_id in map(UUID, watch_ids):
        row = await health_queries.get_health_watch(unit, watch_id)
        await intents.enqueue_intent(unit, READ_HEALTH, row.id, row.id, {})
        interval = HEALTH_INTERVAL if row.reading_refusal is None else SLOW_HEALTH_INTERVAL
        row.next_reading_at = unit.now + interval
        await health_queries.save_health_watch(unit, row)


async def fetch_service_health(runtime: "Runtime", intent: Intent) -> HealthReading:
    """Look at service health. Raises RetryLater."""
    return await _read_health(open_service_health(runtime))


async def _read_health(health: ServiceHealth) -> HealthReading:
    try:
        return await health.list_incidents()
    except ServiceHealthRefused as refusal:
        return refusal.code


async def record_service_health(unit: Unit, intent: Intent, reading: HealthReading) -> RecordingOutcome:
    """Record the incidents, and want the accounts to be looked at whose cases they are about."""
    try:
        watch = await health_queries.get_health_watch(unit, UUID(intent.key))
    except NotFound:
        return RecordingOutcome.DONE
    watch.read_at = unit.now
    watch.reading_refusal = reading if isinstance(reading, str) else None
    await health_queries.save_health_watch(unit, watch)
    if not isinstance(reading, str):
        await health_queries.save_vendor_incidents(unit, reading)
        await health_queries.enqueue_incident_accounts(unit, watch.legal_entity)
    return RecordingOutcome.DONE


async def link_cases_to_incidents(unit: Unit, account_ids: list[str]) -> None:
    """Link the cases of these accounts that fit an incident, and ask about those whose incident has ended."""
    ids = [UUID(account_id) for account_id in account_ids]
    for row in await health_queries.list_cases_fitting_incidents(unit, ids):
        await _link_case(unit, row["reference"], row["case_id"])
    for row in await health_queries.list_cases_after_incidents(unit, ids):
        await _ask_owner(unit, row["reference"], row["case_id"])
    await health_queries.dequeue_incident_accounts(unit, ids)


async def _link_case(unit: Unit, reference: str, case_id: UUID) -> None:
    """Link a case to an incident that fits: service health was checked, and says so."""
    case = await case_queries.get_case(unit, case_id)
    if CaseState(case.state) in UNRESOLVED and await health_queries.link_case_to_incident(unit, reference, case_id):
        incident = await health_queries.get_vendor_incident(unit, reference)
        details = {"result": "incident", "incident": reference}
        await write_internal_entry(unit, case, "health_check", None, _describe_incident(incident), details)


async def _ask_owner(unit: Unit, reference: str, case_id: UUID) -> None:
    """Ask the owner of a case whether the problem is gone, since its incident has ended: it is our turn."""
    case = await case_queries.get_case(unit, case_id)
    if CaseState(case.state) not in UNRESOLVED or not await health_queries.mark_incident_owner_asked(
        unit, reference, case_id
    ):
        return
    incident = await health_queries.get_vendor_incident(unit, reference)
    words = f"The incident has ended: is the problem gone?\n\n{_describe_incident(incident)}"
    details = {"result": "incident_over", "incident": reference}
    await write_internal_entry(unit, case, "health_check", None, words, details)
    if case.state == CaseState.WAITING_FOR_VENDOR:
        await advance_case(unit, case, (CaseState.IN_PROGRESS,), None, f"incident {reference} has ended")
        await begin_case_clocks(unit, case, ("update",))


def _describe_incident(incident: IncidentRow) -> str:
    return f"{incident.reference}: {incident.title}\n\n{incident.content}"
