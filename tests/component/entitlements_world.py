"""The world around entitlements: the vendor simulator behind a wire that can break, and collections' verdicts."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx2
import orjson

from deploy.local.tokens import SigningKeyPair
from sandbox.vendor_simulator import vendor
from sandbox.vendor_simulator.api import create_app
from sandbox.vendor_simulator.store import VendorStore
from sandbox.vendor_simulator.subscription import Subscription, SubscriptionSeed, create_vendor_subscription
from shared.events.collections import (
    ReinstatementRequested,
    SuspensionCause,
    SuspensionRequested,
    SuspensionWithdrawn,
)
from shared.events.invoicing import SubscriptionActivated, SubscriptionEnded
from shared.process.runtime import Runtime
from shared.pure.errors import RetryLater
from tests.builders import Client, Database, build_activated, end_subscription, hear, running, work

Break = httpx2.Response | str
"""What befalls a call on its way: another answer, or a time-out `before` or `after` it reached the vendor."""
NEXT_TERM = {"product": {"termDuration": "P1Y", "billingCycle": "monthly"}, "quantity": 7}


def refusal(status: int, code: int | str, **headers: str) -> httpx2.Response:
    """An error answer of the vendor."""
    return httpx2.Response(status, json={"code": code, "description": f"refused with {code}"}, headers=headers)


class Vendor:
    """The vendor simulator with one subscription, and a hand on it."""

    def __init__(self, file: Path) -> None:
        self.simulator = vendor.Vendor(VendorStore(file))
        self.change(
            quantity=10,
            scheduled_next_term_instructions=NEXT_TERM,
            fresh=create_vendor_subscription("tenant-17", "vendor-17", SubscriptionSeed()),
        )

    def change(self, *, fresh: Subscription | None = None, **fields: Any) -> None:
        """Somebody else changes the subscription."""
        changed = (fresh or self.subscription).model_copy(update=fields | {"etag": uuid4().hex})
        self.simulator.store.save_changes(changed)

    @property
    def subscription(self) -> Subscription:
        """The subscription as it is."""
        return self.simulator.store.subscriptions["tenant-17", "vendor-17"]

    @property
    def effects(self) -> dict[str, int]:
        """How many times the status became another, by that status."""
        return self.subscription.effects

    def renewal(self) -> tuple[bool, Any]:
        """The renewal settings as they are."""
        return self.subscription.auto_renew_enabled, self.subscription.scheduled_next_term_instructions


class Wire(httpx2.AsyncBaseTransport):
    """The way to the vendor. `faults` happen to the next calls of a method, in order."""

    def __init__(self, vendor: Vendor) -> None:
        self.vendor = vendor
        self._simulator = httpx2.ASGITransport(app=create_app(vendor.simulator))
        self.calls: list[httpx2.Request] = []
        self.faults: dict[str, list[Break]] = {"GET": [], "PATCH": []}
        self.during: Callable[[httpx2.Request], Any] | None = None
        """Called while a request is on its way."""

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        await request.aread()
        self.calls.append(request)
        if self.during is not None:
            await self.during(request)
        fault = self.faults[request.method].pop(0) if self.faults[request.method] else None
        if isinstance(fault, httpx2.Response):
            return fault
        if fault == "before":
            raise httpx2.ConnectTimeout("nobody answers")
        answer = await self._simulator.handle_async_request(request)
        if fault == "after":
            raise httpx2.ReadTimeout("the answer is lost")
        return answer

    def methods(self) -> list[str]:
        """The methods of the calls so far."""
        return [call.method for call in self.calls]

    def request_ids(self) -> list[str]:
        """The request ids of the changes so far."""
        return [call.headers["ms-requestid"] for call in self.calls if call.method == "PATCH"]


@dataclass
class Collections:
    """The answers of collections about a suspension; None is no answer."""

    verdict: str | None = "stands"
    asked: list[str] = field(default_factory=list)
    verdicts: dict[UUID, str] = field(default_factory=dict)

    async def get(self, path: str) -> dict[str, Any]:
        self.asked.append(path)
        suspension_id = UUID(path.removeprefix("/v1/suspensions/").removesuffix("/confirmation"))
        verdict = self.verdicts.get(suspension_id, self.verdict)
        if verdict is None:
            raise RetryLater("collections cannot be reached")
        return {"suspension_id": str(suspension_id), "verdict": verdict, "detail": "as told"}

    async def close(self) -> None:
        pass


@dataclass
class World:
    """Entitlements with one subscription, and what is around it."""

    runtime: Runtime
    client: Client
    database: Database
    wire: Wire
    collections: Collections
    account_id: UUID = field(default_factory=uuid4)
    subscription_id: UUID = field(default_factory=uuid4)
    suspension_id: UUID = field(default_factory=uuid4)

    @property
    def vendor(self) -> Vendor:
        return self.wire.vendor

    def build_activation(self) -> SubscriptionActivated:
        """Build the event that the subscription was bought."""
        return build_activated(self.account_id, self.subscription_id)

    def make_ended(self, ended_on: date) -> SubscriptionEnded:
        """Make the event of an end; the term goes on until March 2027."""
        return end_subscription(self.account_id, self.subscription_id, ended_on)

    def build_suspension_request(self, *invoice_ids: UUID, suspension_id: UUID | None = None) -> SuspensionRequested:
        """Build the event that collections wants a suspension for these invoices."""
        causes = [SuspensionCause(invoice_id=id_, dunnable_minor=100, currency="EUR") for id_ in invoice_ids]
        return SuspensionRequested(
            account_id=self.account_id,
            suspension_id=suspension_id or self.suspension_id,
            subscription_id=self.subscription_id,
            policy_version=1,
            step="suspend",
            causes=tuple(causes),
        )

    def build_withdrawal(self) -> SuspensionWithdrawn:
        """Build the event that collections no longer wants it; it was not effective yet."""
        return SuspensionWithdrawn(**self._end("settled"))

    def build_reinstatement_request(self) -> ReinstatementRequested:
        """Build the event that its cause is paid."""
        return ReinstatementRequested(**self._end("settled"))

    def _end(self, cause: str) -> dict[str, Any]:
        return {
            "account_id": self.account_id,
            "suspension_id": self.suspension_id,
            "subscription_id": self.subscription_id,
            "cause": cause,
        }

    async def hear(self, *events: Any) -> None:
        """Hear events of other services."""
        for event in events:
            await hear(self.runtime, event)

    async def suspend(self) -> None:
        """Hear of a suspension, and carry it out."""
        await self.hear(self.build_suspension_request(uuid4()))
        await work(self.runtime)

    async def place(self, reason: str = "fraud") -> str:
        """Place a hold by hand; its id."""
        body = {"subscription_id": str(self.subscription_id), "reason": reason, "owner": "risk", "comment": "looks odd"}
        return str((await self.client.create("/v1/holds", body))["hold_id"])

    async def release(self, hold_id: str) -> dict[str, Any]:
        """Release a hold by somebody who may release those for fraud, too."""
        fraud_desk = self.client.somebody("fraud-desk", roles="fraud")
        return await fraud_desk.create(f"/v1/holds/{hold_id}:release", {"reason": "cleared"})

    async def access(self) -> dict[str, Any]:
        """Read what the route says of the subscription."""
        return await self.client.got(f"/v1/access/{self.subscription_id}")

    async def state(self) -> str:
        """Where the entitlement is."""
        return str(await self.database.value("SELECT state FROM entitlements.entitlements"))

    async def events(self, *names: str) -> list[dict[str, Any]]:
        """The payloads of what was announced, of these types if any are named, each with its `type`."""
        rows = await self.database.rows("SELECT type, data FROM entitlements.outbox ORDER BY position")
        payloads = [orjson.loads(row["data"]) | {"type": row["type"].split(".")[2]} for row in rows]
        return [payload for payload in payloads if not names or payload["type"] in names]

    async def list_event_names(self) -> list[str]:
        """List the names of what was announced."""
        return [event["type"] for event in await self.events()]

    async def is_pending(self) -> bool:
        """Whether something is still to be done at the vendor."""
        return bool(await self.database.value("SELECT count(*) FROM entitlements.intents WHERE state = 'pending'"))


@asynccontextmanager
async def a_world(database: Database, keys: SigningKeyPair, jwks_file: Path) -> AsyncIterator[World]:
    """Entitlements with a subscription that was granted."""
    wire, collections = Wire(Vendor(jwks_file.with_name(f"{database.name}.sqlite"))), Collections()
    async with running("entitlements", database, keys, jwks_file) as (runtime, client):
        runtime.__dict__["vendor"] = httpx2.AsyncClient(transport=wire, base_url="http://vendor")
        runtime.clients._clients["collections"] = collections  # type: ignore[assignment]
        world = World(runtime, client, database, wire, collections)
        await world.hear(world.build_activation())
        yield world
    wire.vendor.simulator.store.close()
