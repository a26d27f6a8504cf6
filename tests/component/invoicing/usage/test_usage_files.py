"""Usage from a file is taken wholly or not at all, once, by the same rules as in a request, and is billed next."""

import asyncio
import random
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from deploy.local.tokens import SigningKeyPair
from services.invoicing.billing.repository.bill_chunk import MOST_LINES
from services.invoicing.usage import repository as usage_repository
from services.invoicing.usage.domain.usage_lines import compute_usage_amount
from tests.builders import Database, running
from tests.component.billing_world import Billing
from tests.usage_files import NAMES, as_csv, as_json_lines, usage_line

JSON_LINES = "application/jsonl"
KEPT = (
    "SELECT (SELECT count(*) FROM invoicing.usage_lines), (SELECT count(*) FROM invoicing.charges WHERE kind = 'usage')"
)


@pytest.fixture
async def billing(database: Database, keys: SigningKeyPair, jwks_file: Path) -> AsyncIterator[Billing]:
    async with running("invoicing", database, keys, jwks_file) as (runtime, client):
        yield Billing(runtime, client, database)


async def send(billing: Billing, content: bytes, type_: str = "text/csv", key: str | None = None, **query: str) -> Any:
    """Send a file."""
    headers = billing.client.headers | {"content-type": type_, "idempotency-key": key or str(uuid4())}
    asked = {"source": "meters", "currency": "EUR"} | query
    return await billing.client.http.post("/v1/usage-files", content=content, headers=headers, params=asked)


async def send_accepted_file(billing: Billing, content: bytes, *more: str, **query: str) -> tuple[int, int]:
    """Send a file that must be accepted; return how many of its lines were new, and how many were known."""
    answer = await send(billing, content, *more, **query)
    assert answer.status_code == 201, answer.text
    return answer.json()["new"], answer.json()["unchanged"]


async def count_usage(billing: Billing) -> tuple[int, int]:
    """Count the lines of usage, and the charges of them."""
    return tuple((await billing.database.rows(KEPT))[0])


def errors(answer: Any) -> tuple[int, str, list[str]]:
    """The status, code and fields of a refusal."""
    return answer.status_code, answer.json()["code"], [error["field"] for error in answer.json()["errors"]]


async def subscribe_and_bill(billing: Billing, markup: int = 1500, **more: Any) -> tuple[str, str]:
    """Buy a subscription for a new account and bill its first month; return both."""
    owner = await billing.account(**more)
    bought = await billing.buy(await billing.plan(usage_markup_bp=markup), owner)
    await billing.run()
    return owner, bought


async def test_a_file_is_on_the_next_invoice_once_in_its_order(billing: Billing) -> None:
    """12.5 hours at 0.0999 with 15 % are 1.4360..., truncated: 1.43; 3 are 3.4482: 3.44. One line for each meter."""
    await billing.rate()
    owner, bought = await subscribe_and_bill(billing)
    lines = [usage_line(bought, "9", quantity="3", unit_cost="0.9995"), usage_line(bought, "1")]
    lines += [usage_line(bought, f"8{n}", quantity=f"{n}", unit_cost="1", meter=f"m{9 - n}") for n in range(6)]
    assert await send_accepted_file(billing, as_csv(lines)) == (8, 0)
    assert await send_accepted_file(billing, as_csv(lines)) == (0, 8)
    assert await send_accepted_file(
        billing, as_json_lines([*lines, usage_line(bought, "6", quantity="0")]), JSON_LINES
    ) == (1, 8)
    assert await count_usage(billing) == (9, 6)
    await billing.run()
    assert [net for net, _, _ in (await billing.lines(owner))[1:]] == [344 + 143, 115, 230, 345, 460, 575]
    assert await send_accepted_file(billing, as_csv([usage_line(bought, "late", period_from="2025-11-01")])) == (1, 0)
    await billing.run()
    assert [net for net, _, _ in (await billing.lines(owner))[7:]] == [143]


async def test_a_line_says_what_was_used_when_and_in_how_many_lines(billing: Billing) -> None:
    await billing.rate()
    _, bought = await subscribe_and_bill(billing)
    days = [(f"2026-02-{day:02}", f"2026-02-{day + 1:02}") for day in (3, 1, 2)]
    lines = [usage_line(bought, str(n), period_from=a, period_to=b) for n, (a, b) in enumerate(days)]
    await send_accepted_file(billing, as_csv(lines))
    await billing.run()
    issued = await billing.database.value("SELECT id FROM invoicing.invoices ORDER BY number DESC LIMIT 1")
    explanation = await billing.client.got(f"/v1/invoices/{issued}/lines/1/explanation")
    assert explanation["net_minor"] == 3 * 143
    assert (explanation["period"]["period_from"], explanation["period"]["period_to"]) == ("2026-02-01", "2026-02-04")
    assert explanation["usage"] == {"meter": "hours", "lines": 3, "quantity": "37.5"}
    assert "hours, 2026-02-01 – 2026-02-03" in explanation["description"]
    assert explanation["arithmetic"].startswith("3 lines of usage of hours, 37.5 in all: €4.29; tax of 19.00 %")


async def test_more_lines_than_an_invoice_takes_are_billed(billing: Billing) -> None:
    await billing.rate()
    owner, bought = await subscribe_and_bill(billing)
    many = MOST_LINES + 1
    assert await send_accepted_file(billing, as_csv(usage_line(bought, str(n)) for n in range(many))) == (many, 0)
    run = await billing.run()
    assert run["accounts"] == {"issued": 1}
    assert (await billing.lines(owner))[1][0] == 143 * many


async def test_what_a_meter_comes_to_is_not_larger_than_any_invoice(billing: Billing) -> None:
    _, bought = await subscribe_and_bill(billing, markup=0)
    most = {"quantity": "9" * 12, "unit_cost": "50"}  # 49,999,999,999,950.00 of 90,000,000,000,000.00
    lines = [
        usage_line(bought, "1", **most),
        usage_line(bought, "2", **most),
        usage_line(bought, "3", meter="m", **most),
    ]
    assert errors(await send(billing, as_csv(lines))) == (422, "usage_refused", ["line.3.quantity"])
    assert await count_usage(billing) == (0, 0)


async def test_every_layout_says_the_same(billing: Billing) -> None:
    _, bought = await subscribe_and_bill(billing)
    lines = [usage_line(bought, str(n), meter=f"hours, „{n}“", quantity=f"{n}.25") for n in range(5)]
    for n, (type_, content) in enumerate(
        (
            ("text/csv", as_csv(lines)),
            ("text/csv; charset=utf-8", as_csv(lines, NAMES[::-1])),
            (JSON_LINES, as_json_lines(lines)),
            ("application/x-ndjson", as_json_lines(lines, numbers=True)),
            ("application/gzip", as_json_lines(lines, packed=True, numbers=True)),
        )
    ):
        assert await send_accepted_file(billing, content, type_, source=f"meters-{n}") == (5, 0)
    rows = await billing.database.rows(
        "SELECT id, meter, quantity, unit_cost, period_from, period_to, count(*) FROM invoicing.usage_lines GROUP BY 1,"
        " 2, 3, 4, 5, 6"
    )
    assert sorted((row["id"], row["meter"], row["count"]) for row in rows) == [
        (str(n), f"hours, „{n}“", 5) for n in range(5)
    ]


async def test_a_broken_line_leaves_nothing_and_is_named(billing: Billing) -> None:
    _, bought = await subscribe_and_bill(billing)
    lines = [usage_line(bought, str(n)) for n in range(5000)]
    lines[4321]["quantity"] = "1,5"
    assert errors(await send(billing, as_csv(lines))) == (422, "file_refused", ["line.4323.quantity"])
    assert errors(await send(billing, as_json_lines(lines), JSON_LINES)) == (
        422,
        "file_refused",
        ["line.4322.quantity"],
    )
    cut = await send(billing, as_json_lines(lines, packed=True)[:-30], "application/gzip")
    assert errors(cut)[:2] == (422, "file_refused")
    assert await count_usage(billing) == (0, 0)
    lines[4321]["quantity"] = "1.5"
    assert await send_accepted_file(billing, as_json_lines(lines, packed=True), "application/gzip") == (5000, 0)
    assert await count_usage(billing) == (5000, 1)


async def test_requests_and_files_are_refused_by_the_same_rules(billing: Billing) -> None:
    _, bought = await subscribe_and_bill(billing)
    _, foreign = await subscribe_and_bill(billing, currency="JPY")
    huge = "9" * 12
    for wrong, column in (
        (usage_line(str(uuid4()), "x"), "subscription_id"),
        (usage_line(foreign, "x"), "subscription_id"),
        (usage_line(bought, "1"), "id"),
        (usage_line(bought, "x", quantity=huge, unit_cost=huge), "quantity"),
    ):
        lines = [usage_line(bought, "1"), usage_line(bought, "2"), wrong, usage_line(bought, "3")]
        body = {"source": "meters", "currency": "EUR", "lines": lines}
        by_request, by_file = await billing.client.post("/v1/usage-lines", body), await send(billing, as_csv(lines))
        assert errors(by_request) == (422, "usage_refused", [f"lines.2.{column}"])
        assert errors(by_file) == (422, "usage_refused", [f"line.4.{column}"])
        assert by_request.json()["detail"] == by_file.json()["detail"]
    assert await count_usage(billing) == (0, 0)
    many = await send(billing, as_csv(usage_line(str(uuid4()), str(n)) for n in range(30)))
    assert errors(many) == (422, "usage_refused", [f"line.{n}.subscription_id" for n in range(2, 22)])


@pytest.mark.parametrize("currency", ["EUR", "JPY", "KWD"])
async def test_the_statement_charges_what_the_rule_says(billing: Billing, currency: str) -> None:
    """In a request and in a file; amounts of all sizes, some of which would round up where they are truncated."""
    chance = random.Random(currency)
    owner = await billing.account(currency=currency)
    prices = {currency: {"unit_price_minor": 1000}}
    markups = {
        await billing.buy(await billing.plan(prices=prices, usage_markup_bp=bp), owner): bp for bp in (0, 777, 10_000)
    }
    wanted, lines = {}, []
    for n in range(300):
        bought, bp = chance.choice(list(markups.items()))
        quantity, cost = (
            f"{chance.randrange(10 ** chance.randrange(1, 7))}.{chance.randrange(10**9):09}" for _ in "ab"
        )
        if n % 10 == 0:
            quantity, cost = "1.999999999", f"{chance.randrange(1000)}.999999999"
        lines.append(usage_line(bought, str(n), quantity=quantity, unit_cost=cost))
        wanted[str(n)] = compute_usage_amount(Decimal(quantity), Decimal(cost), bp, currency)
    body = {"source": "request", "currency": currency, "lines": lines}
    assert await billing.client.create("/v1/usage-lines", body) == {"new": 300, "unchanged": 0}
    assert await send_accepted_file(billing, as_csv(lines), source="file", currency=currency) == (300, 0)
    for source in ("request", "file"):
        rows = await billing.database.rows(
            "SELECT id, amount_minor FROM invoicing.usage_lines WHERE source = $1", source
        )
        assert {row["id"]: row["amount_minor"] for row in rows} == wanted
    charged = "SELECT sum(amount_minor) FROM invoicing.charges WHERE kind = 'usage' AND currency = $1"
    assert await billing.database.value(charged, currency) == 2 * sum(wanted.values())


async def test_the_same_key_has_the_first_answer_for_the_same_file_only(billing: Billing) -> None:
    _, bought = await subscribe_and_bill(billing)
    first, other = as_csv([usage_line(bought, "1")]), as_csv([usage_line(bought, "2")])
    answers = [await send(billing, content, key="march") for content in (first, first, other)]
    assert [answer.status_code for answer in answers] == [201, 201, 422]
    assert answers[1].json() == answers[0].json() == {"new": 1, "unchanged": 0}
    assert answers[1].headers["idempotency-replayed"] == "true"
    assert answers[2].json()["code"] == "idempotency_key_reused"
    another = await send(billing, first, key="march", source="another")
    assert another.json()["code"] == "idempotency_key_reused"


async def test_a_file_waits_for_nobody_who_holds_an_account_of_it(billing: Billing) -> None:
    owner, bought = await subscribe_and_bill(billing)
    async with billing.database.connected() as holder, holder.transaction():
        await holder.execute("SELECT FROM invoicing.streams WHERE subject = $1 FOR UPDATE", owner)
        assert await send_accepted_file(billing, as_csv([usage_line(bought)])) == (1, 0)


async def test_of_two_files_at_once_each_line_is_taken_once(billing: Billing) -> None:
    bought = [(await subscribe_and_bill(billing))[1] for _ in range(3)]
    lines = [usage_line(bought[n % 3], str(n)) for n in range(900)]
    files = [as_csv(lines), as_csv(lines[::-1]), as_csv(lines[100:500])]
    counts = await asyncio.gather(*(send_accepted_file(billing, file) for file in files))
    assert sum(new for new, _ in counts) == 900
    assert (await count_usage(billing))[0] == 900
    charged = "SELECT sum(amount_minor) FROM invoicing.charges WHERE kind = 'usage'"
    assert await billing.database.value(charged) == 900 * 143


async def test_a_unit_that_runs_again_reads_the_file_again(billing: Billing, monkeypatch: pytest.MonkeyPatch) -> None:
    add, attempts = usage_repository.insert_rated_usage_lines, []

    async def fail_twice(*arguments: Any) -> Any:
        attempts.append(1)
        if len(attempts) < 3:
            raise ConnectionError("gone")
        return await add(*arguments)

    monkeypatch.setattr(usage_repository, "insert_rated_usage_lines", fail_twice)
    _, bought = await subscribe_and_bill(billing)
    packed = as_json_lines([usage_line(bought, str(n)) for n in range(3000)], packed=True)
    assert (await send_accepted_file(billing, packed, "application/gzip"), len(attempts)) == ((3000, 0), 3)


async def test_what_is_no_file_is_refused(billing: Billing) -> None:
    content = as_csv([])
    for wrong in ("application/json", "text/plain", ""):
        answer = await send(billing, content, wrong)
        assert (answer.status_code, answer.json()["code"]) == (415, "unknown_layout")
    assert (await send(billing, content, source="a b")).status_code == 422
    assert (await send(billing, content, currency="euro")).status_code == 422
    assert await send_accepted_file(billing, content) == (0, 0)
