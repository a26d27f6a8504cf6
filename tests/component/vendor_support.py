"""The world around vendor tickets: escalation, the vendor's simulator behind a wire, and a case to hand over."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx2
import orjson

from deploy.local.tokens import SigningKeyPair
from sandbox.vendor_simulator.api import create_app
from sandbox.vendor_simulator.faults import Clock
from sandbox.vendor_simulator.store import VendorStore
from sandbox.vendor_simulator.vendor import Vendor
from shared.process.runtime import Runtime
from shared.web.clients import RefusedByService
from tests.builders import START, Client, Database, build_registered, hear, running, sweep, work
from tests.component.entitlements_world import Break

ACCOUNT = UUID(int=91)
NUMBER = "615101234567890"
CHANNEL = {
    "kind": "portal",
    "company": "Goodstanding GmbH",
    "contact_name": "Service desk",
    "contact_email": "desk@goodstanding.example",
    "contact_phone": "+49 30 901820",
    "countries": ["DE"],
    "reason": "direct partner",
}
DIFFERENCE = {
    "product": "Business Premium",
    "charge_type": "new",
    "period_from": "2026-03-01",
    "period_to": "2026-03-31",
    "verdict": "quantity_difference",
    "cause": "the vendor bills 12 units, and we expected 10",
    "billed_quantity": "12",
    "expected_quantity": "10",
    "billed_minor": 12096,
    "expected_minor": 10080,
    "currency": "EUR",
}


@dataclass
class Differences:
    """Invoicing, as far as it shows vendor differences."""

    shown: dict[str, dict[str, Any]] = field(default_factory=dict)

    def add(self) -> str:
        """Add a difference; its id."""
        difference_id = str(uuid4())
        self.shown[difference_id] = DIFFERENCE | {"id": difference_id, "billed_to_customer": []}
        return difference_id

    async def get(self, path: str) -> dict[str, Any]:
        difference = self.shown.get(path.removeprefix("/v1/vendor-differences/"))
        if difference is None:
            raise RefusedByService(404, {"code": "not_found", "detail": "no such difference"})
        return difference

    async def close(self) -> None:
        pass


class Wire(httpx2.AsyncBaseTransport):
    """The way to the vendor. Faults happen to the next calls, in order."""

    def __init__(self, vendor: Vendor) -> None:
        self._simulator = httpx2.ASGITransport(app=create_app(vendor))
        self.faults: list[Break] = []
        self.methods: list[str] = []

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        await request.aread()
        is_portal = request.url.path.startswith("/sandbox")
        if not is_portal:
            self.methods.append(request.method)
        fault = self.faults.pop(0) if self.faults and not is_portal else None
        if isinstance(fault, httpx2.Response):
            return fault
        if fault == "before":
            raise httpx2.ConnectTimeout("nobody answers")
        answer = await self._simulator.handle_async_request(request)
        if fault == "after":
            raise httpx2.ReadTimeout("the answer is lost")
        return answer


@dataclass
class Support:
    """Escalation with an account and a channel, the vendor, and what people do with both."""

    runtime: Runtime
    client: Client
    database: Database
    wire: Wire
    vendor: Vendor
    differences: Differences
    portal: httpx2.AsyncClient

    async def open(self, **more: Any) -> str:
        """Open a technical case; its id."""
        body = {"kind": "technical", "severity": "B", "account_id": str(ACCOUNT), "subject": "Mail is late"}
        return str((await self.client.create("/v1/cases", body | more))["id"])

    async def get_ready(self, case_id: str) -> None:
        """Do what is to be done before a technical case goes to the vendor."""
        resource = {"reference": f"kb-{uuid4()}", "kind": "solution", "title": "Mail", "content": "-", "language": "en"}
        resource_id = (await self.client.create("/v1/support-resources", resource))["id"]
        consulted = {"resource_id": resource_id, "result": "did_not_help"}
        await self.client.create(f"/v1/cases/{case_id}/consulted-resources", consulted)
        attempt = {"action": "assigned the licence anew", "result": "did_not_help"}
        await self.client.create(f"/v1/cases/{case_id}/attempts", attempt)
        await self.client.create(f"/v1/cases/{case_id}/health-checks", {"result": "no_incident"})

    async def prepare(self, case_id: str, **more: Any) -> httpx2.Response:
        """Prepare a ticket."""
        body = {"title": "Mail is late", "description": "Messages wait for hours.", "category": "bug"}
        return await self.client.post(f"/v1/cases/{case_id}/vendor-tickets", body | more)

    async def submit(self, case_id: str, number: str = NUMBER, **more: Any) -> str:
        """Prepare a ticket, open it in the portal and record its number; its id."""
        answer = await self.prepare(case_id, **more)
        assert answer.status_code == 201, answer.text
        await self.leave(number=number)
        ticket_id = str(answer.json()["id"])
        await self.client.create(f"/v1/vendor-tickets/{ticket_id}:submit", {"number": number})
        return ticket_id

    async def leave(self, number: str = NUMBER, **state: Any) -> None:
        """Let the vendor's people leave the service request in a state."""
        assert (await self.portal.put(f"/sandbox/servicerequests/{number}", json=state)).status_code == 200

    async def write(self, text: str, number: str = NUMBER) -> None:
        """Let the vendor's people write a note."""
        answer = await self.portal.post(f"/sandbox/servicerequests/{number}/notes", json={"text": text})
        assert answer.status_code == 201

    async def step(self, **by: float) -> None:
        """Let business time pass, and the machines do what is due."""
        self.vendor.clock.fixed_time = await self.database.move(None, **by)
        await sweep(self.runtime)
        await work(self.runtime)

    async def ticket(self, ticket_id: str) -> dict[str, Any]:
        return await self.client.got(f"/v1/vendor-tickets/{ticket_id}")

    async def state(self, case_id: str) -> str:
        return str((await self.client.got(f"/v1/cases/{case_id}"))["state"])

    async def notes(self, case_id: str) -> list[tuple[str | None, str]]:
        """Who wrote what to the other side; None is the vendor."""
        page = await self.client.got(f"/v1/cases/{case_id}/entries", kind="vendor_note")
        return [(entry["actor"], entry["content"]) for entry in page["items"]]

    async def tasks(self) -> list[dict[str, Any]]:
        return list((await self.client.got("/v1/cases", kind="task"))["items"])

    async def events(self, part: str) -> list[dict[str, Any]]:
        """The events whose types have a part of a name, each with it as `type`."""
        query = "SELECT type, data FROM escalation.outbox WHERE type LIKE $1 ORDER BY position"
        rows = await self.database.rows(query, f"%{part}%")
        return [orjson.loads(row["data"]) | {"type": row["type"].split(".")[2]} for row in rows]


@asynccontextmanager
async def running_support(database: Database, keys: SigningKeyPair, jwks_file: Path) -> AsyncIterator[Support]:
    """Escalation with a channel to the vendor, on Monday 2 March 2026, 9:00 UTC."""
    vendor = Vendor(VendorStore(jwks_file.with_name(f"{database.name}.sqlite")))
    vendor.clock = Clock(START)
    wire, differences = Wire(vendor), Differences()
    async with (
        running("escalation", database, keys, jwks_file) as (runtime, client),
        httpx2.AsyncClient(transport=wire, base_url="http://vendor") as portal,
    ):
        runtime.__dict__["vendor"] = httpx2.AsyncClient(transport=wire, base_url="http://vendor")
        runtime.clients._clients["invoicing"] = differences  # type: ignore[assignment]
        await hear(runtime, build_registered(ACCOUNT))
        await sweep(runtime)
        answer = await client.http.put("/v1/vendor-channels/GS-DE", json=CHANNEL, headers=client.headers)
        assert answer.status_code == 200, answer.text
        yield Support(runtime, client, database, wire, vendor, differences, portal)
    vendor.store.close()
