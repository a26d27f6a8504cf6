"""Stories whose statements are held: what is done before is not counted, what is done then is."""

from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from deploy.local.tokens import SigningKeyPair
from shared.messaging.consumer.batch import MessageBatch
from shared.persistence.database import Unit
from tests.builders import Database, build_registered, eur, invoice, message, running, sweep
from tests.component.billing_world import Billing
from tests.component.collections import test_collections
from tests.component.collections.test_collections import Hop, Invoicing, mailbox, publish
from tests.component.entitlements_world import a_world
from tests.golden.statements import Recorder
from tests.vendor_files import BilledLine, as_csv, expect, world

STANDARD = (Path(__file__).parents[2] / "sandbox" / "policies" / "standard.yaml").read_text()
MESSAGES = 500


class Stage:
    """The things that a story needs: a database, keys, and the recorder."""

    def __init__(self, database: Database, keys: SigningKeyPair, jwks_file: Path, recorder: Recorder) -> None:
        self.database = database
        self.keys = keys
        self.jwks_file = jwks_file
        self.recorder = recorder

    def running(self, service: str, **more: Any) -> Any:
        """Run a service in this process."""
        return running(service, self.database, self.keys, self.jwks_file, **more)


Story = Callable[[Stage], Awaitable[Counter[str]]]


async def pay_invoice(stage: Stage) -> Counter[str]:
    """A payment of one invoice."""
    async with stage.running("invoicing") as (_, client):
        billing = Billing(_, client, stage.database)
        owner = await billing.account()
        made = await client.create("/v1/invoices", invoice(owner, 5000, 2500))
        body = {
            "account_id": owner,
            "amount": eur(6000),
            "invoice_id": made["id"],
        }
        with stage.recorder.recording() as statements:
            await client.create("/v1/payments", body)
    return statements


async def bill_chunk(stage: Stage) -> Counter[str]:
    """A chunk with a renewal, a proration and a credit, once the run before is done."""
    async with stage.running("invoicing") as (runtime, client):
        billing = Billing(runtime, client, stage.database)
        await billing.rate()
        plan = await billing.plan(term_months=1)
        owners = [await billing.account() for _ in range(3)]
        bought = [await billing.buy(plan, owner) for owner in owners]
        await billing.run()
        await billing.change(bought[0], "quantity", quantity=14)
        await billing.change(bought[1], "quantity", quantity=7)
        await billing.to("2026-04-02")
        with stage.recorder.recording() as statements:
            await billing.run()
    return statements


async def find_overdue(stage: Stage) -> Counter[str]:
    """The sweep that finds what is overdue."""
    async with stage.running("invoicing") as (runtime, client):
        billing = Billing(runtime, client, stage.database)
        for _ in range(3):
            await client.create("/v1/invoices", invoice(await billing.account(), 5000))
        await stage.database.move(stage.database.now + timedelta(days=40))
        with stage.recorder.recording() as statements:
            await sweep(runtime)
    return statements


async def consume_messages(stage: Stage) -> Counter[str]:
    """Five hundred messages of one topic, in a batch of collections."""
    async with stage.running("collections") as (runtime, _):
        accounts = [build_registered(UUID(int=number + 1)) for number in range(MESSAGES)]
        envelopes = [message(event, 1, stage.database.now) for event in accounts]

        async def apply(unit: Unit) -> None:
            await MessageBatch(unit, runtime.service.handlers, Counter(), together=True).apply_messages(
                envelopes[0].topic, envelopes
            )

        with stage.recorder.recording() as statements:
            await runtime.units.run(apply)
    return statements


@asynccontextmanager
async def _open_collections(stage: Stage) -> Any:
    hop, invoicing = Hop(), Invoicing()
    async with mailbox(hop) as port, stage.running("collections", smtp_port=port) as (runtime, client):
        runtime.clients._clients["invoicing"] = invoicing
        made = test_collections.World(runtime, client, stage.database, hop, invoicing)
        await publish(client, STANDARD)
        await made.hear(build_registered(made.account_id, terms_days=8))
        yield made


async def walk_to_suspension(stage: Stage) -> Counter[str]:
    """Everything from an invoice to the request of a suspension."""
    async with _open_collections(stage) as made:
        with stage.recorder.recording() as statements:
            await made.to_suspension()
    return statements


async def check_access(stage: Stage) -> Counter[str]:
    """Check whether a subscription may be used."""
    async with a_world(stage.database, stage.keys, stage.jwks_file) as made:
        with stage.recorder.recording() as statements:
            await made.access()
    return statements


async def reconcile_lines(stage: Stage) -> Counter[str]:
    """A file of the vendor's against what was expected."""
    async with stage.running("invoicing") as (_, client):
        here = await world(client, stage.database)
        await expect(stage.database, [here.charge()])
        lines = [BilledLine(), BilledLine("vendor-9"), BilledLine(charge_type="customerCredit", subtotal=-500)]
        invoice_id = await here.record_invoice(lines)
        with stage.recorder.recording() as statements:
            answer = await here.put(invoice_id, as_csv(lines))
        assert answer.status_code == 201, answer.text
    return statements


STORIES: dict[str, Story] = {
    "a payment": pay_invoice,
    "a chunk with renewal, proration and credit": bill_chunk,
    "an overdue sweep": find_overdue,
    f"{MESSAGES} messages": consume_messages,
    "the walk to a suspension": walk_to_suspension,
    "an access check": check_access,
    "a reconciliation": reconcile_lines,
}
