"""Statements that a service sends to the database, counted by their text."""

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import asyncpg
import pytest


class Recorder:
    """Counts the statements of a service's units while it is on."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._is_on = False

    async def connect(self, *args: Any, **options: Any) -> asyncpg.Connection:
        """Connect as asyncpg does; what a service's pool asks is counted."""
        connection = await _CONNECT(*args, **options)
        if options.get("server_settings", {}).get("application_name") == "goodstanding":
            connection.add_query_logger(self._count)
        return connection

    def _count(self, record: asyncpg.connection.LoggedQuery) -> None:
        if self._is_on:
            self._counts[_SAVEPOINT.sub("savepoint", " ".join(record.query.split()))] += 1

    @contextmanager
    def recording(self) -> Iterator[Counter[str]]:
        """Count what is asked within; the counts are whole at the end."""
        self._counts = Counter()
        self._is_on = True
        try:
            yield self._counts
        finally:
            self._is_on = False


_CONNECT = asyncpg.connect
_SAVEPOINT = re.compile("__asyncpg_savepoint_[0-9a-f]+__")
"""The driver numbers them as they come."""


@contextmanager
def recorder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Recorder]:
    """A recorder that sees the connections that are made within."""
    made = Recorder()
    with monkeypatch.context() as patched:
        patched.setattr(asyncpg, "connect", made.connect)
        yield made
