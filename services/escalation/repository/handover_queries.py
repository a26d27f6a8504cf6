"""Steps before a case is handed over to the vendor, and the channels by which legal entities reach the vendor."""

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlmodel import col, select

from services.escalation.domain.service_credits import WRITTEN_CLAIM
from services.escalation.repository import case_queries
from services.escalation.tables import EntryRow, ServiceCreditRow, VendorChannelRow
from shared.persistence.database import Unit


async def find_vendor_channel(unit: Unit, legal_entity: str) -> VendorChannelRow | None:
    """Find how a legal entity reaches the vendor."""
    return await unit.session.get(VendorChannelRow, legal_entity, populate_existing=True)


async def save_vendor_channel(unit: Unit, row: VendorChannelRow) -> None:
    """Write how a legal entity reaches the vendor, new or changed."""
    await unit.session.merge(row)
    await unit.session.flush()


async def list_vendor_channels(unit: Unit, after: str | None, limit: int) -> Sequence[VendorChannelRow]:
    """List the channels in the order of their legal entities, after this one."""
    query = select(VendorChannelRow).order_by(col(VendorChannelRow.legal_entity)).limit(limit)
    if after is not None:
        query = query.where(col(VendorChannelRow.legal_entity) > after)
    return (await unit.session.exec(query)).all()


async def list_handover_checks(unit: Unit, case_id: UUID) -> Sequence[EntryRow]:
    """List what was checked, tried and waived in a case and in those merged into it, the newest first."""
    case_ids = [case_id, *await case_queries.list_merged_cases(unit, case_id)]
    query = select(EntryRow).where(
        col(EntryRow.case_id).in_(case_ids), col(EntryRow.kind).in_(("health_check", "attempt", "override"))
    )
    return (await unit.session.exec(query.order_by(col(EntryRow.id).desc()))).all()


async def count_consulted_resources(unit: Unit, case_id: UUID) -> int:
    """Count the resources that were consulted in a case and in those merged into it."""
    query = """
        SELECT count(*) FROM resource_uses
        WHERE case_id = $1 OR case_id IN (SELECT id FROM cases WHERE merged_into = $1)
    """
    return int(await unit.connection.fetchval(query, case_id))


async def find_account_legal_entity(unit: Unit, account_id: UUID) -> str | None:
    """Find the legal entity of an account; None while it is not known here."""
    query = "SELECT legal_entity FROM accounts WHERE account_id = $1"
    legal_entity: str | None = await unit.connection.fetchval(query, account_id)
    return legal_entity


async def list_written_claims(unit: Unit, case_id: UUID) -> Collection[UUID]:
    """List the entries of a case that are the customer's written claims for the service credits of the case."""
    case_ids = [case_id, *await case_queries.list_merged_cases(unit, case_id)]
    query = select(ServiceCreditRow.evidence).where(col(ServiceCreditRow.case_id).in_(case_ids))
    claims = [evidence.get(WRITTEN_CLAIM, {}) for evidence in (await unit.session.exec(query)).all()]
    return {UUID(claim["entry_id"]) for claim in claims if "entry_id" in claim}


async def list_chosen_entries(unit: Unit, case_id: UUID, entry_ids: Sequence[UUID]) -> Sequence[EntryRow]:
    """List those of these entries that are of a case, or of one that was merged into it, the oldest first."""
    case_ids = [case_id, *await case_queries.list_merged_cases(unit, case_id)]
    query = select(EntryRow).where(col(EntryRow.id).in_(entry_ids), col(EntryRow.case_id).in_(case_ids))
    return (await unit.session.exec(query.order_by(col(EntryRow.id)))).all()
