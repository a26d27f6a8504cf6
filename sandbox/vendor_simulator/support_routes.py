"""The HTTP side of the vendor's support: service requests and incidents under /v1, and the sandbox's hand on them."""

from typing import Annotated, Any

import orjson
from fastapi import FastAPI, Header, Request, Response
from fastapi.responses import JSONResponse

from sandbox.vendor_simulator.faults import Operation
from sandbox.vendor_simulator.incidents import IncidentSeed, VendorIncident
from sandbox.vendor_simulator.service_requests import (
    RequestSeed,
    VendorNote,
    VendorServiceRequest,
    annotate_request,
    open_request,
    patch_request,
)
from sandbox.vendor_simulator.subscription import VendorRefusal
from sandbox.vendor_simulator.vendor import (
    Vendor,
    VendorAnswer,
    check_request_ids,
    decode_vendor_body,
    describe_vendor_error,
)

PATH = "/servicerequests/{number}"
RequestId = Annotated[str | None, Header(alias="MS-RequestId")]
CorrelationId = Annotated[str | None, Header(alias="MS-CorrelationId")]


def add_support_request_routes(app: FastAPI, vendor: Vendor) -> None:
    """Add the routes of service requests."""
    _add_requests(app, vendor)
    _add_portal(app, vendor)
    _add_incidents(app, vendor)


def _add_requests(app: FastAPI, vendor: Vendor) -> None:
    @app.get(f"/v1{PATH}")
    async def read_request(number: str, request: RequestId = None, correlation: CorrelationId = None) -> Response:
        """The service request, if the caller created it."""
        return await _answer(vendor, "GET", number, (request, correlation), None)

    @app.patch(f"/v1{PATH}")
    async def patch(
        number: str, body: Request, request: RequestId = None, correlation: CorrelationId = None
    ) -> Response:
        """Change what the body names; a note as `NewNote`."""
        return await _answer(vendor, "PATCH", number, (request, correlation), await body.body())


async def _answer(
    vendor: Vendor, operation: Operation, number: str, ids: tuple[str | None, str | None], body: bytes | None
) -> Response:
    try:
        check_request_ids(*ids)
        vendor.check_rate_limit()
        fault = vendor.faults.take_fault(operation, number)
        if fault is not None:
            said = await vendor.answer_with_fault(fault, lambda: _perform(vendor, number, body))
        else:
            said = _perform(vendor, number, body)
    except VendorRefusal as refusal:
        said = describe_vendor_error(refusal.status, refusal.code, refusal.description)
    return Response(said.body, said.status, said.headers)


def _perform(vendor: Vendor, number: str, body: bytes | None) -> VendorAnswer:
    request = vendor.store.requests.get(number)
    if request is None or not request.is_visible:
        raise VendorRefusal(404, 404, "there is no such service request")
    if body is not None:
        request = patch_request(request, decode_vendor_body(body), vendor.clock.now())
        vendor.store.save_changes(request)
    return VendorAnswer(200, orjson.dumps(request.build_request_resource()), {"Content-Type": "application/json"})


def _add_incidents(app: FastAPI, vendor: Vendor) -> None:
    @app.get("/v1/servicehealth/incidents")
    async def list_incidents(request: RequestId = None, correlation: CorrelationId = None) -> Response:
        """The incidents that the vendor knows of."""
        try:
            check_request_ids(request, correlation)
            vendor.check_rate_limit()
        except VendorRefusal as refusal:
            said = describe_vendor_error(refusal.status, refusal.code, refusal.description)
            return Response(said.body, said.status, said.headers)
        return JSONResponse(
            {"items": [incident.build_incident_resource() for incident in vendor.store.incidents.values()]}
        )

    @app.put("/sandbox/incidents/{number}")
    async def put_incident(number: str, seed: IncidentSeed) -> JSONResponse:
        """Let an incident begin, go on or end."""
        incident = VendorIncident(id=number, **dict(seed))
        vendor.store.save_changes(incident)
        return JSONResponse(incident.build_incident_resource())


def _add_portal(app: FastAPI, vendor: Vendor) -> None:
    @app.put(f"/sandbox{PATH}")
    async def put_request(number: str, seed: RequestSeed) -> JSONResponse:
        """Open a service request in the portal, or leave it in another state as the vendor's people do."""
        try:
            request = open_request(number, seed, vendor.clock.now(), vendor.store.requests.get(number))
        except VendorRefusal as refusal:
            return JSONResponse({"code": refusal.code, "description": refusal.description}, refusal.status)
        vendor.store.save_changes(request)
        return JSONResponse(request.build_request_resource())

    @app.post(f"/sandbox{PATH}/notes", status_code=201)
    async def annotate(number: str, note: VendorNote) -> JSONResponse:
        """Let the vendor's people write a note."""
        request = vendor.store.requests.get(number)
        if request is None:
            return JSONResponse({"description": "there is no such service request"}, 404)
        noted = annotate_request(request, note.name, note.text, vendor.clock.now())
        vendor.store.save_changes(noted)
        return JSONResponse(noted.build_request_resource(), 201)

    @app.get("/sandbox/servicerequests")
    async def list_requests() -> dict[str, list[dict[str, Any]]]:
        """Every service request, also those that the API does not show."""
        requests: list[VendorServiceRequest] = list(vendor.store.requests.values())
        return {"items": [request.build_request_resource() for request in requests]}
