"""Helpers of tests of the vendor's invoices and of the work list."""

import asyncio
from typing import Any

import httpx2
import orjson

from shared.process.runtime import Runtime
from tests.builders import Client, Database

Service = tuple[Runtime, Client, Database]


async def read_vendor_events(database: Database, subject: str) -> list[tuple[str, dict[str, Any], dict[str, Any]]]:
    """List the events about a vendor invoice: type, headers, payload."""
    rows = await database.rows(
        "SELECT type, headers, data FROM invoicing.outbox WHERE subject = $1 ORDER BY position", subject
    )
    assert [orjson.loads(row["headers"])["ce_sequence"] for row in rows] == [str(n + 1) for n in range(len(rows))]
    return [(row["type"].split(".")[2], orjson.loads(row["headers"]), orjson.loads(row["data"])) for row in rows]


WAITING = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


LONGEST_WAIT_SECONDS = 60
"""After which requests that should wait for one another do not."""


async def at_once(service: Service, invoice_id: str, path: str, bodies: list[dict[str, Any]]) -> list[httpx2.Response]:
    """Two requests about a vendor invoice, each of which has read what there is before the other one acts."""
    _, client, database = service
    async with database.connected() as holder, asyncio.TaskGroup() as group, holder.transaction():
        await holder.execute("SELECT FROM invoicing.streams WHERE subject = $1 FOR UPDATE", invoice_id)
        sent = [group.create_task(client.post(path, body)) for body in bodies]
        async with asyncio.timeout(LONGEST_WAIT_SECONDS):
            while await database.value(WAITING) < len(bodies):  # noqa: ASYNC110  # the database says when
                await asyncio.sleep(0.01)
    return [task.result() for task in sent]
