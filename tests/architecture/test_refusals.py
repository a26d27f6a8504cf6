"""The API page of each operation names the refusals that its use case can give, and no others."""

from collections.abc import Iterator
from types import CodeType, FunctionType, ModuleType
from typing import Any

import pytest
from fastapi.routing import APIRoute

from shared.process.service import load_service
from shared.pure.errors import NotFound, Refusal
from shared.web.http import PROBLEM, Router, refusals
from tests.architecture.source import SERVICES
from tests.architecture.test_routes import routes

NEVER = {
    "GET /v1/suspensions/{suspension_id}/confirmation": {"suspension_move_refused"},
    "GET /v1/accounts/{account_id}/bill-preview": {"move_refused", "not_offered"},
}
"""What stands in a use case and cannot come about: it withdraws only what it has just seen to be requested; and it
renews what is scheduled, which a plan that is offered then was scheduled for."""


class Taken(Refusal):
    """Somebody was faster."""

    code = "taken"


def names(code: CodeType) -> set[str]:
    """Every name that a function uses, in the functions within it too."""
    return set(code.co_names).union(*(names(constant) for constant in code.co_consts if isinstance(constant, CodeType)))


def list_used(function: FunctionType) -> Iterator[Any]:
    """List what a function refers to: globals of its module, and what it takes from modules among them."""
    wanted = names(function.__code__)
    objects = [function.__globals__[name] for name in wanted if name in function.__globals__]
    while objects:
        referred = objects.pop()
        yield referred
        if isinstance(referred, ModuleType) and referred.__name__.startswith("services."):
            objects += [getattr(referred, name) for name in wanted if hasattr(referred, name)]


def list_codes(function: FunctionType, seen: set[FunctionType]) -> set[str]:
    """The codes of the 409s that a function of ours refers to, or one that it calls."""
    seen.add(function)
    codes = set()
    for referred in list_used(function):
        if (
            isinstance(referred, type)
            and issubclass(referred, Refusal)
            and referred.status == 409
            and referred is not Refusal
        ):
            codes.add(referred.code)
        if (
            isinstance(referred, FunctionType)
            and referred.__module__.startswith(("services.", __name__))
            and referred not in seen
        ):
            codes |= list_codes(referred, seen)
    return codes


def _list_codes(route: APIRoute) -> set[str]:
    assert isinstance(route.endpoint, FunctionType)
    return list_codes(route.endpoint, set())


def mistold(routers: tuple[Router, ...]) -> dict[str, tuple[set[str], set[str]]]:
    """The routes whose page shows other codes than their use cases give: what is shown, and what is given."""
    by_route = {}
    for name, route in routes(routers).items():
        answer = route.responses.get(409, {"content": {PROBLEM: {"examples": {}}}})
        shown, gives = (set(answer["content"][PROBLEM]["examples"]), _list_codes(route) - NEVER.get(name, set()))
        if shown != gives:
            by_route[name] = (shown, gives)
    return by_route


@pytest.mark.parametrize("service", SERVICES)
def test_an_operation_shows_the_conflicts_that_it_can_give(service: str) -> None:
    assert mistold(load_service(service).routers) == {}


def _take() -> None:
    raise Taken("somebody was faster")


def test_a_conflict_that_is_not_shown_and_one_that_cannot_be_are_seen() -> None:
    router = Router()

    @router.post("/shown", responses=refusals(Taken))
    async def conflict() -> None:
        def later() -> None:
            _take()

        later()

    @router.post("/hidden")
    async def hidden() -> None:
        _take()

    @router.get("/never", responses=refusals(Taken))
    async def never() -> None:
        raise NotFound("nothing")

    assert mistold((router,)) == {"POST /hidden": (set(), {"taken"}), "GET /never": ({"taken"}, set())}
