"""The world around entitlements: a vendor behind a wire that can break, and collections with its verdicts."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import httpx2
import orjson

from deploy.local.tokens import Keys
from shared.errors import Later
from shared.events.collections import (
    ReinstatementRequested,
    SuspensionCause,
    SuspensionRequested,
    SuspensionWithdrawn,
)
from shared.events.invoicing import SubscriptionActivated
from shared.runtime import Runtime
from tests.builders import START, Client, Database, hear, running, work

Fault = httpx2.Response | str
NEXT_TERM = {"product": {"termDuration": "P1Y", "billingCycle": "monthly"}, "quantity": 7}


def refusal(status: int, code: int | str, **headers: str) -> httpx2.Response:
    """An error answer of the vendor."""
    return httpx2.Response(status, json={"code": code, "description": f"refused with {code}"}, headers=headers)


class Vendor:
    """One subscription at the vendor, with the trap: suspending loses the renewal settings."""

    def __init__(self) -> None:
        self.resource: dict[str, Any] = {
            "id": "vendor-17",
            "offerName": "Business Premium",
            "quantity": 10,
            "status": "active",
            "autoRenewEnabled": True,
            "scheduledNextTermInstructions": NEXT_TERM,
        }
        self.version = 1
        self.effects: list[str] = []
        """Each change of status that took effect."""
        self.keeps_renewal_off = False
        self._answered: dict[str, httpx2.Response] = {}

    def shown(self) -> dict[str, Any]:
        """The resource as the vendor shows it; what is not set is left out."""
        said = {name: value for name, value in self.resource.items() if value is not None}
        return said | {"attributes": {"etag": f"etag-{self.version}", "objectType": "Subscription"}}

    def renewal(self) -> tuple[bool, Any]:
        """The renewal settings as they are."""
        return self.resource["autoRenewEnabled"], self.resource["scheduledNextTermInstructions"]

    def answer(self, request: httpx2.Request) -> httpx2.Response:
        """Answer one call."""
        assert request.url.path == "/v1/customers/tenant-17/subscriptions/vendor-17"
        assert UUID(request.headers["ms-correlationid"])
        if request.method == "GET":
            return httpx2.Response(200, json=self.shown())
        key = str(UUID(request.headers["ms-requestid"]))
        if key not in self._answered:
            self._answered[key] = self._patch(request.headers["if-match"], orjson.loads(request.content))
        return self._answered[key]

    def _patch(self, etag: str, wanted: dict[str, Any]) -> httpx2.Response:
        if not etag == wanted["attributes"]["etag"] == f"etag-{self.version}":
            return refusal(400, 2055)
        before = self.resource["status"]
        after = {name: wanted.get(name) for name in self.resource} | {
            "autoRenewEnabled": bool(wanted.get("autoRenewEnabled"))
        }
        if wanted["status"] != before:
            self.effects.append(wanted["status"])
        if wanted["status"] == "suspended" or before == "suspended" or self.keeps_renewal_off:
            after |= {"autoRenewEnabled": False, "scheduledNextTermInstructions": None}
        self.resource = after
        self.version += 1
        return httpx2.Response(200, json=self.shown())


class Wire(httpx2.AsyncBaseTransport):
    """The way to the vendor. `faults` happen to the next calls of a method, in order."""

    def __init__(self, vendor: Vendor) -> None:
        self.vendor = vendor
        self.calls: list[httpx2.Request] = []
        self.faults: dict[str, list[Fault]] = {"GET": [], "PATCH": []}
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
        answer = self.vendor.answer(request)
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
    """What collections answers about a suspension; None is no answer."""

    verdict: str | None = "stands"
    asked: list[str] = field(default_factory=list)
    verdicts: dict[UUID, str] = field(default_factory=dict)

    async def get(self, path: str) -> dict[str, Any]:
        self.asked.append(path)
        suspension_id = UUID(path.removeprefix("/v1/suspensions/").removesuffix("/confirmation"))
        verdict = self.verdicts.get(suspension_id, self.verdict)
        if verdict is None:
            raise Later("collections cannot be reached")
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

    def activated(self) -> SubscriptionActivated:
        """The subscription was bought."""
        return SubscriptionActivated(
            account_id=self.account_id,
            subscription_id=self.subscription_id,
            product="Business Premium",
            quantity=10,
            start=START.date(),
            end_of_term=None,
            vendor_customer_id="tenant-17",
            vendor_subscription_id="vendor-17",
            bills_while_suspended=True,
        )

    def requested(self, *invoice_ids: UUID, suspension_id: UUID | None = None) -> SuspensionRequested:
        """Collections wants a suspension for these invoices."""
        causes = [SuspensionCause(invoice_id=one, dunnable_minor=100, currency="EUR") for one in invoice_ids]
        return SuspensionRequested(
            account_id=self.account_id,
            suspension_id=suspension_id or self.suspension_id,
            subscription_id=self.subscription_id,
            policy_version=1,
            step="suspend",
            causes=tuple(causes),
        )

    def withdrawn(self) -> SuspensionWithdrawn:
        """Collections no longer wants it; it was not effective yet."""
        return SuspensionWithdrawn(**self._end("paid in time"))

    def settled(self) -> ReinstatementRequested:
        """What caused it is paid."""
        return ReinstatementRequested(**self._end("paid"))

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

    async def suspended(self) -> None:
        """Hear of a suspension, and carry it out."""
        await self.hear(self.requested(uuid4()))
        await work(self.runtime)

    async def place(self, reason: str = "fraud") -> str:
        """Place a hold by hand; its id."""
        body = {"subscription_id": str(self.subscription_id), "reason": reason, "owner": "risk", "comment": "looks odd"}
        return str((await self.client.made("/v1/holds", body))["hold_id"])

    async def access(self) -> dict[str, Any]:
        """What the route says of the subscription."""
        return await self.client.got(f"/v1/access/{self.subscription_id}")

    async def state(self) -> str:
        """Where the entitlement is."""
        return str(await self.database.value("SELECT state FROM entitlements.entitlements"))

    async def events(self, *names: str) -> list[dict[str, Any]]:
        """The payloads of what was announced, of these types if any are named, each with its `type`."""
        rows = await self.database.rows("SELECT type, data FROM entitlements.outbox ORDER BY position")
        told = [orjson.loads(row["data"]) | {"type": row["type"].split(".")[2]} for row in rows]
        return [one for one in told if not names or one["type"] in names]

    async def told(self) -> list[str]:
        """The names of what was announced."""
        return [one["type"] for one in await self.events()]

    async def is_pending(self) -> bool:
        """Whether something is still to be done at the vendor."""
        return bool(await self.database.value("SELECT count(*) FROM entitlements.intents WHERE state = 'pending'"))


@asynccontextmanager
async def a_world(database: Database, keys: Keys, jwks_file: Any) -> AsyncIterator[World]:
    """Entitlements with a subscription that was granted."""
    wire, collections = Wire(Vendor()), Collections()
    async with running("entitlements", database, keys, jwks_file) as (runtime, client):
        runtime.__dict__["vendor"] = httpx2.AsyncClient(transport=wire, base_url="http://vendor")
        runtime.clients._clients["collections"] = collections  # type: ignore[assignment]
        world = World(runtime, client, database, wire, collections)
        await world.hear(world.activated())
        yield world
