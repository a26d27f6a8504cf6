"""One subscription at the vendor, over the REST API of Partner Center: read, and changed as a whole.

A PATCH carries the full resource: what it leaves out, the vendor drops. The resource's ETag guards against
changes since it was read, and a request id that follows from the content makes repeats harmless.
"""

import asyncio
import time
from typing import Any
from urllib.parse import quote, urlsplit
from uuid import UUID, uuid5
from weakref import WeakKeyDictionary

import httpx2
import orjson

from services.entitlements import metrics
from services.entitlements.adapters.partner_center_errors import VendorRefusalKind, classify_vendor_refusal
from services.entitlements.adapters.partner_center_fields import (
    AUTO_RENEW,
    Resource,
    build_renewal_fields,
    list_changed_fields,
    read_subscription_state,
)
from services.entitlements.domain.renewal_snapshot import RenewalSnapshot
from services.entitlements.domain.vendor_port import VendorRefusedForGood, VendorSubscriptionState
from shared.base.retries import retry_briefly
from shared.pure.errors import RetryLater
from shared.pure.ids import new_id

LONGEST_WAIT = 5.0
"""Seconds for which the vendor is waited for within an attempt; past it the intent becomes due later."""
POLLS = 20
POLL_PAUSE = 0.1
"""Seconds between looks at an accepted change, unless the vendor says how long to wait."""

_closed_until: WeakKeyDictionary[httpx2.AsyncClient, float] = WeakKeyDictionary()
"""Until when (monotonic seconds) the vendor wants no calls: its limit is for the partner, not for a subscription."""


class VendorUnavailable(RetryLater):
    """The vendor did not do it now; a few quick attempts are worth it."""


class VendorResourceChanged(VendorUnavailable):
    """The resource was changed since it was read."""


class PartnerCenterSubscription:
    """The subscription that one intent is about: the `VendorPort` of Partner Center."""

    def __init__(self, http: httpx2.AsyncClient, customer_id: str, subscription_id: str, intent_id: UUID) -> None:
        self._http = http
        self._ids = customer_id, subscription_id
        self._intent_id = intent_id

    @property
    def _path(self) -> str:
        customer, subscription = map(_segment, self._ids)
        return f"/v1/customers/{customer}/subscriptions/{subscription}"

    async def fetch_subscription(self) -> VendorSubscriptionState:
        """Read the subscription as it is now. Raises VendorRefusedForGood, RetryLater."""
        return read_subscription_state(await self._fetch())

    async def suspend_subscription(self, state: VendorSubscriptionState) -> VendorSubscriptionState:
        """Close access to the subscription. Raises VendorRefusedForGood, RetryLater."""
        return await self._change_fields(state, status="suspended")

    async def activate_subscription(self, state: VendorSubscriptionState) -> VendorSubscriptionState:
        """Give access back; new commerce gives no renewal settings back. Raises VendorRefusedForGood, RetryLater."""
        return await self._change_fields(state, status="active")

    async def switch_auto_renew_off(self, state: VendorSubscriptionState) -> VendorSubscriptionState:
        """Have the subscription end with its term. Raises VendorRefusedForGood, RetryLater."""
        return await self._change_fields(state, **{AUTO_RENEW: False})

    async def restore_renewal(
        self, state: VendorSubscriptionState, snapshot: RenewalSnapshot
    ) -> VendorSubscriptionState:
        """Put the renewal settings back as they were. Raises VendorRefusedForGood, RetryLater."""
        return await self._change_fields(state, **build_renewal_fields(snapshot))

    def list_unrestored_settings(self, snapshot: RenewalSnapshot, state: VendorSubscriptionState) -> tuple[str, ...]:
        """List the settings that are not as they were, by the names of the resource's fields."""
        return list_changed_fields(snapshot, state.renewal)

    async def _fetch(self) -> Resource:
        return _resource(await self._call("GET", self._path, new_id()))

    async def _change_fields(self, state: VendorSubscriptionState, **fields: Any) -> VendorSubscriptionState:
        """Change these fields; read again and try again if somebody else changed the resource."""
        return read_subscription_state(await self._change_resource(state.resource, fields))

    async def _change_resource(self, resource: Resource, fields: Resource) -> Resource:
        async for attempt in retry_briefly(lambda error: isinstance(error, VendorResourceChanged)):
            with attempt:
                try:
                    return await self._patch(resource | fields)
                except VendorResourceChanged:
                    resource = await self._fetch()
                    if all(resource.get(name) == value for name, value in fields.items()):
                        return resource
                    raise
        raise AssertionError("the last attempt returns or raises")

    async def _patch(self, resource: Resource) -> Resource:
        body = orjson.dumps(resource, option=orjson.OPT_SORT_KEYS)
        request_id = uuid5(self._intent_id, body.decode())
        headers = {"If-Match": str(resource["attributes"]["etag"]), "Content-Type": "application/json"}
        answer = await self._call("PATCH", self._path, request_id, headers, body)
        if answer.status_code == 202:
            await self._until_done(answer)
            return await self._fetch()
        return _resource(answer)

    async def _until_done(self, accepted: httpx2.Response) -> None:
        place = urlsplit(accepted.headers.get("location", ""))
        answer = accepted
        for _ in range(POLLS):
            await asyncio.sleep(min(_retry_after(answer, POLL_PAUSE), LONGEST_WAIT))
            answer = await self._call("GET", place._replace(scheme="", netloc="").geturl(), new_id())
            if answer.status_code != 202:
                return
        raise RetryLater("the vendor accepted the change and has not done it yet")

    async def _call(
        self,
        method: str,
        path: str,
        request_id: UUID,
        headers: dict[str, str] | None = None,
        body: bytes | None = None,
    ) -> httpx2.Response:
        async for attempt in retry_briefly(
            lambda error: isinstance(error, VendorUnavailable) and not isinstance(error, VendorResourceChanged)
        ):
            with attempt:
                await self._wait_until_open()
                ids = {"MS-RequestId": str(request_id), "MS-CorrelationId": str(new_id())}
                try:
                    with metrics.time_vendor_call(method) as outcome:
                        answer = await self._http.request(method, path, content=body, headers=ids | (headers or {}))
                        outcome.append(_name_outcome(answer))
                except httpx2.TransportError as error:
                    raise VendorUnavailable(f"the vendor cannot be reached: {type(error).__name__}") from error
                if answer.status_code < 400:
                    return answer
                if answer.status_code in (429, 503):
                    _closed_until[self._http] = time.monotonic() + _retry_after(answer, 0)
                raise _build_refusal(answer)
        raise AssertionError("the last attempt returns or raises")

    async def _wait_until_open(self) -> None:
        """Wait as long as the vendor asked for when it is overloaded. Raises RetryLater if that is long."""
        pause = _closed_until.get(self._http, 0) - time.monotonic()
        if pause > LONGEST_WAIT:
            raise RetryLater(f"the vendor is overloaded and wants no call for {pause:.0f} s")
        await asyncio.sleep(max(pause, 0))


def _segment(vendor_id: str) -> str:
    """Quote an id as one segment of a path. Raises VendorRefusedForGood for one that would be another place (`..`)."""
    if not vendor_id.strip("."):
        raise VendorRefusedForGood("unusable_id", "the vendor's id is empty, or of dots alone")
    return quote(vendor_id, safe="")


def _name_outcome(answer: httpx2.Response) -> str:
    """Count an answer under the outcome that metrics show."""
    if answer.status_code < 400:
        return "done"
    if answer.status_code == 429:
        return "throttled"
    meanings = {
        VendorRefusalKind.FINAL: "refused",
        VendorRefusalKind.STALE: "stale",
        VendorRefusalKind.PASSES: "passing",
    }
    return meanings[classify_vendor_refusal(answer.status_code, _problem(answer)[0])]


def _build_refusal(answer: httpx2.Response) -> Exception:
    """Build the exception for an error answer."""
    code, detail = _problem(answer)
    said = f"the vendor answers {answer.status_code} {code}"  # and no more: its own words may name the customer
    match classify_vendor_refusal(answer.status_code, code):
        case VendorRefusalKind.FINAL:
            return VendorRefusedForGood(code or str(answer.status_code), detail)
        case VendorRefusalKind.STALE:
            return VendorResourceChanged(said)
        case VendorRefusalKind.PASSES:
            return VendorUnavailable(said)


def _problem(answer: httpx2.Response) -> tuple[str, str]:
    try:
        body = orjson.loads(answer.content)
    except ValueError:
        return "", answer.reason_phrase
    if not isinstance(body, dict):
        return "", answer.reason_phrase
    return str(body.get("code", "")), str(body.get("description", ""))[:500]


def _resource(answer: httpx2.Response) -> Resource:
    try:
        resource = orjson.loads(answer.content)
        if isinstance(resource["status"], str) and "etag" in resource["attributes"]:
            return dict(resource)
    except (ValueError, LookupError, TypeError):
        pass
    raise RetryLater("the vendor's answer is no subscription")


def _retry_after(answer: httpx2.Response, default: float) -> float:
    """Seconds that the vendor asks to wait."""
    try:
        return max(0.0, float(answer.headers.get("retry-after", default)))
    except ValueError:
        return LONGEST_WAIT
