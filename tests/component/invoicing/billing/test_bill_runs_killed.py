"""Workers of a bill run are killed at any moment, and others share the run: each charge is billed once."""

import asyncio
import os
import random
import signal
from pathlib import Path

from deploy.local.tokens import SigningKeyPair
from tests.builders import Database, running
from tests.component.billing_world import Billing
from tests.end_to_end.backbone.loops import until
from tests.end_to_end.backbone.processes import Launcher

ACCOUNTS, CHUNK, KILLS = 240, 20, 6
NOWHERE = "127.0.0.1:1"
"""There is no broker; the workers need none."""

ONCE = """
SELECT count(*) = $1 AND count(DISTINCT account_id) = $1 FROM invoicing.invoices
"""
WHOLE = """
SELECT array_agg(number ORDER BY number) = (SELECT array_agg('GS-DE-' || lpad(n::text, 8, '0'))
    FROM generate_series(1, $1::int) n) FROM invoicing.invoices
"""
TOLD = "SELECT count(*) FROM invoicing.outbox WHERE type LIKE '%InvoiceIssued%'"
WAITS = "SELECT NOT EXISTS (SELECT FROM invoicing.bill_run_accounts WHERE due_at IS NOT NULL)"


async def test_workers_die_amid_a_run(
    database: Database, keys: SigningKeyPair, jwks_file: Path, tmp_path: Path
) -> None:
    async with running("invoicing", database, keys, jwks_file) as (runtime, client):
        billing = Billing(runtime, client, database)
        await billing.rate()
        plan = await billing.plan()
        for _ in range(ACCOUNTS):
            await billing.buy(plan, await billing.account())
        run = await client.create("/v1/bill-runs", {"run_date": str(database.now.date()), "at_once": True})
        launcher = Launcher(database, keys, jwks_file, tmp_path, {"GOODSTANDING_CHUNK_ACCOUNTS": str(CHUNK)})
        await kill_some(launcher, random.Random(7))
        async with (
            launcher.run("invoicing", NOWHERE, "jobs"),
            launcher.run("invoicing", NOWHERE, "jobs"),
        ):
            await until(lambda: database.value(WAITS))
        done = await billing.finish_run(run["id"])
    assert (done["state"], done["accounts"]) == ("done", {"issued": ACCOUNTS})
    assert await database.value(ONCE, ACCOUNTS)
    assert await database.value(WHOLE, ACCOUNTS)
    assert await database.value(TOLD) == ACCOUNTS
    assert await database.value("SELECT count(*) FROM invoicing.charges") == ACCOUNTS
    assert await database.value("SELECT count(*) FROM invoicing.vendor_charges") == ACCOUNTS


async def kill_some(launcher: Launcher, dice: random.Random) -> None:
    """Start workers, and kill each within moments of its first chunk: some amid one."""
    remaining = await launcher.database.value(
        "SELECT count(*) FROM invoicing.bill_run_accounts WHERE due_at IS NOT NULL"
    )
    for _ in range(KILLS):
        async with launcher.run("invoicing", NOWHERE, "jobs") as worker:
            await until(lambda before=remaining: fewer(launcher.database, before))  # type: ignore[misc]
            await asyncio.sleep(dice.random() * 0.05)  # the moment is what is tried
            os.kill(worker.child.pid, signal.SIGKILL)
            await worker.code()
        remaining = await launcher.database.value(
            "SELECT count(*) FROM invoicing.bill_run_accounts WHERE due_at IS NOT NULL"
        )
        if not remaining:
            return


async def fewer(database: Database, before: int) -> bool:
    """Whether a chunk was done, or nothing is left."""
    now = await database.value("SELECT count(*) FROM invoicing.bill_run_accounts WHERE due_at IS NOT NULL")
    return bool(now < before or not now)
