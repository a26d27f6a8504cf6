"""Each kind of setting that moves money: how it is set to the first, second and third value, and how it is read."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import httpx2

from services.invoicing.settings.domain.setting_change import SettingKind
from tests.builders import Client

ENTITY = {
    "name": "Reseller GmbH",
    "address": ["Musterstraße 1"],
    "tax_id": "DE123456789",
    "register_number": "HRB 1",
    "iban": "DE02120300000000202051",
    "bic": "BYLADEM1001",
}
RATE = {"legal_entity": "GS-DE", "country": "DE", "tax_class": "standard", "valid_from": "2026-01-01"}
WHY = {"reason": "as agreed"}


@dataclass(frozen=True)
class Setting:
    """A setting of one kind; its values (before, first, second, third) go up."""

    kind: SettingKind
    method: str
    path: str
    key: str
    build: Callable[[int], dict[str, Any]]
    read: Callable[[Client], Awaitable[Any]]
    list_proposed: Callable[[Client], Awaitable[list[Any]]]
    values: tuple[Any, ...]

    async def set(self, client: Client, place: int) -> httpx2.Response:
        """Ask for the first, second or third value."""
        path, body = self.path.format(place), self.build(place)
        if self.method == "POST":
            return await client.post(path, body)
        tag = {"if-match": "*"} if self.kind == SettingKind.LEGAL_ENTITY and place > 1 else {}
        return await client.http.put(path, json=body, headers=client.headers | tag)


async def _read_bank(client: Client) -> Any:
    answer = await client.get("/v1/legal-entities/GS-DE")
    return answer.json()["bank_name"] if answer.status_code == 200 else None


async def _read_rate(client: Client) -> Any:
    return [rate["rate_bp"] for rate in (await client.got("/v1/tax-rates"))["items"]]


async def _read_limit(client: Client) -> Any:
    return [limit["amount_minor"] for limit in (await client.got("/v1/approval-limits"))["limits"]]


async def _read_tolerance(client: Client) -> Any:
    return [tolerance["amount_minor"] for tolerance in (await client.got("/v1/tolerances"))["tolerances"]]


async def _read_rule(client: Client) -> Any:
    return (await client.got("/v1/legal-entities/GS-DE/second-person"))["required"]


async def _read_months(client: Client) -> Any:
    months = (await client.got("/v1/ledger-periods", legal_entity="GS-DE", state="closed"))["items"]
    return [month["month"][:7] for month in months]


async def _list_of_months(client: Client) -> list[Any]:
    months = (await client.got("/v1/ledger-periods", legal_entity="GS-DE"))["items"]
    return [month["proposed_change"] for month in months if month["proposed_change"]]


def _list_beside(path: str) -> Callable[[Client], Awaitable[list[Any]]]:
    async def list_beside(client: Client) -> list[Any]:
        return list((await client.got(path))["proposed"])

    return list_beside


def _find_of(path: str) -> Callable[[Client], Awaitable[list[Any]]]:
    async def find_of(client: Client) -> list[Any]:
        change = (await client.got(path))["proposed_change"]
        return [change] if change else []

    return find_of


SETTINGS = (
    Setting(
        SettingKind.LEGAL_ENTITY,
        "PUT",
        "/v1/legal-entities/GS-DE",
        "GS-DE",
        lambda place: ENTITY | {"bank_name": f"Bank {place}", "reason": "another bank"},
        _read_bank,
        _find_of("/v1/legal-entities/GS-DE"),
        (None, "Bank 1", "Bank 2", "Bank 3"),
    ),
    Setting(
        SettingKind.TAX_RATE,
        "POST",
        "/v1/tax-rates",
        "GS-DE/DE/standard/2026-01-01",
        lambda place: RATE | WHY | {"rate_bp": 100 * place},
        _read_rate,
        _list_beside("/v1/tax-rates"),
        ([], [100], [200], [300]),
    ),
    Setting(
        SettingKind.APPROVAL_LIMIT,
        "PUT",
        "/v1/approval-limits/lead/EUR",
        "lead/EUR",
        lambda place: WHY | {"amount_minor": 1000 * place},
        _read_limit,
        _list_beside("/v1/approval-limits"),
        ([], [1000], [2000], [3000]),
    ),
    Setting(
        SettingKind.TOLERANCE,
        "PUT",
        "/v1/tolerances/GS-DE/EUR",
        "GS-DE/EUR",
        lambda place: WHY | {"amount_minor": place},
        _read_tolerance,
        _list_beside("/v1/tolerances"),
        ([], [1], [2], [3]),
    ),
    Setting(
        SettingKind.SECOND_PERSON,
        "PUT",
        "/v1/legal-entities/GS-DE/second-person",
        "GS-DE",
        lambda place: WHY | {"required": place == 1},
        _read_rule,
        _find_of("/v1/legal-entities/GS-DE/second-person"),
        (True, True, False, False),
    ),
    Setting(
        SettingKind.LEDGER_PERIOD,
        "POST",
        "/v1/ledger/GS-DE/periods/2025-1{}:close",
        "GS-DE/2025-12",
        lambda place: WHY,
        _read_months,
        _list_of_months,
        ([], ["2025-11"], ["2025-11", "2025-12"], None),
    ),
)
"""The months that are closed are 2025-11 and 2025-12, of which the later one closes the earlier."""
