"""The process dies when the world outside has done what was asked, and nobody has noted it yet."""

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import httpx2
import pytest

from deploy.local.kafka import KafkaServer
from deploy.local.ports import HOST
from deploy.local.tokens import SigningKeyPair
from shared.base import clock
from shared.events.invoicing import SubscriptionActivated
from tests import builders
from tests.builders import START, Database, account, hear, invoice, running
from tests.component.sandbox import test_vendor_simulator
from tests.component.sandbox.test_mailbox import Mailbox
from tests.component.sandbox.test_vendor_simulator import PATH, Caller
from tests.end_to_end.backbone.loops import until
from tests.end_to_end.backbone.processes import Launcher

pytestmark = pytest.mark.xdist_group("kafka")
POLICY = Path(__file__).parents[3] / "sandbox" / "policies" / "standard.yaml"


@pytest.fixture
def vendor(tmp_path: Path) -> Iterator[test_vendor_simulator.Process]:
    process = test_vendor_simulator.Process(tmp_path)
    yield process
    process.stop()


@pytest.fixture
def mailbox(tmp_path: Path) -> Iterator[Mailbox]:
    box = Mailbox(tmp_path)
    yield box
    box.stop()


@pytest.fixture
async def activated(database: Database, keys: SigningKeyPair, jwks_file: Path) -> SubscriptionActivated:
    """A subscription that entitlements has heard of."""
    event = builders.build_activated(uuid4(), uuid4(), PATH.rpartition("/")[2])
    async with running("entitlements", database, keys, jwks_file) as (runtime, _):
        await hear(runtime, event)
    return event


async def expire_lease(database: Database, service: str) -> None:
    """The dead worker's time is over."""
    assert await database.value(f"SELECT count(*) FROM {service}.intents WHERE leased_until IS NOT NULL") == 1
    await database.execute(f"UPDATE {service}.intents SET leased_until = $1", clock.read_system_clock())


async def nothing_pending(database: Database, service: str) -> bool:
    """Whether every call was made and recorded."""
    query = f"SELECT count(*) FILTER (WHERE state = 'pending') = 0 AND count(*) > 0 FROM {service}.intents"
    return bool(await database.value(query))


async def test_the_vendor_accepted_and_it_was_not_recorded(
    launcher: Launcher, kafka: KafkaServer, vendor: test_vendor_simulator.Process, activated: SubscriptionActivated
) -> None:
    launcher.more = {"GOODSTANDING_VENDOR_URL": f"http://{HOST}:{vendor.port}"}
    database, query = launcher.database, "SELECT count(*) FROM entitlements.outbox WHERE type LIKE $1"
    async with httpx2.AsyncClient(base_url=f"http://{HOST}:{vendor.port}") as http:
        caller = Caller(http)
        await caller.seed()
        async with (
            launcher.run("entitlements", kafka.bootstrap, "api") as api,
            launcher.run("entitlements", kafka.bootstrap, "jobs", point="before the record") as jobs,
        ):
            await until(api.is_ready)
            wanted = {"reason": "fraud", "owner": "risk", "comment": "looks odd"}
            await api.client.create("/v1/holds", wanted | {"subscription_id": str(activated.subscription_id)})
            await jobs.wait_until_killed()
        assert await caller.effects() == {"suspended": 1}
        assert await database.value(query, "%SubscriptionSuspended%") == 0
        await expire_lease(database, "entitlements")
        before = (await caller.read()).headers.get("etag")
        async with launcher.run("entitlements", kafka.bootstrap, "jobs"):
            await until(lambda: nothing_pending(database, "entitlements"))
        assert await caller.effects() == {"suspended": 1}
        assert (await caller.read()).headers.get("etag") == before
    assert await database.value(query, "%SubscriptionSuspended%") == 1
    assert await database.value("SELECT state FROM entitlements.entitlements") == "suspended"


async def test_the_mail_server_accepted_and_it_was_not_recorded(
    launcher: Launcher, kafka: KafkaServer, mailbox: Mailbox, tmp_path: Path
) -> None:
    launcher.keys.write_service_tokens(tmp_path / "tokens")
    launcher.more = {
        "GOODSTANDING_SMTP_PORT": str(mailbox.smtp_port),
        "GOODSTANDING_TOKENS_DIR": str(tmp_path / "tokens" / "collections"),
    }
    database = launcher.database
    async with launcher.run("invoicing", kafka.bootstrap) as invoicing:
        launcher.more["GOODSTANDING_INVOICING_URL"] = str(invoicing.client.http.base_url)
        async with launcher.run("collections", kafka.bootstrap, point="before the record") as collections:
            await until(invoicing.is_ready)
            await until(collections.is_ready)
            body = {"document": POLICY.read_text(), "effective_date": str(START.date()), "reason": "first"}
            await collections.client.create("/v1/policies", body)
            owner = (await invoicing.client.create("/v1/accounts", account(terms_days=8)))["id"]
            await invoicing.client.create("/v1/invoices", invoice(owner))
            await until(lambda: database.value("SELECT count(*) = 1 FROM collections.items WHERE due_at IS NOT NULL"))
            await database.move(days=6)  # three days before it is due, the policy's first notice
            await collections.wait_until_killed()
        assert await database.value("SELECT state FROM collections.notices") == "pending"
        await expire_lease(database, "collections")
        async with launcher.run("collections", kafka.bootstrap):
            await until(lambda: nothing_pending(database, "collections"))
    assert await database.value("SELECT string_agg(state, ',') FROM collections.notices") == "sent"
    notice = await database.value("SELECT id FROM collections.notices")
    async with httpx2.AsyncClient(base_url=f"http://{HOST}:{mailbox.port}") as http:
        first, second = (await http.get("/v1/messages")).json()["messages"]
    assert first["message_id"] == second["message_id"]
    assert first["message_id"].startswith(f"<{notice}.")
    assert (first["subject"], first["text"]) == (second["subject"], second["text"])
