"""Every route needs a token and a key where it must, and the READMEs name every route and event."""

import re
from collections.abc import Iterable
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin

import pytest
from fastapi import APIRouter, Query, Request
from fastapi.params import Security
from fastapi.routing import APIRoute
from pydantic import BaseModel, BeforeValidator

from shared.events import REGISTRY
from shared.process.service import load_service
from shared.pure.fields import Day, Instant
from shared.web.auth import needs
from shared.web.commands import (
    ChangeDependency,
    ChangeRunner,
    CommandDependency,
    CommandRunner,
    UploadDependency,
    perform_change,
    perform_command,
)
from shared.web.http import Read
from tests.architecture import source
from tests.architecture.source import ROOT, SERVICES

PUBLIC = {"GET /policy", "GET /support"}
"""Customers read the policy and what support there is without a login."""
PUBLISHING = {"POST /v1/policies"}
"""Routes that bind every customer from a day on."""

CHANGES_NOTHING = {"POST /v1/balances:batch", "POST /v1/accounts/{account_id}/notice-facts"}
"""A question too long for a GET."""

LEASES = {"disputes"}
"""Reads the lease of an intent, and leaves what it changes to the command's own unit."""

LIMITS = {
    "POST /v1/support-resources",
    "POST /v1/support-resources:import",
    "PUT /v1/support-resources/{resource_id}",
    "PUT /v1/vendor-channels/{legal_entity}",
    "PUT /v1/retention-period",
    "PUT /v1/dispute-reasons/{code}",
    "PUT /v1/chargeback-reasons/{code}",
    "PUT /v1/support-statements/{legal_entity}/{language}",
    "PUT /v1/service-credit-types/{code}",
    "PUT /v1/response-targets/{support_level}/{kind}/{severity}/{which}",
    "POST /v1/guard:set-limits",
    "POST /v1/guard/limit-changes/{guard_limit_change_id}:approve",
    "POST /v1/guard/limit-changes/{guard_limit_change_id}:decline",
    "POST /v1/guard/limit-changes/{guard_limit_change_id}:withdraw",
    "PUT /v1/approval-limits/{role}/{currency}",
    "PUT /v1/exchange-rates",
    "PUT /v1/legal-entities/{code}/second-person",
    "PUT /v1/tolerances/{legal_entity}/{currency}",
}
"""What says how far others may go, or what money is worth, is not for those who write every day."""

DECISIONS = {
    "POST /v1/setting-changes/{setting_change_id}:approve",
    "POST /v1/setting-changes/{setting_change_id}:decline",
    "POST /v1/setting-changes/{setting_change_id}:withdraw",
}
"""Whoever may propose a kind of change may decide about it; which scope that is, depends on the kind."""

CHANGES = {"invoicing": {"sales", "billing", "payments", "credits", "vendor", "settings", "disputes"}}
"""By what a change is opened, where not by `write`; `docs/access.md` says which by which."""

OVERRIDE = "POST /v1/cases/{case_id}/handover:override"
"""What lets a rule go needs a right of its own."""
MESSAGES = "GET /v1/notices/{notice_id}/message"
"""What people were written is for few."""
PERSONAL = {
    "GET /v1/contact-persons/{contact_person_id}/correspondence",
    "POST /v1/contact-persons/{contact_person_id}:erase",
    "POST /v1/correspondents:erase",
}
"""All that a person wrote is exported and erased by few."""
RELAYED = "POST /v1/inbound-mails"
"""Mails are handed over by the relay, which may do nothing else."""
ADMITTING = "POST /v1/disputes/{dispute_id}:admit"
"""Going on where the rules would stop is a right of its own."""
AUDIT = ("GET /v1/audit-entries", "GET /v1/audit-entries/{audit_entry_id}")
"""Who changed what is for few."""


def routes(routers: Iterable[APIRouter]) -> dict[str, APIRoute]:
    """The routes of these routers by method and path."""
    return {
        f"{method} {route.path}": route
        for router in routers
        for route in router.routes
        if isinstance(route, APIRoute)
        for method in route.methods or ()
    }


def scopes(route: APIRoute) -> set[str]:
    """The scopes that a route needs."""
    return {
        scope
        for dependency in route.dependencies
        if isinstance(dependency, Security)
        for scope in dependency.scopes or ()
    }


def wrong_scopes(service: str, routes_by_name: dict[str, APIRoute]) -> set[str]:
    """Routes with another scope than its service's `read` for a question, `write` for a change (in invoicing that of
    the kind of change), `admin` for a limit, `publish` for what binds customers, `operate` for work that failed.
    """
    wrong = set()
    for name, route in routes_by_name.items():
        asks = name.startswith("GET ") or name in CHANGES_NOTHING
        special = (
            dict.fromkeys(LIMITS | PERSONAL, "admin")
            | dict.fromkeys(PUBLISHING, "publish")
            | dict.fromkeys(AUDIT, "audit")
            | {MESSAGES: "messages", RELAYED: "mail", ADMITTING: "override", OVERRIDE: "override"}
            | dict.fromkeys(DECISIONS, "settings|invoicing:admin")
        )
        may = special.get(name, "operate" if "-work" in name else "read" if asks else "write")
        words = CHANGES.get(service, {"write"}) if may == "write" else {may}
        wanted = [set()] if name in PUBLIC else [{f"{service}:{word}"} for word in words]
        if scopes(route) not in wanted:
            wrong.add(name)
    return wrong


def without_key(routes_by_name: dict[str, APIRoute]) -> set[str]:
    """POSTs that change something and take no Idempotency-Key."""
    return {
        name
        for name, route in routes_by_name.items()
        if name.startswith("POST ") and name not in CHANGES_NOTHING
        if not any(isinstance(action, CommandDependency | UploadDependency) for action in list_actions(route))
    }


def list_actions(route: APIRoute) -> list[ChangeDependency | CommandDependency | UploadDependency]:
    """List the dependencies of a route that name an action."""
    calls = (dependency.call for dependency in route.dependant.dependencies)
    return [call for call in calls if isinstance(call, ChangeDependency | CommandDependency | UploadDependency)]


def without_action(by_name: dict[str, APIRoute]) -> set[str]:
    """Routes that change something and do not say, once, by which action their audit entries are known."""
    changes = {name for name in by_name if not name.startswith("GET ")} - CHANGES_NOTHING
    return {name for name in changes if len(list_actions(by_name[name])) != 1}


def by_other_ways(by_name: dict[str, APIRoute]) -> set[str]:
    """Routes that change something and can run a unit, where nobody asks for the entry that it leaves."""
    changes = {name for name in by_name if not name.startswith("GET ")} - CHANGES_NOTHING
    return {name for name in changes if Read in by_name[name].endpoint.__annotations__.values()}


def units_of_their_own(folder: Path) -> set[str]:
    """Modules of routes that run a unit themselves, beside what runs it for them."""
    return {path.stem for path in source.sources(folder) if ".units.run(" in path.read_text()}


def find_unmentioned(readme: str, names: Iterable[str]) -> set[str]:
    """Names that a README does not have."""
    return {name for name in names if name not in readme}


@pytest.mark.parametrize("service", SERVICES)
def test_routes_need_their_scope_and_posts_a_key(service: str) -> None:
    routes_by_name = routes(load_service(service).routers)
    assert routes_by_name
    assert wrong_scopes(service, routes_by_name) == set()
    assert without_key(routes_by_name) == set()


@pytest.mark.parametrize("service", SERVICES)
def test_whatever_changes_something_leaves_an_entry_in_the_audit(service: str) -> None:
    by_name = routes(load_service(service).routers)
    assert without_action(by_name) == set()
    assert by_other_ways(by_name) == set()
    rooms = source.list_rooms(ROOT / "services" / service, "api")
    assert set[str]().union(*map(units_of_their_own, rooms)) <= LEASES
    actions = [action.action for route in by_name.values() for action in list_actions(route)]
    assert len(set(actions)) == len(actions)
    assert [action for action in actions if not re.fullmatch(r"[a-z_]+\.[a-z_]+", action)] == []


def test_a_route_that_changes_something_in_another_way_is_seen(tmp_path: Path) -> None:
    writes = APIRouter(prefix="/v1")

    @writes.put("/silent")
    async def silent(request: Request) -> None: ...

    @writes.patch("/sly")
    async def sly(read: Read, command: Annotated[ChangeRunner, perform_change("thing.change")]) -> None: ...

    @writes.post("/things")
    async def fine(command: Annotated[CommandRunner, perform_command("thing.make")]) -> None: ...

    by_name = routes([writes])
    assert without_action(by_name) == {"PUT /v1/silent"}
    assert by_other_ways(by_name) == {"PATCH /v1/sly"}
    (tmp_path / "sly.py").write_text("row = await request.app.state.runtime.units.run(act)\n")
    (tmp_path / "fine.py").write_text("row = await command.run(act)\n")
    assert units_of_their_own(tmp_path) == {"sly"}


def test_an_open_route_and_a_post_without_a_key_are_seen() -> None:
    open_router = APIRouter(prefix="/v1")
    reads = APIRouter(prefix="/v1", dependencies=[needs("invoicing:read")])

    @open_router.get("/open")
    async def write() -> None: ...

    @reads.post("/changes")
    async def change(body: dict[str, Any]) -> None: ...

    @reads.get("/fine")
    async def fine() -> None: ...

    routes_by_name = routes([open_router, reads])
    assert wrong_scopes("invoicing", routes_by_name) == {"GET /v1/open", "POST /v1/changes"}
    assert without_key(routes_by_name) == {"POST /v1/changes"}


def loose_times(route: APIRoute) -> set[str]:
    """Where a request takes a date or an instant in whatever form pydantic reads, numbers included."""
    fields = [route.body_field] if route.body_field else []
    inputs = [*fields, *(parameter for parameter in (*route.dependant.query_params, *route.dependant.path_params))]
    names: set[str] = set()
    for field in inputs:
        _loose(field.name, field.field_info.annotation, field.field_info.metadata, names)
    return names


def _loose(name: str, kind: Any, around: Iterable[Any], names: set[str]) -> None:
    if get_origin(kind) is Annotated:
        kind, *more = get_args(kind)
        _loose(name, kind, (*around, *more), names)
    elif kind in (date, datetime):
        if not any(isinstance(marker, BeforeValidator) for marker in around):
            names.add(name)
    elif isinstance(kind, type) and issubclass(kind, BaseModel):
        for own, field in kind.model_fields.items():
            _loose(f"{name}.{own}", field.annotation, field.metadata, names)
    else:
        for part in get_args(kind):
            _loose(name, part, (), names)


@pytest.mark.parametrize("service", SERVICES)
def test_times_in_requests_are_text_of_one_form(service: str) -> None:
    loose_fields = {
        f"{name} {loose}"
        for name, route in routes(load_service(service).routers).items()
        for loose in loose_times(route)
    }
    assert loose_fields == set()


def test_a_time_of_any_form_is_seen() -> None:
    class Part(BaseModel):
        day: date | None = None
        fine: Day | None = None
        at: list[Instant]

    class Whole(BaseModel):
        parts: list[Part]
        until: datetime

    router = APIRouter()

    @router.post("/whole")
    async def whole(body: Whole, since: date, to: Day, by: Annotated[Day | None, Query()] = None) -> None: ...

    (route,) = routes([router]).values()
    assert loose_times(route) == {"body.parts.day", "body.until", "since"}


@pytest.mark.parametrize("service", SERVICES)
def test_the_readme_names_every_route_and_event(service: str) -> None:
    readme = (ROOT / "services" / service / "README.md").read_text()
    wired = load_service(service)
    announced = {
        event.__name__
        for event in REGISTRY.values()
        if event.producer == service and event.__module__.startswith("shared.")
    }
    heard = {REGISTRY[type_].__name__ for type_ in wired.handlers}
    assert find_unmentioned(readme, announced | heard) == set()
    assert find_unmentioned(readme, _show_routes(routes(wired.routers))) == set()


def _show_routes(routes_by_name: dict[str, APIRoute]) -> set[str]:
    """How a README shows routes: whole, but a command on one thing at least by the command, as in `:reject`."""
    return {f":{name.partition('}:')[2]}" if "}:" in name else name for name in routes_by_name}


def test_an_unmentioned_event_is_seen() -> None:
    assert find_unmentioned("| CaseOpened | `GET /v1/cases` |", ["CaseOpened", "CaseClosed"]) == {"CaseClosed"}
