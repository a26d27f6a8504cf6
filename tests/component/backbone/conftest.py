"""The stage on which the backbone is tried."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.builders import Database
from tests.component.backbone.rehearsal import Stage, staged


@pytest.fixture
async def stage(database: Database, jwks_file: Path) -> AsyncIterator[Stage]:
    """Units, one event and its handler, on a database of the test's own."""
    async with staged(database, jwks_file) as one:
        yield one
