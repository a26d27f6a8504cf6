"""The vendor simulator over HTTP: effects once, faults on request, and a memory that survives a kill."""

import asyncio
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2
import pytest

from deploy.local import children, ports
from deploy.local.children import ChildProgram
from deploy.local.jars import CHECKOUT
from tests.builders import listening

PATH = "/v1/customers/tenant-17/subscriptions/subscription-17"


class Process:
    """A simulator on a free port, which can be started again over the same file."""

    def __init__(self, folder: Path) -> None:
        self.port = ports.find_free_port()
        command = ("-m", "sandbox.vendor_simulator", "--port", str(self.port), "--state", str(folder / "vendor.sqlite"))
        self._program = ChildProgram("vendor", (sys.executable, *command), directory=CHECKOUT)
        self._log = folder / "vendor.log"
        self.start()

    def start(self) -> None:
        """Start it and wait until it listens."""
        self._child = listening(self._program, self._log, self.port)

    def kill(self) -> None:
        """End it at once, as a crash would."""
        self._child.kill()
        self._child.wait()

    def stop(self) -> None:
        """End it as the launcher does."""
        children.end_child(self._child)


class Caller:
    """A partner's connector at its simplest."""

    def __init__(self, http: httpx2.AsyncClient) -> None:
        self.http = http

    async def seed(self, **fields: Any) -> None:
        """Begin anew with the subscription."""
        answer = await self.http.put(f"/sandbox{PATH.removeprefix('/v1')}", json=fields)
        assert answer.status_code == 200, answer.text

    async def read(self) -> httpx2.Response:
        return await self.http.get(PATH, headers=ids())

    async def patch(self, request_id: str | None = None, **fields: Any) -> httpx2.Response:
        """Change the resource as it was read just now."""
        resource = (await self.read()).json()
        return await self.send(resource | fields, request_id)

    async def send(self, resource: dict[str, Any], request_id: str | None = None) -> httpx2.Response:
        headers = ids(request_id) | {"If-Match": resource["attributes"]["etag"]}
        return await self.http.patch(PATH, json=resource, headers=headers)

    async def fault(self, **fault: Any) -> None:
        answer = await self.http.post("/sandbox/faults", json={"operation": "PATCH", **fault})
        assert answer.status_code == 201, answer.text

    async def effects(self) -> dict[str, int]:
        """The changes of status of the subscription."""
        effects = (await self.http.get("/sandbox/effects")).json()["effects"]
        return dict(effects[0]["changes"]) if effects else {}

    async def record(self) -> dict[str, Any]:
        """The vendor's own record of the subscription."""
        (record,) = (await self.http.get("/sandbox/subscriptions")).json()["subscriptions"]
        return dict(record)


def ids(request_id: str | None = None) -> dict[str, str]:
    """The two ids of a call."""
    return {"MS-RequestId": request_id or str(uuid4()), "MS-CorrelationId": str(uuid4())}


@pytest.fixture(scope="module")
def shared_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    process = Process(tmp_path_factory.mktemp("vendor"))
    yield process
    process.stop()


@pytest.fixture
async def caller(shared_process: Process) -> AsyncIterator[Caller]:
    async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{shared_process.port}", timeout=20) as http:
        caller = Caller(http)
        await http.delete("/sandbox/faults")
        await http.put("/sandbox/limit", json={"calls_per_minute": None})
        await http.put("/sandbox/clock", json={"now": None})
        await caller.seed(autoRenewEnabled=True, quantity=3)
        yield caller


async def test_a_subscription_is_suspended_and_reinstated(caller: Caller) -> None:
    seen = await caller.read()
    assert seen.headers["etag"].strip('"') == seen.json()["attributes"]["etag"]
    suspended = await caller.patch(status="suspended")
    assert (suspended.status_code, suspended.json()["status"]) == (200, "suspended")
    assert (await caller.record())["renewal"]["autoRenewEnabled"] is False
    assert (await caller.record())["renewalBeforeSuspension"]["autoRenewEnabled"] is True
    assert (await caller.patch(status="active")).status_code == 200
    assert (await caller.patch(autoRenewEnabled=True)).status_code == 200
    record = await caller.record()
    assert (record["status"], record["renewal"]) == ("active", record["renewalBeforeSuspension"])
    assert await caller.effects() == {"suspended": 1, "active": 1}


async def test_the_same_request_takes_effect_once(caller: Caller) -> None:
    resource, request_id = (await caller.read()).json(), str(uuid4())
    first = await caller.send(resource | {"status": "suspended"}, request_id)
    again = await caller.send(resource | {"status": "suspended"}, request_id)
    assert (again.status_code, again.json()) == (200, first.json())
    stale = await caller.send(resource | {"status": "suspended"})
    assert (stale.status_code, stale.json()["code"]) == (400, 2055)
    assert await caller.effects() == {"suspended": 1}


@pytest.mark.parametrize("missing", ["MS-RequestId", "MS-CorrelationId"])
async def test_a_call_names_itself(caller: Caller, missing: str) -> None:
    headers = {name: value for name, value in ids().items() if name != missing}
    answer = await caller.http.get(PATH, headers=headers)
    assert answer.status_code == 400
    assert missing in answer.json()["description"]


async def test_an_unknown_subscription_is_not_found(caller: Caller) -> None:
    answer = await caller.http.get("/v1/customers/tenant-17/subscriptions/other", headers=ids())
    assert (answer.status_code, answer.json()["code"]) == (404, 20003)


async def test_cancelling_is_over_when_the_vendors_clock_says_so(caller: Caller) -> None:
    await caller.seed(cancellationAllowedUntilDate="2013-02-08T00:00:00Z")
    late = await caller.patch(status="deleted")
    assert (late.status_code, late.json()["code"]) == (400, 900117)
    await caller.http.put("/sandbox/clock", json={"now": "2013-02-07T23:59:00Z"})
    assert (await caller.patch(status="deleted")).json()["status"] == "deleted"
    assert (await caller.patch(status="active")).json()["code"] == 2011


@pytest.mark.parametrize(("fault", "code"), [("409", 900278), ("412", 2055), ("429", 429), ("500", 500), ("503", 503)])
async def test_a_fault_strikes_as_often_as_asked_and_has_no_effect(caller: Caller, fault: str, code: int) -> None:
    await caller.fault(fault=fault, times=2, retry_after=3, subscription="subscription-17")
    request_id = str(uuid4())
    for _ in range(2):
        struck = await caller.patch(request_id, status="suspended")
        assert (struck.status_code, struck.json()["code"]) == (int(fault), code)
        assert struck.headers["retry-after"] == "3"
    assert await caller.effects() == {}
    assert (await caller.patch(request_id, status="suspended")).status_code == 200
    assert await caller.effects() == {"suspended": 1}


async def test_a_fault_strikes_only_what_it_was_asked_for(caller: Caller) -> None:
    await caller.fault(fault="409", code=27009, subscription="other")
    await caller.fault(fault="500")
    assert (await caller.read()).status_code == 200
    assert (await caller.patch(quantity=4)).status_code == 500
    assert (await caller.patch(quantity=4)).status_code == 200
    await caller.http.delete("/sandbox/faults")
    await caller.fault(fault="500")
    await caller.http.delete("/sandbox/faults")
    assert (await caller.patch(quantity=5)).status_code == 200


@pytest.mark.parametrize(("fault", "effects"), [("timeout_before", {}), ("timeout_after", {"suspended": 1})])
async def test_a_time_out_leaves_open_whether_it_took_effect(
    caller: Caller, fault: str, effects: dict[str, int]
) -> None:
    await caller.fault(fault=fault, hold=60)
    resource, request_id = (await caller.read()).json() | {"status": "suspended"}, str(uuid4())
    headers = ids(request_id) | {"If-Match": resource["attributes"]["etag"]}
    with pytest.raises(httpx2.ReadTimeout):
        await caller.http.patch(PATH, json=resource, headers=headers, timeout=0.5)
    assert await caller.effects() == effects
    assert (await caller.send(resource, request_id)).status_code == 200
    assert await caller.effects() == {"suspended": 1}


async def test_an_accepted_change_is_done_after_some_looks(caller: Caller) -> None:
    await caller.fault(fault="202", polls=2, retry_after=0)
    resource, request_id = (await caller.read()).json() | {"status": "suspended"}, str(uuid4())
    accepted = await caller.send(resource, request_id)
    assert (accepted.status_code, accepted.headers["retry-after"]) == (202, "0")
    again = await caller.send(resource, request_id)
    assert (again.status_code, again.headers["location"]) == (202, accepted.headers["location"])
    pending = await caller.send(resource)
    assert (pending.status_code, pending.json()["code"]) == (409, 900278)
    assert await caller.effects() == {}
    assert (await caller.http.get(accepted.headers["location"])).status_code == 202
    done = await caller.http.get(accepted.headers["location"])
    assert (done.status_code, done.json()["status"]) == (200, "suspended")
    assert await caller.effects() == {"suspended": 1}
    assert (await caller.http.get("/v1/operations/none")).status_code == 404


async def test_who_only_reads_sees_an_accepted_change_done_too(caller: Caller) -> None:
    await caller.fault(fault="202", polls=2)
    assert (await caller.patch(status="suspended")).status_code == 202
    assert (await caller.read()).json()["status"] == "active"
    assert (await caller.read()).json()["status"] == "suspended"


async def test_the_limit_of_calls_is_kept_on_request(caller: Caller) -> None:
    await caller.http.put("/sandbox/limit", json={"calls_per_minute": 2})
    answers = [await caller.read() for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[2].headers["retry-after"] == "60"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/sandbox/faults", {"fault": "418"}),
        ("/sandbox/faults", {"fault": "409", "times": 0}),
        ("/sandbox/faults", {"fault": "409", "whom": "all"}),
    ],
)
async def test_a_malformed_fault_is_refused(caller: Caller, path: str, body: dict[str, Any]) -> None:
    assert (await caller.http.post(path, json=body)).status_code == 422


async def test_a_body_that_is_no_json_is_refused(caller: Caller) -> None:
    answer = await caller.http.patch(PATH, content=b"{", headers=ids())
    assert (answer.status_code, answer.json()["code"]) == (400, 2001)


async def test_a_kill_forgets_nothing(tmp_path: Path) -> None:
    process = Process(tmp_path)
    try:
        async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{process.port}") as http:
            caller = Caller(http)
            await caller.seed(quantity=3)
            resource, request_id = (await caller.read()).json() | {"status": "suspended"}, str(uuid4())
            first = await caller.send(resource, request_id)
            await caller.fault(fault="202", polls=1)
            accepted = await caller.patch(status="active")
        await asyncio.to_thread(process.kill)
        await asyncio.to_thread(process.start)
        async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{process.port}") as http:
            caller = Caller(http)
            assert await caller.effects() == {"suspended": 1}
            assert (await caller.send(resource, request_id)).json() == first.json()
            done = await http.get(accepted.headers["location"])
            assert done.json()["status"] == "active"
            assert await caller.effects() == {"suspended": 1, "active": 1}
    finally:
        await asyncio.to_thread(process.stop)
