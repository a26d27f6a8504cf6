"""Support resources are kept by people and by files, and consulted in cases."""

from collections.abc import Mapping, Sequence
from datetime import UTC, timedelta
from typing import Any
from uuid import UUID

from services.escalation.domain.cases import CaseState
from services.escalation.domain.state_moves import StateMoveRefused
from services.escalation.repository import resource_queries
from services.escalation.tables import ResourceUseRow, SupportResourceRow
from services.escalation.use_cases.cases import lock_case, write_internal_entry
from shared.events.escalation import SupportContractEnding, SupportContractRequestsLow
from shared.persistence.audit import AuditedChange
from shared.persistence.database import Unit
from shared.pure.errors import Refusal
from shared.pure.ids import new_id
from shared.web.versions import check_object_version

CONTRACT_LEAD = timedelta(days=30)
"""How long before the last day of a premier contract its end is warned of."""
FEW_REQUESTS = 2
"""From so many requests on, each that a ticket uses up of a premier contract is warned of."""


class ResourceReferenceTaken(Refusal):
    """Another support resource has this reference."""

    code = "reference_taken"


class SupportContractUsedUp(Refusal):
    """The contract has no requests any more, or is over."""

    code = "contract_used_up"


def build_support_resource(unit: Unit, fields: Mapping[str, Any], actor: str) -> SupportResourceRow:
    """Build a resource of its fields."""
    return SupportResourceRow(id=new_id(), version=1, changed_by=actor, changed_at=unit.now, **fields)


async def add_support_resource(unit: Unit, fields: Mapping[str, Any], actor: str) -> SupportResourceRow:
    """Add a resource. Raises ReferenceTaken."""
    await unit.lock_subjects(f"support resource {fields['reference']}")
    if await resource_queries.find_resource_by_reference(unit, fields["reference"]) is not None:
        raise ResourceReferenceTaken(f"reference: another resource is {fields['reference']}")
    row = build_support_resource(unit, fields, actor)
    await resource_queries.save_support_resource(unit, row)
    await resource_queries.save_resource_words(unit, [row.reference])
    await resource_queries.plan_contract_warnings(unit, [row.reference], CONTRACT_LEAD)
    unit.record(AuditedChange("support_resource", row.id))
    return row


async def change_support_resource(
    unit: Unit, resource_id: UUID, version: int, fields: Mapping[str, Any], actor: str
) -> SupportResourceRow:
    """Put other fields in the place of those of a resource. Raises NotFound, ChangedMeanwhile, ReferenceTaken."""
    reference = (await resource_queries.get_support_resource(unit, resource_id)).reference
    await unit.lock_subjects(*(f"support resource {name}" for name in {reference, fields["reference"]}), resource_id)
    row = await resource_queries.get_support_resource(unit, resource_id)
    check_object_version(row.version, version)
    standing_id = await resource_queries.find_resource_by_reference(unit, fields["reference"])
    if standing_id not in (None, resource_id):
        raise ResourceReferenceTaken(f"reference: another resource is {fields['reference']}")
    before = row.model_dump(mode="json")
    row.sqlmodel_update({**fields, "version": row.version + 1, "changed_by": actor, "changed_at": unit.now})
    await resource_queries.save_support_resource(unit, row)
    await resource_queries.save_resource_words(unit, [row.reference])
    await resource_queries.plan_contract_warnings(unit, [row.reference], CONTRACT_LEAD)
    unit.record(AuditedChange("support_resource", row.id, None, before, row.model_dump(mode="json")))
    return row


async def import_support_resources(unit: Unit, lines: Sequence[Mapping[str, Any]], actor: str) -> int:
    """Write the resources of a file, known ones by their references; how many are new."""
    await unit.lock_subjects("support resources")
    new = await resource_queries.upsert_support_resources(
        unit, [build_support_resource(unit, fields, actor) for fields in lines]
    )
    references = [fields["reference"] for fields in lines]
    await resource_queries.save_resource_words(unit, references)
    await resource_queries.plan_contract_warnings(unit, references, CONTRACT_LEAD)
    unit.record(AuditedChange("support_resources", "import", None, None, {"lines": len(lines), "new": new}))
    return new


async def record_resource_consulted(
    unit: Unit, case_id: UUID, resource_id: UUID, result: str, note: str, actor: str
) -> ResourceUseRow:
    """Record that a resource was consulted in a case, and what came of it. Raises NotFound, StateMoveRefused."""
    case = await lock_case(unit, case_id)
    if case.state == CaseState.MERGED:
        raise StateMoveRefused(f"the case goes on as {case.merged_into}")
    resource = await resource_queries.get_support_resource(unit, resource_id)
    row = ResourceUseRow(
        id=new_id(),
        resource_id=resource_id,
        case_id=case_id,
        case_kind=case.kind,
        result=result,
        actor=actor,
        consulted_at=unit.now,
    )
    await resource_queries.insert_resource_use(unit, row)
    details = {"resource_id": str(resource_id), "title": resource.title, "result": result}
    await write_internal_entry(unit, case, "resource", actor, note, details)
    unit.record(AuditedChange("resource_use", row.id, case.account_id))
    return row


async def use_contract_request(unit: Unit, resource_id: UUID) -> None:
    """Use up one request of a premier contract, if its requests are counted. Raises NotFound, SupportContractUsedUp."""
    await unit.lock_subjects(resource_id)
    row = await resource_queries.get_support_resource(unit, resource_id)
    today = unit.now.astimezone(UTC).date()
    if row.requests_left == 0 or (row.valid_to is not None and row.valid_to < today):
        raise SupportContractUsedUp(f"the contract {row.reference} has no request for today")
    if row.requests_left is not None:
        row.requests_left, row.version = row.requests_left - 1, row.version + 1
        await resource_queries.save_support_resource(unit, row)
        if row.requests_left <= FEW_REQUESTS:
            unit.publish(
                SupportContractRequestsLow(resource_id=row.id, valid_to=row.valid_to, requests_left=row.requests_left)
            )


async def announce_ending_contracts(unit: Unit, resource_ids: list[str]) -> None:
    """Warn of the ends of these premier contracts."""
    for row in await resource_queries.take_contract_warnings(unit, [UUID(resource_id) for resource_id in resource_ids]):
        unit.publish(
            SupportContractEnding(resource_id=row["id"], valid_to=row["valid_to"], requests_left=row["requests_left"])
        )
