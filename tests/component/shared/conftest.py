"""The stage on which the backbone is tried."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.builders import Database
from tests.component.shared.rehearsal import Stage, staged


@pytest.fixture(params=[False, True], ids=["one by one", "together"])
def together(request: pytest.FixtureRequest) -> bool:
    """Whether the handler takes what a batch has of its events in one call: the rules are the same."""
    return bool(request.param)


@pytest.fixture
async def stage(database: Database, jwks_file: Path) -> AsyncIterator[Stage]:
    """Units, one event and its handler, on a database of the test's own."""
    async with staged(database, jwks_file) as stage:
        yield stage
