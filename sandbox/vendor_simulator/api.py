"""The HTTP side: the vendor's API under /v1, and the sandbox's hand on it under /sandbox."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Annotated, Any

from fastapi import FastAPI, Header, Request, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from sandbox.vendor_simulator.faults import VendorFault
from sandbox.vendor_simulator.subscription import Subscription, SubscriptionSeed, create_vendor_subscription
from sandbox.vendor_simulator.support_routes import add_support_request_routes
from sandbox.vendor_simulator.tokens import TokenDesk, add_token_route
from sandbox.vendor_simulator.vendor import Vendor, VendorAnswer, VendorCall
from shared.web.http.pages import add_api_pages

PATH = "/customers/{customer}/subscriptions/{subscription}"


class ClockIn(BaseModel):
    """The vendor's time from now on; null: the system's."""

    model_config = ConfigDict(extra="forbid")

    now: AwareDatetime | None


class LimitIn(BaseModel):
    """How many calls a minute are answered; null: any number. The real vendor's limit is 500."""

    model_config = ConfigDict(extra="forbid")

    calls_per_minute: int | None = Field(ge=1)


def create_app(vendor: Vendor, desk: TokenDesk | None = None) -> FastAPI:
    """The application; it owns the vendor's store. With a desk for tokens, calls under /v1 need one of its."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        yield
        vendor.store.close()

    app = FastAPI(title="Vendor simulator", lifespan=lifespan, docs_url=None, redoc_url=None)
    if desk is not None:
        add_token_route(app, desk)
    add_api_pages(app)
    _add_vendor(app, vendor)
    _add_records(app, vendor)
    _add_weather(app, vendor)
    add_support_request_routes(app, vendor)
    _add_health(app)
    return app


def _response(said: VendorAnswer) -> Response:
    return Response(said.body, said.status, said.headers)


def _add_vendor(app: FastAPI, vendor: Vendor) -> None:
    request_id = Header(alias="MS-RequestId")
    correlation_id = Header(alias="MS-CorrelationId")

    @app.get(f"/v1{PATH}")
    async def read(
        customer: str,
        subscription: str,
        request: Annotated[str | None, request_id] = None,
        correlation: Annotated[str | None, correlation_id] = None,
    ) -> Response:
        """The subscription as it is."""
        return _response(await vendor.answer(VendorCall("GET", customer, subscription, request, correlation)))

    @app.patch(f"/v1{PATH}")
    async def change(
        customer: str,
        subscription: str,
        body: Request,
        request: Annotated[str | None, request_id] = None,
        correlation: Annotated[str | None, correlation_id] = None,
        if_match: Annotated[str | None, Header()] = None,
    ) -> Response:
        """Replace the subscription: what the body leaves out is dropped."""
        content = await body.body()
        call = VendorCall("PATCH", customer, subscription, request, correlation, if_match, content)
        return _response(await vendor.answer(call))

    @app.get("/v1/operations/{operation}")
    async def look(operation: str) -> Response:
        """202 as long as an accepted change is under way, then the subscription."""
        return _response(vendor.read_subscription(operation))


def _add_records(app: FastAPI, vendor: Vendor) -> None:
    @app.put(f"/sandbox{PATH}")
    async def put(customer: str, subscription: str, seed: SubscriptionSeed) -> dict[str, Any]:
        """Create a subscription, or begin anew with it."""
        fresh = create_vendor_subscription(customer, subscription, seed)
        vendor.store.save_changes(fresh)
        return fresh.build_resource()

    @app.get("/sandbox/subscriptions")
    async def subscriptions() -> dict[str, list[dict[str, Any]]]:
        """Every subscription with its renewal settings, and what they were before a suspension lost them."""
        return {"subscriptions": [_record(subscription) for subscription in vendor.store.subscriptions.values()]}

    @app.get("/sandbox/effects")
    async def effects() -> dict[str, list[dict[str, Any]]]:
        """How many times the status of each subscription became another, by that status."""
        changed = (subscription for subscription in vendor.store.subscriptions.values() if subscription.effects)
        records = [
            {"customer": subscription.customer, "subscription": subscription.id, "changes": subscription.effects}
            for subscription in changed
        ]
        return {"effects": records}


def _record(subscription: Subscription) -> dict[str, Any]:
    renewal = subscription.renewal.model_dump(by_alias=True)
    return {
        "customer": subscription.customer,
        "subscription": subscription.id,
        "status": subscription.status,
        "quantity": subscription.quantity,
        "renewal": renewal,
        "renewalBeforeSuspension": subscription.lost.model_dump(by_alias=True) if subscription.lost else renewal,
    }


def _add_weather(app: FastAPI, vendor: Vendor) -> None:
    @app.post("/sandbox/faults", status_code=201)
    async def add(fault: VendorFault) -> list[VendorFault]:
        """Strike the next calls that fit; the answer lists all faults that wait."""
        vendor.faults.add_fault(fault)
        return vendor.faults.list_waiting_faults()

    @app.delete("/sandbox/faults", status_code=204)
    async def clear() -> Response:
        """Strike nobody any more."""
        vendor.faults.clear_faults()
        return Response(status_code=204)

    @app.put("/sandbox/clock")
    async def tell(clock: ClockIn) -> dict[str, datetime]:
        """Tell the vendor what time it is; cancellation windows close by it."""
        vendor.clock.fixed_time = clock.now
        return {"now": vendor.clock.now()}

    @app.put("/sandbox/limit")
    async def limit(limit: LimitIn) -> LimitIn:
        """Answer 429 above so many calls a minute."""
        vendor.calls_per_minute = limit.calls_per_minute
        return limit


def _add_health(app: FastAPI) -> None:
    @app.get("/health/live")
    @app.get("/health/ready")
    async def well() -> dict[str, str]:
        """It has read its file as soon as it answers."""
        return {"status": "ok"}
