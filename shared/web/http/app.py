"""The application of one process: health and the routes."""

from collections.abc import Mapping

import orjson
from fastapi import FastAPI, Request, Response

from shared.base import telemetry
from shared.base.connections.tls import describe_tls_refusal
from shared.base.metrics.http import ObservedApp
from shared.persistence import parked_events
from shared.pure.errors import Unavailable
from shared.web.http.admission import RequestAdmission
from shared.web.http.answer_headers import AnswerHeaders
from shared.web.http.documents import build_openapi_document, build_operation_id
from shared.web.http.fast_commands import FastCommandApp, list_fast_commands
from shared.web.http.pages import add_api_pages
from shared.web.http.problems import COMMON_PROBLEMS, register_problem_handlers
from shared.web.http.process import ProcessEdge

_DESCRIPTION = (
    "Every refusal is a problem document (RFC 9457). Beside what each operation declares: a path that there is not"
    " is `404 not_found`, and a method that a path does not have is `405 method_not_allowed`. Bodies are JSON in UTF-8"
    " but where an operation takes files, and name no field twice; dates are `YYYY-MM-DD`, instants RFC 3339 with an"
    " offset."
)


def create_process_app(runtime: ProcessEdge, *, with_routes: bool = True) -> FastAPI:
    """The application of one process: health always, the service's routes where the role serves them."""
    service = runtime.service
    app = FastAPI(
        title=f"Goodstanding {service.name}",
        summary=service.summary,
        description=_DESCRIPTION,
        version="1",
        docs_url=None,
        redoc_url=None,
        generate_unique_id_function=build_operation_id,
        telemetry={
            "operation_spans": False,
            "metrics": False,
            "logs": False,
            "exclude": lambda _: telemetry.is_tracing_off(),
        },
        responses=COMMON_PROBLEMS,
    )
    app.state.runtime = runtime
    app.openapi = lambda: build_openapi_document(app)  # type: ignore[method-assign]
    if with_routes:
        app.add_middleware(FastCommandApp, shapes=list_fast_commands(service.routers))
    app.add_middleware(RequestAdmission, max_requests=runtime.settings.max_requests)
    app.add_middleware(ObservedApp)
    app.add_middleware(AnswerHeaders)
    register_problem_handlers(app)
    _add_health(app)
    add_api_pages(app)
    if with_routes:  # as they are: included routers are each asked for each request, and copy each of their routes
        for router in service.routers:
            app.router.routes.extend(router.routes)
    return app


def _add_health(app: FastAPI) -> None:
    @app.get("/health/live", tags=["health"], summary="Whether the process lives")
    async def check_liveness() -> dict[str, str]:
        """Alive as soon as it answers; a process that hangs ends by itself."""
        return {"status": "alive"}

    @app.get(
        "/health/ready",
        tags=["health"],
        summary="Whether the process can do its work: database, broker, consumer",
        responses={503: {"description": "a part does not work; `parts` says which"}},
    )
    async def check_readiness(request: Request) -> Response:
        """503 while a part does not work; `parts` says which, and what its state is."""
        runtime: ProcessEdge = request.app.state.runtime
        try:
            await runtime.units.run(lambda unit: parked_events.find_group_stop_reason(unit.connection))
            database = (True, "reachable")
        except Unavailable as error:
            database = (False, describe_tls_refusal(error) or error.detail)
        parts = {"database": database, **runtime.health.parts}
        well = all(part[0] for part in parts.values())
        body = {"ready": well, "parts": _describe_parts(parts), "outside": _describe_parts(runtime.health.outside)}
        return Response(orjson.dumps(body), 200 if well else 503, media_type="application/json")


def _describe_parts(parts: Mapping[str, tuple[bool, str]]) -> dict[str, dict[str, object]]:
    return {name: {"ok": ok, "state": state} for name, (ok, state) in parts.items()}
