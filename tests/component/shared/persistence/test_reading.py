"""Reading units have no transaction: they see what is committed, and neither hold nor write anything."""

import inspect
from collections.abc import Awaitable, Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from services.escalation.tables import CaseAddressRow
from shared.persistence.audit import AuditedChange
from shared.persistence.database import Unit
from shared.process.service import NAMES, load_service
from shared.pure.errors import Unavailable
from tests.component.shared.rehearsal import Stage

ACCOUNT = uuid4()
EFFECTS = "SELECT count(*) FROM effects"


async def test_a_read_is_in_no_transaction_and_sees_what_was_committed_meanwhile(stage: Stage) -> None:
    async def look(unit: Unit) -> tuple[bool, int, int]:
        before = await unit.connection.fetchval(EFFECTS)
        await stage.database.execute("INSERT INTO collections.effects (subject, n) VALUES ('somebody', 1)")
        return unit.connection.is_in_transaction(), before, await unit.connection.fetchval(EFFECTS)

    assert await stage.units.read(look) == (False, 0, 1)


async def test_a_read_whose_connection_dies_is_tried_again_and_the_next_one_is_well(stage: Stage) -> None:
    attempts = 0

    async def look(unit: Unit) -> Any:
        nonlocal attempts
        attempts += 1
        if attempts in (1, 3, 4, 5, 6):
            await stage.database.execute(
                "SELECT pg_terminate_backend($1)", await unit.connection.fetchval("SELECT pg_backend_pid()")
            )
        return await unit.connection.fetchval("SELECT 17")

    assert (await stage.units.read(look), attempts) == (17, 2)
    with pytest.raises(Unavailable):
        await stage.units.read(look)
    assert await stage.units.read(look) == 17


async def lock(unit: Unit) -> None:
    await unit.lock_subjects(ACCOUNT)


async def claim(unit: Unit) -> None:
    await unit.claim_due_accounts("SELECT subject FROM streams WHERE $1::timestamptz IS NOT NULL", 1)


async def record(unit: Unit) -> None:
    unit.record(AuditedChange("account", ACCOUNT))


async def change(unit: Unit) -> None:
    unit.session.add(CaseAddressRow(case_id=ACCOUNT, token="secret"))


@pytest.mark.parametrize("act", [lock, claim, record, change])
async def test_a_read_holds_and_writes_nothing(stage: Stage, act: Callable[[Unit], Awaitable[None]]) -> None:
    with pytest.raises(AssertionError, match="only reads"):
        await stage.units.read(act)


def list_calls(dependant: Dependant) -> Iterator[Any]:
    """List what FastAPI calls before a route, and the route itself."""
    yield dependant.call
    for dependency in dependant.dependencies:
        yield from list_calls(dependency)


@pytest.mark.parametrize("service", NAMES)
def test_no_route_and_nothing_that_it_depends_on_costs_a_thread(service: str) -> None:
    routes = [
        route for router in load_service(service).routers for route in router.routes if isinstance(route, APIRoute)
    ]
    calls = {call for route in routes for call in list_calls(route.dependant)}
    threaded = [
        call
        for call in calls
        if not inspect.iscoroutinefunction(call) and not inspect.iscoroutinefunction(type(call).__call__)
    ]
    assert (len(calls) > 10, threaded) == (True, [])
