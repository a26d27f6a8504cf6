"""The vendor at work: reads and changes of one subscription, with request ids, faults and late effects."""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import orjson

from sandbox.vendor_simulator.faults import Clock, Operation, VendorFault, VendorFaults
from sandbox.vendor_simulator.store import AcceptedChange, StoredAnswer, VendorStore
from sandbox.vendor_simulator.subscription import Subscription, VendorRefusal, patch_vendor_subscription

USUAL_CODES = {"401": 401, "404": 404, "409": 900278, "412": 2055, "429": 429, "500": 500, "503": 503}
MINUTE = 60.0


@dataclass(frozen=True)
class VendorCall:
    """One call of the API about a subscription."""

    operation: Operation
    customer: str
    subscription: str
    request_id: str | None
    correlation_id: str | None
    if_match: str | None = None
    body: bytes = b""


@dataclass(frozen=True)
class VendorAnswer:
    """Answer of the vendor."""

    status: int
    body: bytes
    headers: dict[str, str]


class Vendor:
    """Everything that the simulator is."""

    def __init__(self, store: VendorStore) -> None:
        self.store = store
        self.faults = VendorFaults()
        self.clock = Clock()
        self.calls_per_minute: int | None = None
        """Above it, calls are answered with 429; None: no limit."""
        self._calls: deque[float] = deque()

    async def answer(self, call: VendorCall) -> VendorAnswer:
        """Answer a call, as a struck one if a fault waits for it."""
        try:
            check_request_ids(call.request_id, call.correlation_id)
            self.check_rate_limit()
            fault = self.faults.take_fault(call.operation, call.subscription)
            if fault is None:
                return self._carry_out(call, polls=0)
            return await self.answer_with_fault(
                fault, lambda: self._carry_out(call, polls=fault.polls if fault.fault == "202" else 0)
            )
        except VendorRefusal as refusal:
            return describe_vendor_error(refusal.status, refusal.code, refusal.description)

    def read_subscription(self, identifier: str) -> VendorAnswer:
        """How far an accepted change is; a look moves it on."""
        accepted = self.store.accepted.get(identifier)
        if accepted is None:
            return describe_vendor_error(404, 20003, "there is no such operation")
        accepted = self._moved_on(accepted)
        if accepted.looks_left:
            return VendorAnswer(202, b"", {"Location": _location(identifier)})
        return _answer_resource(self._get_subscription(accepted.after.customer, accepted.after.id))

    async def answer_with_fault(self, fault: VendorFault, perform: Callable[[], VendorAnswer]) -> VendorAnswer:
        """Answer a call that meets a fault; `perform` carries it out, where it takes effect."""
        match fault.fault:
            case "202":
                said = perform()
                return VendorAnswer(said.status, said.body, said.headers | _retry_after(fault))
            case "timeout_before":
                await asyncio.sleep(fault.hold)
                return describe_vendor_error(504, 504, "nobody answers")
            case "timeout_after":
                perform()
                await asyncio.sleep(fault.hold)
                return describe_vendor_error(504, 504, "the answer was lost")
            case status:
                return describe_vendor_error(
                    int(status), fault.code or USUAL_CODES[status], "on request", _retry_after(fault)
                )

    def _carry_out(self, call: VendorCall, *, polls: int) -> VendorAnswer:
        """The call carried out; with `polls`, a change is only accepted, and done after so many looks."""
        if call.operation == "GET":
            if under_way := self.store.get_pending_change(call.customer, call.subscription):
                self._moved_on(under_way)
            return _answer_resource(self._get_subscription(call.customer, call.subscription))
        if first_answer := self.store.answers.get(str(call.request_id)):
            return _again(first_answer)
        return self._patch(call, polls)

    def _patch(self, call: VendorCall, polls: int) -> VendorAnswer:
        current = self._get_subscription(call.customer, call.subscription)
        if self.store.get_pending_change(call.customer, call.subscription):
            raise VendorRefusal(409, 900278, "another operation on the subscription is pending")
        after = patch_vendor_subscription(current, decode_vendor_body(call.body), call.if_match, self.clock.now())
        request_id = str(call.request_id)
        if not polls:
            answer = StoredAnswer(request_id=request_id, status=200, body=orjson.dumps(after.build_resource()).decode())
            self.store.save_changes(after, answer)
            return _again(answer)
        accepted = AcceptedChange(id=uuid4().hex, looks_left=polls, after=after)
        answer = StoredAnswer(request_id=request_id, status=202, body="", location=_location(accepted.id))
        self.store.save_changes(accepted, answer)
        return _again(answer)

    def _moved_on(self, accepted: AcceptedChange) -> AcceptedChange:
        """The change after one more look: the last one does it."""
        if not accepted.looks_left:
            return accepted
        moved = accepted.model_copy(update={"looks_left": accepted.looks_left - 1})
        self.store.save_changes(moved, *([] if moved.looks_left else [moved.after]))
        return moved

    def _get_subscription(self, customer: str, subscription: str) -> Subscription:
        subscription_found = self.store.subscriptions.get((customer, subscription))
        if subscription_found is None:
            raise VendorRefusal(404, 20003, "there is no such subscription")
        return subscription_found

    def check_rate_limit(self) -> None:
        """Refuse a call above the limit of a minute. Raises VendorRefusal."""
        if self.calls_per_minute is None:
            return
        now = time.monotonic()
        while self._calls and now - self._calls[0] > MINUTE:
            self._calls.popleft()
        if len(self._calls) >= self.calls_per_minute:
            raise VendorRefusal(429, 429, f"more than {self.calls_per_minute} calls within a minute")
        self._calls.append(now)


def check_request_ids(request_id: str | None, correlation_id: str | None) -> None:
    """Refuse a call that does not name itself, and the attempt that it belongs to. Raises VendorRefusal."""
    for name, value in (("MS-RequestId", request_id), ("MS-CorrelationId", correlation_id)):
        try:
            UUID(value or "")
        except ValueError:
            raise VendorRefusal(400, 2001, f"{name} must be a GUID") from None


def decode_vendor_body(body: bytes) -> Any:
    """Decode a body. Raises VendorRefusal if it is no JSON."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise VendorRefusal(400, 2001, f"the body is no JSON: {error}") from None


def _location(identifier: str) -> str:
    return f"/v1/operations/{identifier}"


def _retry_after(fault: VendorFault) -> dict[str, str]:
    return {} if fault.retry_after is None else {"Retry-After": f"{fault.retry_after:g}"}


def _answer_resource(subscription: Subscription) -> VendorAnswer:
    headers = {"ETag": f'"{subscription.etag}"', "Content-Type": "application/json"}
    return VendorAnswer(200, orjson.dumps(subscription.build_resource()), headers)


def _again(answer: StoredAnswer) -> VendorAnswer:
    headers = {"Location": answer.location} if answer.location else {"Content-Type": "application/json"}
    return VendorAnswer(answer.status, answer.body.encode(), headers)


def describe_vendor_error(
    status: int, code: int, description: str, headers: dict[str, str] | None = None
) -> VendorAnswer:
    """Describe an error as the vendor answers it."""
    body = orjson.dumps({"code": code, "description": description, "data": [], "source": "vendor"})
    if status == 429:
        headers = {"Retry-After": "60"} | (headers or {})
    return VendorAnswer(status, body, {"Content-Type": "application/json"} | (headers or {}))
