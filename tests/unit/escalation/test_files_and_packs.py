"""Files of cases have names that no program takes for another type; the pack of a ticket is always the same."""

import io
import zipfile
from datetime import UTC, datetime
from typing import Any

import pytest

from services.escalation.domain.attachments import MAX_NAME_CHARS, choose_attachment_name, choose_office_type
from services.escalation.domain.evidence_packs import (
    EvidencePackFile,
    VendorTicketText,
    build_evidence_pack,
    render_vendor_ticket,
)

WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
SHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
AT = datetime(2026, 4, 2, 9, 30, 4, tzinfo=UTC)
CONTACT = {"company": "Reseller", "name": "Support", "email": "support@reseller.example", "phone": "+49 30 901820"}
BARE: dict[str, Any] = {
    "title": "Mail is late",
    "description": "Since 08:00.",
    "product": None,
    "severity": None,
    "category": None,
    "contact": CONTACT,
    "checks": {"health_result": None, "attempts": None, "consulted": None},
    "entries": (),
    "compared_lines": (),
    "no_line_reason": None,
}
ADDRESSED = "\nContact (partner):\nReseller\nSupport\nsupport@reseller.example\n+49 30 901820\n"


@pytest.mark.parametrize(
    ("name", "media_type", "saved"),
    [
        ("order.pdf", "application/pdf", "order.pdf"),
        ("ORDER.PDF", "application/pdf", "ORDER.PDF"),
        ("order.exe", "application/pdf", "order.exe.pdf"),
        ("log.csv", "text/plain", "log.csv"),
        ("log", "text/plain", "log.txt"),
        ("photo.jpeg", "image/jpeg", "photo.jpeg"),
        ("../../etc/passwd", "text/plain", "_.._etc_passwd.txt"),
        ("..\\boot.ini", "text/plain", "_boot.ini.txt"),
        ("...", "image/png", "file.png"),
        ("", "image/gif", "file.gif"),
    ],
)
def test_a_file_has_the_extension_of_what_it_is(name: str, media_type: str, saved: str) -> None:
    assert choose_attachment_name(name, media_type) == saved


def test_a_long_name_keeps_its_end_or_gets_one() -> None:
    kept = choose_attachment_name("a" * 300 + ".pdf", "application/pdf")
    assert kept == "a" * (MAX_NAME_CHARS - 4) + ".pdf"
    assert choose_attachment_name("a" * 300, "application/pdf") == kept


@pytest.mark.parametrize(
    ("parts", "media_type"),
    [
        (["[Content_Types].xml", "word/document.xml"], WORD),
        (["xl/workbook.xml"], SHEET),
        (["word/document.xml", "word/vbaProject.bin"], None),
        (["ppt/presentation.xml"], None),
        ([], None),
    ],
)
def test_a_document_is_known_by_its_parts_and_has_no_macros(parts: list[str], media_type: str | None) -> None:
    assert choose_office_type(parts) == media_type


def test_a_bare_ticket_has_no_empty_lines_for_what_nobody_knows() -> None:
    assert render_vendor_ticket(VendorTicketText(**BARE)) == f"Mail is late\n\n\nSince 08:00.\n\n{ADDRESSED}"


def test_a_ticket_says_all_that_is_known() -> None:
    line = {
        "charge_type": "cycle",
        "period_from": "2026-03-01",
        "period_to": "2026-04-01",
        "billed_minor": 12000,
        "expected_minor": 10000,
        "currency": "EUR",
        "cause": "quantity_difference",
    }
    full = BARE | {
        "product": "Exchange",
        "severity": "B",
        "category": "bug",
        "checks": {"health_result": "no incident", "attempts": 2, "consulted": 1},
        "compared_lines": [line],
        "no_line_reason": "price list",
    }
    assert render_vendor_ticket(VendorTicketText(**full)) == (
        "Mail is late\n\nProduct: Exchange\nSeverity: B\nCategory: bug\n\nSince 08:00.\n\n"
        "service health: no incident\nattempts of our own: 2\nresources consulted: 1\n"
        "cycle 2026-03-01 to 2026-04-01: you bill 12000, we expect 10000 (EUR, minor units); quantity_difference\n"
        f"There is no line of ours: price list\n{ADDRESSED}"
    )


def test_a_pack_has_the_ticket_its_entries_and_its_files_and_is_always_the_same() -> None:
    entries = [
        {"entered_at": "2026-04-02T08:00:00+00:00", "kind": "note", "content": "seen"},
        {"entered_at": "2026-04-02T08:05:00+00:00", "kind": "call", "content": "asked"},
    ]
    ticket = VendorTicketText(**BARE | {"entries": entries})
    files = [EvidencePackFile("files/01-log.txt", b"late" * 1000)]
    packed = build_evidence_pack(ticket, files, AT)
    archive = zipfile.ZipFile(io.BytesIO(packed))
    assert {name: archive.read(name).decode() for name in archive.namelist()} == {
        "request.txt": render_vendor_ticket(ticket),
        "entries/001.txt": "2026-04-02T08:00:00+00:00 note\n\nseen\n",
        "entries/002.txt": "2026-04-02T08:05:00+00:00 call\n\nasked\n",
        "files/01-log.txt": "late" * 1000,
    }
    assert {place.date_time for place in archive.infolist()} == {(2026, 4, 2, 9, 30, 4)}
    assert len(packed) < 4000, "it is compressed"
    assert build_evidence_pack(ticket, files, AT) == packed
