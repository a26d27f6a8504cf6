"""The page of access, the routes, the tokens of services, and the calls that services make say the same."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local.tokens import RELAY, SigningKeyPair
from shared.contracts.scopes import SCOPES, SERVICE_SCOPES, list_scopes
from shared.process.service import load_service
from shared.web.auth import find_required_scopes
from tests.architecture.service_calls import list_service_calls
from tests.architecture.source import ROOT, SERVICES

PAGE = (ROOT / "docs" / "access.md").read_text()


def list_rows(text: str, heading: str) -> list[list[str]]:
    """List the rows of the table under a heading of a page, without the head."""
    section = text.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    rows = [line.strip("| ").split(" | ") for line in section.splitlines() if line.startswith("|")]
    return rows[2:]


def find_names(cell: str) -> list[str]:
    """Find the names in a cell."""
    return re.findall(r"`([^`]+)`", cell)


def list_readme_scopes(readme: str) -> Iterator[tuple[str, str]]:
    """List route and scope of a README's table of routes."""
    for line in readme.splitlines():
        row = re.fullmatch(r"\| (.*) \| `([a-z]+:[a-z]+(`, `[a-z]+:[a-z]+)*)` \|", line)
        for name in find_names(row[1]) if row else ():
            if re.match(r"(GET|POST|PUT|PATCH|DELETE) ", name):
                yield name, row[2].replace("`, `", "|") if row else ""


def list_used_scopes(service: str) -> dict[str, set[str]]:
    """List the scopes that a service's own calls need, by audience."""
    used: dict[str, set[str]] = {}
    for call in list_service_calls(ROOT / "services" / service):
        routes = {re.sub(r"\{[^}]+\}", "{}", name): scope for name, scope in list_route_scopes(call.audience)}
        used.setdefault(call.audience, set()).add(routes[call.operation])
    return used


def list_route_scopes(service: str) -> Iterator[tuple[str, str]]:
    """List the routes of a service that need a scope, each with it."""
    for router in load_service(service).routers:
        for route in router.routes:
            for method in route.methods:  # type: ignore[attr-defined]
                for scope in find_required_scopes(route.dependencies) or ():  # type: ignore[attr-defined]
                    yield f"{method} {route.path}".replace(":path}", "}"), scope  # type: ignore[attr-defined]


def test_the_page_lists_every_scope_with_its_meaning() -> None:
    rows = [(find_names(name)[0], meaning) for name, meaning in list_rows(PAGE, "Scopes")]
    assert rows == [(f"{service}:{word}", text) for service, words in SCOPES.items() for word, text in words.items()]


def test_the_page_gives_people_only_scopes_that_there_are_and_each_that_is_no_service_s_to_somebody() -> None:
    listed = {scope for _, scopes in list_rows(PAGE, "People") for scope in find_names(scopes)}
    assert listed == {scope for service in SCOPES for scope in list_scopes(service)} - {"invoicing:disputes"}


def test_who_sets_limits_gives_nothing_and_who_keeps_rates_books_nothing() -> None:
    for who, cell in list_rows(PAGE, "People"):
        scopes = set(find_names(cell))
        assert not {"invoicing:admin", "invoicing:credits"} <= scopes, who
        assert not {"invoicing:settings", "invoicing:payments"} <= scopes, who


@pytest.mark.parametrize("service", SERVICES)
def test_the_readme_says_of_each_route_the_scope_that_it_needs(service: str) -> None:
    written = set(list_readme_scopes((ROOT / "services" / service / "README.md").read_text()))
    assert written == set(list_route_scopes(service))


def test_each_service_s_token_lets_it_do_what_its_calls_need_and_no_more(tmp_path: Path) -> None:
    page = {
        (find_names(row[0])[0], find_names(row[1])[0]): set(find_names(row[2])) for row in list_rows(PAGE, "Services")
    }
    tokens = {
        (service, audience): {f"{audience}:{word}" for word in words}
        for service, audiences in SERVICE_SCOPES.items()
        for audience, words in audiences.items()
    }
    used = {
        (service, audience): scopes for service in SERVICES for audience, scopes in list_used_scopes(service).items()
    }
    assert page == tokens == used
    SigningKeyPair(tmp_path / "keys").write_service_tokens(tmp_path / "tokens")
    written = {(path.parent.name, path.stem) for path in (tmp_path / "tokens").rglob("*.jwt")}
    assert written == tokens.keys() | {(RELAY, "escalation")}
