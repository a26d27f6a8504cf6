"""Surfaces are as they were written down; `pytest tests/golden --write-golden` writes them anew."""

from collections.abc import AsyncIterator
from difflib import unified_diff
from pathlib import Path
from typing import Any

import pytest

from deploy.local.tokens import SigningKeyPair
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
    before, now = file.read_text().splitlines(), surface.write_json(part).splitlines()
    changed = [line[:SHOWN_CHARS] for line in unified_diff(before, now, n=0, lineterm="")]
    assert not changed, "\n".join([f"{file.name} is not as it was; on purpose? --write-golden", *changed[:SHOWN_LINES]])


@pytest.fixture
def is_written(request: pytest.FixtureRequest) -> bool:
    return bool(request.config.getoption("--write-golden"))


@pytest.mark.parametrize("name", surface.PARTS)
def test_what_is_seen_is_as_it_was(name: str, is_written: bool) -> None:
    check_part(name, surface.PARTS[name](), is_written=is_written)


@pytest.mark.parametrize("service", NAMES)
async def test_the_schema_is_as_it_was(database: Database, service: str, is_written: bool) -> None:
    async with database.connected() as connection:
        shape = await surface.read_shape(connection, service)
    check_part(f"schema_{service}", shape, is_written=is_written)


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
