"""Evidence packs: what a person needs to open a request in the vendor's portal, as a text to paste and as a ZIP."""

import io
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

CHECKS = {"health_result": "service health", "attempts": "attempts of our own", "consulted": "resources consulted"}
CONTACT = ("company", "name", "email", "phone")


@dataclass(frozen=True, slots=True)
class VendorTicketText:
    """The contents of a ticket that go to the vendor."""

    title: str
    description: str
    product: str | None
    severity: str | None
    category: str | None
    contact: Mapping[str, str]
    checks: Mapping[str, Any]
    entries: Sequence[Mapping[str, Any]]
    compared_lines: Sequence[Mapping[str, Any]]
    no_line_reason: str | None


@dataclass(frozen=True, slots=True)
class EvidencePackFile:
    """A file of an evidence pack, which was searched before."""

    name: str
    content: bytes


def render_vendor_ticket(ticket: VendorTicketText) -> str:
    """Render a ticket as a text to be pasted into the vendor's form."""
    fields = {"Product": ticket.product, "Severity": ticket.severity, "Category": ticket.category}
    lines = [ticket.title, "", *(f"{name}: {value}" for name, value in fields.items() if value), ""]
    lines += [ticket.description, ""]
    lines += [f"{words}: {ticket.checks[name]}" for name, words in CHECKS.items() if ticket.checks[name]]
    lines += [_render_line(line) for line in ticket.compared_lines]
    if ticket.no_line_reason is not None:
        lines.append(f"There is no line of ours: {ticket.no_line_reason}")
    lines += ["", "Contact (partner):", *(ticket.contact[name] for name in CONTACT)]
    return "\n".join(lines) + "\n"


def _render_line(line: Mapping[str, Any]) -> str:
    billed, expected = line["billed_minor"], line["expected_minor"]
    return (
        f"{line['charge_type']} {line['period_from']} to {line['period_to']}: you bill {billed}, we expect {expected}"
        f" ({line['currency']}, minor units); {line['cause']}"
    )


def build_evidence_pack(ticket: VendorTicketText, files: Iterable[EvidencePackFile], at: datetime) -> bytes:
    """Build the ZIP of a ticket: its text, its entries, and files. The same contents give the same bytes."""
    names = (f"entries/{number:03}.txt" for number in range(1, len(ticket.entries) + 1))
    entries = [
        EvidencePackFile(name, f"{entry['entered_at']} {entry['kind']}\n\n{entry['content']}\n".encode())
        for name, entry in zip(names, ticket.entries, strict=True)
    ]
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in (EvidencePackFile("request.txt", render_vendor_ticket(ticket).encode()), *entries, *files):
            place = zipfile.ZipInfo(file.name, at.timetuple()[:6])
            place.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(place, file.content)
    return packed.getvalue()
