"""Surfaces are as they were written down; `pytest tests/golden --write-golden` writes them anew."""

from collections.abc import AsyncIterator
from difflib import unified_diff
from pathlib import Path
from typing import Any

import pytest

from deploy.local.tokens import SigningKeyPair
from deploy.schema_text import GLOSSARY, list_meanings, render_schema
from shared.process.service import NAMES
from tests.builders import Database
from tests.golden import surface
from tests.golden.statements import recorder
from tests.golden.stories import STORIES, Stage

SHOWN_LINES, SHOWN_CHARS = 40, 300
"""So much of a difference is shown."""
FILES = Path(__file__).parent / "files"


def check_part(name: str, part: Any, *, is_written: bool) -> None:
    """Check that a part is as it was written down, or write it."""
    file = FILES / f"{name}.json"
    if is_written:
        FILES.mkdir(exist_ok=True)
        file.write_text(surface.write_json(part))
    changed = list_changed(file.read_text(), surface.write_json(part))
    assert not changed, "\n".join([f"{file.name} is not as it was; on purpose? --write-golden", *changed])


def list_changed(before: str, now: str) -> list[str]:
    """List the lines that differ, as far as they are shown."""
    lines = unified_diff(before.splitlines(), now.splitlines(), n=0, lineterm="")
    return [line[:SHOWN_CHARS] for line in lines][:SHOWN_LINES]


@pytest.fixture
def is_written(request: pytest.FixtureRequest) -> bool:
    return bool(request.config.getoption("--write-golden"))


@pytest.mark.parametrize("name", surface.PARTS)
def test_what_is_seen_is_as_it_was(name: str, is_written: bool) -> None:
    check_part(name, surface.PARTS[name](), is_written=is_written)


@pytest.mark.parametrize("service", NAMES)
async def test_the_schema_is_as_it_is_written(database: Database, service: str, is_written: bool) -> None:
    file = surface.ROOT / "services" / service / "schema.sql"
    async with database.connected() as connection:
        text = await render_schema(connection, service, list_meanings(GLOSSARY.read_text()))
    if is_written:
        file.write_text(text)
    changed = list_changed(file.read_text(), text)
    assert not changed, "\n".join([f"{file.name} is not what the migrations make: make schemas", *changed])


@pytest.mark.parametrize(
    "drift",
    [
        "ALTER TABLE entitlements.holds ADD COLUMN forgotten text",
        "ALTER TABLE entitlements.holds ALTER COLUMN comment SET DEFAULT 'x'",
        "ALTER TABLE entitlements.holds ADD CHECK (comment <> '')",
        "CREATE INDEX forgotten ON entitlements.holds (comment)",
        "GRANT TRUNCATE ON entitlements.holds TO entitlements",
        "GRANT UPDATE (comment) ON entitlements.holds TO monitor",
        "CREATE VIEW entitlements.forgotten AS SELECT 1 AS id",
    ],
)
async def test_a_change_of_the_schema_is_seen(database: Database, drift: str) -> None:
    await database.execute(drift)
    async with database.connected() as connection:
        text = await render_schema(connection, "entitlements", list_meanings(GLOSSARY.read_text()))
    before = (surface.ROOT / "services" / "entitlements" / "schema.sql").read_text()
    assert any("forgotten" in line or "comment" in line or "TRUNCATE" in line for line in list_changed(before, text))


@pytest.fixture
async def stage(
    database: Database, keys: SigningKeyPair, jwks_file: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Stage]:
    with recorder(monkeypatch) as made:
        yield Stage(database, keys, jwks_file, made)


@pytest.mark.parametrize("name", STORIES)
async def test_a_story_asks_the_database_what_it_asked(stage: Stage, name: str, is_written: bool) -> None:
    statements = await STORIES[name](stage)
    assert statements
    file = f"statements_{name.replace(',', '').replace(' ', '_')}"
    check_part(file, statements, is_written=is_written)
