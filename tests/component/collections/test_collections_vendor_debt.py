"""Debt to the vendor that goes on stands beside the standing of a late account, if invoicing says it in time."""

import asyncio
from typing import Any

import pytest

from services.collections.use_cases import vendor_debt
from tests.component.collections.test_collections import World, world

__all__ = ["world"]

OWED: dict[str, Any] = {
    "vendor_accrued": [{"currency": "EUR", "accrued_minor": 300}, {"currency": "USD", "accrued_minor": 8200}],
    "vendor_invoices": [{"due_date": "2026-06-07", "currency": "USD", "total_minor": 8200}],
    "vendor_committed": [
        {"currency": "USD", "committed_minor": 90200, "stopped_by_suspension_minor": 100, "until": "2027-03-01"}
    ],
}


async def late(world: World) -> None:
    """An account with an invoice that is overdue."""
    invoice_id = await world.issue()
    await world.day(1, 0)
    await world.overdue(invoice_id)


async def read_vendor_debt(world: World) -> tuple[Any, Any]:
    standing = await world.standing()
    return standing["vendor_debt"], standing["vendor_debt_missing_reason"]


async def test_of_a_late_account_it_is_said_by_currency(world: World) -> None:
    world.invoicing.exposure = {"account_id": str(world.account_id), "owed_to_us": [], "billed": []} | OWED
    await late(world)
    assert await read_vendor_debt(world) == (OWED, None)


async def test_of_an_account_in_good_standing_nobody_asks(world: World) -> None:
    world.invoicing.exposure = OWED
    await world.issue()
    assert await read_vendor_debt(world) == (None, "the account is in good standing")


async def test_without_an_answer_the_rest_is_said(world: World) -> None:
    await late(world)
    standing = await world.standing()
    assert (standing["state"], len(standing["items"])) == ("overdue", 1)
    assert await read_vendor_debt(world) == (None, "invoicing gives no answer: invoicing is away")


async def test_without_an_answer_that_can_be_read_the_rest_is_said(world: World) -> None:
    world.invoicing.exposure = OWED | {"vendor_accrued": [{"currency": "EUR"}]}
    await late(world)
    cause = "the answer is no VendorExposure: vendor_accrued.0.accrued_minor (missing)"
    assert await read_vendor_debt(world) == (None, f"invoicing gives no answer: {cause}")


async def test_nobody_waits_long_nor_holds_a_connection(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async def slow(path: str) -> Any:
        busy.append(pool.checkedout())
        await asyncio.sleep(30)

    busy: list[int] = []
    pool: Any = world.runtime.units._engine.pool
    await late(world)
    monkeypatch.setattr(vendor_debt, "MAX_WAIT_SECONDS", 0.05)
    monkeypatch.setattr(world.invoicing, "get", slow)
    assert await read_vendor_debt(world) == (None, "invoicing gives no answer within 0.05 s")
    assert busy == [0]
