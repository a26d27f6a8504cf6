"""Tickets for the vendor are prepared: checked, searched for contact data, and beside our line where it bills."""

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import UUID

from services.escalation.adapters import open_invoicing_records
from services.escalation.domain.contact_details import CleanedText, ContactDetailDecision, remove_contact_details
from services.escalation.domain.handovers import TechnicalProblemCategory
from services.escalation.domain.vendor_tickets import TicketStatus
from services.escalation.repository import case_queries, handover_queries, resource_queries, ticket_queries
from services.escalation.tables import CaseRow, EntryRow, VendorChannelRow, VendorTicketRow
from services.escalation.use_cases.cases import lock_case, write_internal_entry
from services.escalation.use_cases.handovers import (
    HandoverReadiness,
    check_case_unresolved,
    check_handover_readiness,
    load_handover_readiness,
)
from services.escalation.use_cases.ticket_files import (
    FileForTicket,
    check_file_unchanged,
    list_file_decisions,
    list_unsearchable_files,
    load_ticket_files,
    map_ticket_texts,
)
from shared.contracts.vendor_documents import ComparedVendorLine
from shared.persistence.audit import AuditedChange
from shared.persistence.database import Unit
from shared.pure.errors import Refusal, RetryLater, Unavailable
from shared.pure.ids import new_id
from shared.web.clients import RefusedByService

if TYPE_CHECKING:
    from shared.process.runtime import Runtime

CLAIM_REASON = "the customer's written claim for a service credit"
MAX_SHOWN_DETAILS = 100
"""How many of the contact details that nobody has decided about a refusal names."""


class VendorChannelMissing(Refusal):
    """Nobody has said how the legal entity reaches the vendor, or which legal entity it is."""

    code: ClassVar[str] = "vendor_channel_missing"


class InternalEntryForVendor(Refusal):
    """An internal entry leaves by no door."""

    code: ClassVar[str] = "entry_internal"
    status: ClassVar[int] = 422


class UnknownCaseEntry(Refusal):
    """The case has no such entry."""

    code: ClassVar[str] = "entry_unknown"
    status: ClassVar[int] = 422


class ContactDetailsUndecided(Refusal):
    """Addresses or telephone numbers would go to the vendor: `details` names them, each is removed or let through."""

    code: ClassVar[str] = "contact_details_undecided"


class NotASupportContract(Refusal):
    """The support resource is no premier contract."""

    code: ClassVar[str] = "not_a_contract"
    status: ClassVar[int] = 422


@dataclass(frozen=True, slots=True)
class NewVendorTicket:
    """Request of a person to the vendor; None takes what the case has."""

    title: str
    description: str
    product: str | None
    severity: str | None
    category: TechnicalProblemCategory | None
    language: str | None
    entry_ids: Sequence[UUID]
    attachment_ids: Sequence[UUID]
    no_line_reason: str | None
    resource_id: UUID | None
    legal_entity: str | None
    decisions: Sequence[ContactDetailDecision]


@dataclass(frozen=True, slots=True)
class VendorTicketMaterial:
    """Texts of a ticket after a person's choices, and what it stands beside."""

    channel: VendorChannelRow
    texts: Mapping[str, str]
    entries: Sequence[Mapping[str, Any]]
    decisions: Sequence[Mapping[str, Any]]
    compared_lines: Sequence[ComparedVendorLine]


@dataclass(frozen=True, slots=True)
class _Sources:
    case: CaseRow
    channel: VendorChannelRow
    entries: Sequence[EntryRow]
    difference_ids: Sequence[UUID]
    files: Sequence[FileForTicket]
    claim_ids: Collection[UUID]
    """Entries that are the customer's written claim for a service credit: they go as they were written."""


async def gather_ticket_material(runtime: "Runtime", case_id: UUID, new: NewVendorTicket) -> VendorTicketMaterial:
    """Gather what a ticket carries, before anything is written: entries never change.

    Raises NotFound, VendorChannelMissing, UnknownCaseEntry, InternalEntryForVendor, TicketFileUnknown,
    TicketFileInternal, TicketFilesTooLarge, TicketFileUnchanged, ContactDetailsUndecided, Unavailable.
    """
    sources = await runtime.units.run(lambda unit: _load_sources(unit, case_id, new))
    lines = [await _compare_lines(runtime, difference_id) for difference_id in sources.difference_ids]
    texts = {"title": new.title, "description": new.description}
    if product := new.product or sources.case.product:
        texts["product"] = product
    entries = {f"entry {entry.id}": entry.content for entry in sources.entries if entry.id not in sources.claim_ids}
    searched = entries | map_ticket_texts(sources.files)
    unsearched = list_unsearchable_files(sources.files, new.decisions)
    cleaned = await asyncio.to_thread(
        clean_ticket_texts, texts | searched, sources.channel.countries, new.decisions, unsearched
    )
    check_file_unchanged(sources.files, cleaned)
    return VendorTicketMaterial(
        channel=sources.channel,
        texts={name: cleaned[name].text for name in texts},
        entries=[_show_entry(entry, cleaned) for entry in sources.entries],
        decisions=[
            *_list_decisions(cleaned),
            *list_file_decisions(sources.files, new.decisions),
            *_list_claim_decisions(sources),
        ],
        compared_lines=lines,
    )


async def _load_sources(unit: Unit, case_id: UUID, new: NewVendorTicket) -> _Sources:
    case = await case_queries.get_case(unit, case_id)
    legal_entity = new.legal_entity
    if case.account_id is not None:
        legal_entity = await handover_queries.find_account_legal_entity(unit, case.account_id) or legal_entity
    channel = None if legal_entity is None else await handover_queries.find_vendor_channel(unit, legal_entity)
    if channel is None:
        raise VendorChannelMissing(f"nobody has said how {legal_entity or 'a legal entity'} reaches the vendor")
    entries = await handover_queries.list_chosen_entries(unit, case_id, new.entry_ids)
    if unknown := set(new.entry_ids) - {entry.id for entry in entries}:
        raise UnknownCaseEntry(f"entry_ids: the case has no entry {min(unknown)}")
    if internal := [entry for entry in entries if entry.audience == "internal"]:
        raise InternalEntryForVendor(f"entry_ids: {internal[0].id} is internal")
    links = await case_queries.list_case_links(unit, case_id)
    differences = [link.target_id for link in links if link.kind == "vendor_difference"]
    files = await load_ticket_files(unit, case_id, new.attachment_ids)
    claims = await handover_queries.list_written_claims(unit, case_id)
    return _Sources(case, channel, entries, differences, files, claims)


async def _compare_lines(runtime: "Runtime", difference_id: UUID) -> ComparedVendorLine:
    """Ask invoicing for our line beside the vendor's. Raises Unavailable."""
    try:
        return await open_invoicing_records(runtime).fetch_compared_line(difference_id)
    except (RefusedByService, RetryLater) as error:
        raise Unavailable(f"invoicing does not show the vendor difference {difference_id}: {error}") from error


def clean_ticket_texts(
    texts: Mapping[str, str],
    countries: Sequence[str],
    decisions: Iterable[ContactDetailDecision],
    unsearched: Sequence[Mapping[str, str]] = (),
) -> dict[str, CleanedText]:
    """Clean texts by their places; what could not be searched is undecided too. Raises ContactDetailsUndecided."""
    choices = tuple(decisions)
    cleaned = {place: remove_contact_details(text, countries, choices) for place, text in texts.items()}
    undecided = [
        {"place": place, "kind": finding.kind, "content": finding.content}
        for place, result in cleaned.items()
        for finding in result.undecided
    ]
    undecided += [dict(file) for file in unsearched]
    if undecided:
        raise ContactDetailsUndecided(
            f"{len(undecided)} addresses, telephone numbers or files: remove each, or let it through",
            details=undecided[:MAX_SHOWN_DETAILS],
        )
    return cleaned


def _list_decisions(cleaned: Mapping[str, CleanedText]) -> list[dict[str, Any]]:
    """List what was decided about contact details, without them."""
    return [
        {"place": place, "kind": finding.kind, "choice": decision.choice, "reason": decision.reason}
        for place, result in cleaned.items()
        for finding, decision in result.decided
    ]


def _list_claim_decisions(sources: _Sources) -> list[dict[str, Any]]:
    """List the customer's written claims among the entries: the rule lets them through, and nobody else."""
    return [
        {"place": f"entry {entry.id}", "kind": "written_claim", "choice": "let_through", "reason": CLAIM_REASON}
        for entry in sources.entries
        if entry.id in sources.claim_ids
    ]


def _show_entry(entry: EntryRow, cleaned: Mapping[str, CleanedText]) -> dict[str, Any]:
    """Show an entry as it goes to the vendor: cleaned, unless it was not to be searched."""
    result = cleaned.get(f"entry {entry.id}")
    return {
        "id": str(entry.id),
        "kind": entry.kind,
        "content": entry.content if result is None else result.text,
        "entered_at": entry.entered_at.isoformat(timespec="seconds"),
    }


async def prepare_vendor_ticket(
    unit: Unit, case_id: UUID, new: NewVendorTicket, material: VendorTicketMaterial, actor: str
) -> VendorTicketRow:
    """Prepare a ticket, which a person submits.

    Raises NotFound, StateMoveRefused, HandoverIncomplete, NotASupportContract.
    """
    case = await lock_case(unit, case_id)
    check_case_unresolved(case)
    readiness = await load_handover_readiness(unit, case, new.category, new.no_line_reason)
    check_handover_readiness(readiness)
    if new.resource_id is not None:
        resource = await resource_queries.get_support_resource(unit, new.resource_id)
        if resource.kind != "premier_contract":
            raise NotASupportContract(f"resource_id: {resource.reference} is a {resource.kind}")
    row = _build_row(unit, case, new, material, readiness, actor)
    await ticket_queries.save_vendor_ticket(unit, row)
    await write_internal_entry(unit, case, "change", actor, "", {"vendor_ticket": str(row.id), "status": row.status})
    unit.record(AuditedChange("vendor_ticket", row.id, row.account_id))
    return row


def _build_row(
    unit: Unit,
    case: CaseRow,
    new: NewVendorTicket,
    material: VendorTicketMaterial,
    readiness: HandoverReadiness,
    actor: str,
) -> VendorTicketRow:
    channel = material.channel
    return VendorTicketRow(
        id=new_id(),
        case_id=case.id,
        account_id=case.account_id,
        legal_entity=channel.legal_entity,
        channel=channel.kind,
        status=TicketStatus.PREPARED,
        status_since=unit.now,
        severity=(new.severity or case.severity) if case.kind == "technical" else None,
        category=new.category if case.kind == "technical" else None,
        language=new.language or channel.language,
        product=material.texts.get("product"),
        title=material.texts["title"],
        description=material.texts["description"],
        contact=_list_contact(channel),
        checks=readiness.list_handover_checks_done(),
        entries=[dict(entry) for entry in material.entries],
        decisions=[dict(decision) for decision in material.decisions],
        compared_lines=[line.model_dump(mode="json") for line in material.compared_lines],
        no_line_reason=new.no_line_reason,
        waived=[str(requirement) for requirement in readiness.waived],
        resource_id=new.resource_id,
        attachment_ids=list(new.attachment_ids),
        prepared_by=actor,
        prepared_at=unit.now,
    )


def _list_contact(channel: VendorChannelRow) -> dict[str, str]:
    """List the contact data of a ticket: ours, whoever the customer is."""
    return {
        "company": channel.company,
        "name": channel.contact_name,
        "email": channel.contact_email,
        "phone": channel.contact_phone,
    }
