"""Plans of queries: by which index a list is read."""

import re
from collections.abc import Mapping
from typing import Any

from tests.builders import Database

Query = tuple[str, list[Any]]
"""A statement and its arguments."""


async def check_plans(database: Database, service: str, queries: Mapping[str, tuple[Query, str]]) -> None:
    """Check that each query is planned without a whole read of a table, and by the index of this name."""
    async with database.connected(service) as connection:
        await connection.execute("SET enable_seqscan = off")
        for name, ((query, arguments), index) in queries.items():
            plan = "\n".join(row[0] for row in await connection.fetch(f"EXPLAIN {query}", *arguments))
            assert re.search(rf"(using|on) ({index})\b", plan), f"{name}: {plan}"
            assert "Seq Scan" not in plan, f"{name}: {plan}"
