"""Names are printed in their script: no character is a box, and what is read from the right is written from it."""

import io
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
from pypdf import PdfReader
from structlog.testing import capture_logs

from shared.outside.printing import DocumentPrinter
from shared.outside.printing.fonts import list_font_folders
from shared.outside.printing.printer import LACKING_DOCUMENTS

NAMES = {
    "Japanese": "有限会社サンプル",
    "simplified Chinese": "上海示例有限公司",
    "traditional Chinese": "臺北範例",
    "Korean": "주식회사예시",
    "Arabic": "شركة",
    "Hebrew": "חברה",
    "Cyrillic": "Счёт",
    "Greek": "Εταιρεία",
}


@pytest.fixture
async def printer() -> AsyncIterator[DocumentPrinter]:
    made = DocumentPrinter(1, 120, 4)
    yield made
    await made.close()


def test_the_fonts_are_there() -> None:
    files = {path.name.partition("[")[0] for folder in list_font_folders() for path in folder.rglob("*.ttf")}
    wanted = ("JP", "KR", "SC", "TC", "Arabic", "Hebrew")
    assert files == {f"NotoSans{script}" for script in wanted}


@pytest.mark.parametrize(("name", "script"), [("บริษัท", "thai"), ("कंपनी", "devanagari"), ("ក្រុមហ៊ុន", "khmer")])
async def test_characters_that_no_font_has_are_told_without_the_text(
    printer: DocumentPrinter, name: str, script: str
) -> None:
    before = LACKING_DOCUMENTS._value.get()
    with capture_logs() as logs:
        document = await printer.print_document(f"<p>Account 17 {name} & {NAMES['Korean']}</p>")
    assert set(document.missing) == set(name)
    assert PdfReader(io.BytesIO(document.pdf)).pages
    (line,) = logs
    assert (line["characters"], line["scripts"]) == (len(set(name)), [script])
    assert not set(name) & set(f"{line}")
    assert LACKING_DOCUMENTS._value.get() == before + 1


async def test_nothing_is_told_where_every_character_is_printed(printer: DocumentPrinter) -> None:
    with capture_logs() as logs:
        document = await printer.print_document("".join(f"<p>{name}</p>" for name in NAMES.values()))
    assert (document.missing, logs) == ("", [])


async def test_every_name_is_printed_in_a_font_that_has_its_characters(printer: DocumentPrinter) -> None:
    style = "<style>body { font-family: 'DejaVu Sans', sans-serif }</style>"
    lines = "".join(f"<p>{name}</p><p><b>{name}</b></p>" for name in NAMES.values())
    page: Any = PdfReader(io.BytesIO(await printer.print_pdf(style + lines))).pages[0]
    fonts = {font.get_object()["/BaseFont"] for font in page["/Resources"]["/Font"].values()}
    kinds = {re.sub(r"^/[A-Z]+\+|-(Bold|Regular|Thin).*$", "", name) for name in fonts}
    assert any("JP" in kind or "SC" in kind or "TC" in kind for kind in kinds), kinds
    assert any("KR" in kind or "CJK" in kind for kind in kinds) or len(kinds) > 1, kinds
    drawn = re.sub(r"\s", "", page.extract_text())
    for language, name in NAMES.items():
        assert name in drawn or name[::-1] in drawn, (language, drawn)
