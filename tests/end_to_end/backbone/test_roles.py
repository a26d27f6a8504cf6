"""Each role as a process of its own: all end when told under load, and go on where they were when started again."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path

import httpx2
import pytest

from deploy.local.kafka import KafkaServer
from deploy.local.tokens import SigningKeyPair
from tests import builders
from tests.builders import account, invoice
from tests.component.collections.test_collections import STANDARD, publish
from tests.end_to_end.backbone.loops import records, sequences, until
from tests.end_to_end.backbone.processes import Launcher, Process

pytestmark = pytest.mark.xdist_group("kafka")
PROCESSES = (("invoicing", "api"), ("invoicing", "relay"), ("collections", "consumer"), ("collections", "jobs"))
CALLERS, ENOUGH = 4, 40
DUE = "2026-03-05"
"""Three days after the test's now, so that collections writes a notice for each account at once."""
IDLE = """
SELECT NOT EXISTS (SELECT FROM invoicing.invoices i WHERE i.id NOT IN (SELECT invoice_id FROM collections.items))
    AND NOT EXISTS (SELECT FROM invoicing.outbox)
    AND NOT EXISTS (SELECT FROM collections.items WHERE due_at <= $1)
    AND NOT EXISTS (SELECT FROM collections.intents WHERE state = 'pending' AND due_at <= $1)
"""
UNSENT = """
SELECT count(*) FROM collections.notices n
WHERE state <> 'pending' OR NOT EXISTS (SELECT FROM collections.intents i WHERE i.key = n.id::text)
"""
"""There is no mail hop, so each notice waits, and something wants it to be sent."""


@asynccontextmanager
async def running(launcher: Launcher, kafka: KafkaServer) -> AsyncIterator[list[Process]]:
    """All processes, ready."""
    async with AsyncExitStack() as stack:
        processes = [
            await stack.enter_async_context(launcher.run(name, kafka.bootstrap, role)) for name, role in PROCESSES
        ]
        for process in processes:
            await until(process.is_ready)
        yield processes


async def load(process: Process, owner: str, answers: list[httpx2.Response]) -> None:
    """Issue invoices, until nobody answers any more."""
    while True:
        try:
            answers.append(await process.client.post("/v1/invoices", invoice(owner, 100, due_date=DUE)))
        except httpx2.TransportError:
            return


async def under_load(processes: Sequence[Process]) -> tuple[list[str], list[httpx2.Response]]:
    """Issue invoices of some accounts through the API, and end all processes amid that; the accounts, the answers."""
    api, answers = processes[0], list[httpx2.Response]()
    owners = [(await api.client.create("/v1/accounts", account(vendor_customer_ids=[])))["id"] for _ in range(CALLERS)]
    callers = [asyncio.create_task(load(api, owner, answers)) for owner in owners]
    await until(partial(enough, answers))
    assert await asyncio.gather(*(process.end() for process in processes)) == [0] * len(processes)
    await asyncio.gather(*callers)
    return owners, answers


async def enough(answers: list[httpx2.Response]) -> bool:
    return len(answers) >= ENOUGH


def is_wrong(line: str) -> bool:
    """Whether something broke. Libraries say error when a broker is slow; only their lines name a logger."""
    return "Traceback" in line or ('"level": "error"' in line and '"logger"' not in line)


async def test_each_role_ends_under_load_and_goes_on_later(
    launcher: Launcher, kafka: KafkaServer, keys: SigningKeyPair, jwks_file: Path
) -> None:
    database = launcher.database
    async with builders.running("collections", database, keys, jwks_file) as (_, collections):
        await publish(collections, STANDARD)
    async with running(launcher, kafka) as processes:
        owners, answers = await under_load(processes)
        logs = [process.log.read_bytes() for process in processes]
    assert {answer.status_code for answer in answers} == {201}
    kept = {str(row["id"]) for row in await database.rows("SELECT id FROM invoicing.invoices")}
    assert {answer.json()["id"] for answer in answers} <= kept
    # What a worker had in hand is done by another once its lease is over; here it is over now.
    await database.execute("UPDATE collections.intents SET leased_until = NULL")
    async with running(launcher, kafka) as processes:
        await until(lambda: database.value(IDLE, database.now))
        assert await asyncio.gather(*(process.end() for process in processes)) == [0] * len(processes)
        logs += [process.log.read_bytes() for process in processes]
    assert [line for log in logs for line in log.decode().splitlines() if is_wrong(line)] == []
    assert {str(row["invoice_id"]) for row in await database.rows("SELECT invoice_id FROM collections.items")} == kept
    assert await database.value(UNSENT) == 0
    noticed = await database.rows("SELECT DISTINCT account_id FROM collections.notices")
    assert {str(row["account_id"]) for row in noticed} == set(owners)
    events = await records(kafka.bootstrap, "invoicing.events")
    for owner in owners:
        last = await database.value("SELECT sequence FROM invoicing.streams WHERE subject = $1", owner)
        assert sorted(set(sequences(events, owner))) == list(range(1, last + 1))
