"""Every route that changes a setting needs a second person, or is named here with the reason why not."""

import pytest
from fastapi.routing import APIRoute

from services.invoicing.settings.domain.setting_change import SCOPES, SettingKind
from shared.process.service import load_service
from tests.architecture.test_refusals import list_codes
from tests.architecture.test_routes import routes, scopes

BY_TWO = {
    "PUT /v1/legal-entities/{code}": SettingKind.LEGAL_ENTITY,
    "POST /v1/tax-rates": SettingKind.TAX_RATE,
    "PUT /v1/approval-limits/{role}/{currency}": SettingKind.APPROVAL_LIMIT,
    "PUT /v1/tolerances/{legal_entity}/{currency}": SettingKind.TOLERANCE,
    "PUT /v1/legal-entities/{code}/second-person": SettingKind.SECOND_PERSON,
    "POST /v1/ledger/{legal_entity}/periods/{month}:close": SettingKind.LEDGER_PERIOD,
}
"""Kind of change by the route that proposes it."""
BY_ONE = {
    "POST /v1/plans": "a plan is offered from a day on, and moves nothing that was sold",
    "POST /v1/plans/{plan_id}/versions": "a version binds terms that begin after it",
    "PUT /v1/legal-entities/{code}/business-calendar": "it moves no money and ends no access by itself",
    "PUT /v1/chargeback-reasons/{code}": "it says what a network's reason is called, and moves no money",
    "PUT /v1/exchange-rates": "no amount is kept in another currency than its own",
    "POST /v1/setting-changes/{setting_change_id}:approve": "this is the second person",
    "POST /v1/setting-changes/{setting_change_id}:decline": "this is the second person",
    "POST /v1/setting-changes/{setting_change_id}:withdraw": "it gives up what was proposed",
}
"""Reasons for which a route of these scopes needs no second person."""


def list_setting_routes(by_name: dict[str, APIRoute]) -> dict[str, APIRoute]:
    """List the routes that change something under the scopes of settings."""
    words = set(SCOPES.values())
    return {
        name: route
        for name, route in by_name.items()
        if not name.startswith("GET ") and words & {word for scope in scopes(route) for word in scope.split("|")}
    }


def list_one_handed(by_name: dict[str, APIRoute]) -> set[str]:
    """List the routes that change a setting and can neither answer that it is proposed nor that it was before."""
    return {
        name
        for name, route in by_name.items()
        if 202 not in route.responses or "already_proposed" not in list_codes(route.endpoint, set())  # type: ignore[arg-type]
    }


def test_every_route_of_settings_has_a_kind_or_a_reason() -> None:
    by_name = list_setting_routes(routes(load_service("invoicing").routers))
    assert by_name.keys() == BY_TWO.keys() | BY_ONE.keys()
    assert set(BY_TWO.values()) == set(SettingKind)
    assert all(BY_ONE.values())
    for name, kind in BY_TWO.items():
        assert scopes(by_name[name]) == {SCOPES[kind]}, name
    assert list_one_handed({name: by_name[name] for name in BY_TWO}) == set()


@pytest.mark.parametrize("name", ["POST /v1/plans", "PUT /v1/exchange-rates"])
def test_a_route_that_asks_nobody_is_seen(name: str) -> None:
    by_name = routes(load_service("invoicing").routers)
    assert list_one_handed({name: by_name[name]}) == {name}
