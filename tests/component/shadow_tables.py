"""Empty temporary tables that hide the real ones from a connection: a statement reads rows that no process could write.

They have the columns of the real tables and none of their checks, so that a rule meets cases one by one.
"""

from collections.abc import Iterable, Mapping, Sequence

import asyncpg


async def hide_tables(connection: asyncpg.Connection, names: Iterable[str], schema: str = "invoicing") -> None:
    """Hide these tables of a service until the transaction ends."""
    for name in names:
        await connection.execute(f"CREATE TEMPORARY TABLE {name} ON COMMIT DROP AS TABLE {schema}.{name} WITH NO DATA")


async def insert_rows(connection: asyncpg.Connection, table: str, rows: Sequence[Mapping[str, object]]) -> None:
    """Insert rows, which all have the same columns."""
    if rows:
        columns = list(rows[0])
        places = ", ".join(f"${place}" for place, _ in enumerate(columns, 1))
        await connection.executemany(
            f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({places})", [tuple(row.values()) for row in rows]
        )
