"""Exchange rates are imported once, corrected with who and when; exposure is converted by them as far as they go."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from deploy.local.tokens import SigningKeyPair
from tests.builders import Database, invoice, running
from tests.component.billing_world import Billing

PATH = "/v1/exchange-rates"


@pytest.fixture
async def billing(database: Database, keys: SigningKeyPair, jwks_file: Path) -> AsyncIterator[Billing]:
    async with running("invoicing", database, keys, jwks_file) as (runtime, client):
        yield Billing(runtime, client, database)


async def put(billing: Billing, day: str, table: dict[str, str], /, **more: Any) -> Any:
    """Say what a source says of a day, for EUR as the base if nothing else is said."""
    listed = [{"quote": quote, "rate": rate} for quote, rate in table.items()]
    body = {"source": "ecb", "date": day, "base": "EUR", "rates": listed} | more
    return await billing.client.http.put(PATH, json=body, headers=billing.client.headers)


async def save_rates(billing: Billing, day: str, rates: dict[str, str], **more: Any) -> dict[str, int]:
    answer = await put(billing, day, rates, **more)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def test_rates_are_taken_once_and_a_corrected_one_takes_the_place(billing: Billing) -> None:
    table = {"USD": "1.25", "JPY": "160", "GBP": "0.8500"}
    assert await save_rates(billing, "2026-03-02", table) == {"new": 3, "replaced": 0, "unchanged": 0}
    first = (await billing.client.got(PATH))["items"]
    await billing.to("2026-03-03")
    assert await save_rates(billing, "2026-03-02", table | {"GBP": "0.85"}) == {"new": 0, "replaced": 0, "unchanged": 3}
    assert (await billing.client.got(PATH))["items"] == first
    assert await save_rates(billing, "2026-03-02", table | {"USD": "1.26"}) == {"new": 0, "replaced": 1, "unchanged": 2}
    await save_rates(billing, "2026-03-02", {"USD": "9"}, source="fed")
    await save_rates(billing, "2026-03-01", {"USD": "9"})
    await save_rates(billing, "2026-03-02", {"EUR": "9"}, base="USD")
    listed = (await billing.client.got(PATH, date="2026-03-02", base="EUR"))["items"]
    assert sorted((rate["source"], rate["quote"], rate["rate"]) for rate in listed) == [
        ("ecb", "GBP", "0.8500"),
        ("ecb", "JPY", "160"),
        ("ecb", "USD", "1.26"),
        ("fed", "USD", "9"),
    ]
    by_quote = {rate["quote"]: rate for rate in listed if rate["source"] == "ecb"}
    assert by_quote["USD"]["set_at"].startswith("2026-03-03")
    assert by_quote["USD"]["set_by"] == "operator"
    assert by_quote["JPY"]["set_at"].startswith("2026-03-02")
    page = await billing.client.got(PATH, limit=4)
    rest = await billing.client.got(PATH, limit=4, after=page["next"])
    assert (len(page["items"]), len(rest["items"]), rest["next"]) == (4, 2, None)


@pytest.mark.parametrize(
    "wrong",
    [
        {"rates": [{"quote": "USD", "rate": "0.0"}]},
        {"rates": [{"quote": "USD", "rate": "1e3"}]},
        {"rates": [{"quote": "USD", "rate": 1.1}]},
        {"rates": [{"quote": "USD", "rate": "-1"}]},
        {"rates": [{"quote": "XXY", "rate": "1"}]},
        {"rates": [{"quote": "EUR", "rate": "1"}]},
        {"rates": [{"quote": "USD", "rate": "1"}, {"quote": "USD", "rate": "2"}]},
        {"rates": []},
        {"base": "euro"},
        {"date": "02.03.2026"},
    ],
)
async def test_what_is_no_rate_is_refused_and_nothing_is_taken(billing: Billing, wrong: dict[str, Any]) -> None:
    answer = await put(billing, "2026-03-02", {"USD": "1.1"}, **wrong)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
    assert (await billing.client.got(PATH))["items"] == []


async def build_exposed_account(billing: Billing) -> str:
    """Build an account with an overdue invoice of 119.95 EUR, and a subscription that costs us 82 USD a month."""
    await billing.rate()
    owner = await billing.account(terms_days=0)
    await billing.buy(await billing.plan(), owner)
    await billing.run()
    await billing.to("2026-03-04")
    return owner


async def test_exposure_is_converted_by_rates_that_it_shows(billing: Billing) -> None:
    """8200 cents at 1.0843 are 7562.48; eleven months, 90200, are 83187.31. 100.80 billed: 25.18 are left."""
    owner = await build_exposed_account(billing)
    plain = await billing.client.got(f"/v1/accounts/{owner}/exposure")
    await save_rates(billing, "2026-03-03", {"USD": "1.0843"})
    await save_rates(billing, "2026-03-02", {"USD": "2"})
    await save_rates(billing, "2026-03-05", {"USD": "3"})
    exposure = await billing.client.got(f"/v1/accounts/{owner}/exposure", **{"in": "EUR"})
    converted = exposure.pop("converted")
    assert exposure == plain
    rate = {"base": "EUR", "quote": "USD", "rate": "1.0843", "date": "2026-03-03", "source": "ecb"}
    assert converted == {
        "currency": "EUR",
        "converted_on": "2026-03-04",
        "owed_to_us": {"open_minor": 11_995, "overdue_minor": 11_995, "disputed_minor": 0, "missing_currencies": []},
        "billed": {"billed_minor": 10_080, "missing_currencies": []},
        "vendor_accrued": {"accrued_minor": 7_562, "missing_currencies": []},
        "vendor_invoices": {"total_minor": 0, "missing_currencies": []},
        "vendor_committed": {"committed_minor": 83_187, "stopped_by_suspension_minor": 0, "missing_currencies": []},
        "margin_minor": 10_080 - 7_562,
        "rates": [{"currency": "USD", "rates": [rate]}],
        "not_converted": [],
    }
    everyone = await billing.client.got("/v1/exposure", **{"in": "EUR"})
    assert everyone["converted"] == converted | {"vendor_contested": {"contested_minor": 0, "missing_currencies": []}}
    assert (await billing.client.get("/v1/exposure", **{"in": "euro"})).status_code == 422


async def test_what_has_no_rate_is_named_and_in_no_sum(billing: Billing) -> None:
    owner = await build_exposed_account(billing)
    path = f"/v1/accounts/{owner}/exposure"
    for day, explanation in ((None, "there is no rate"), ("2026-02-24", "the newest rate is of 2026-02-24")):
        if day:
            await save_rates(billing, day, {"USD": "1.1"})
        converted = (await billing.client.got(path, **{"in": "EUR"}))["converted"]
        assert [amount["currency"] for amount in converted["not_converted"]] == ["USD"]
        assert converted["not_converted"][0]["reason"].startswith(explanation)
        assert converted["owed_to_us"]["missing_currencies"] == converted["billed"]["missing_currencies"] == []
        assert converted["vendor_accrued"] == {"accrued_minor": 0, "missing_currencies": ["USD"]}
        assert converted["vendor_committed"]["missing_currencies"] == ["USD"]
        assert (converted["margin_minor"], converted["rates"]) == (None, [])
    await save_rates(billing, "2026-02-25", {"USD": "1.1"})
    assert (await billing.client.got(path, **{"in": "EUR"}))["converted"]["not_converted"] == []


async def test_the_business_day_is_that_of_the_account(billing: Billing) -> None:
    """At 09:00 UTC it is 23:00 in Kiritimati, and 22:00 of the day before in Pago Pago."""
    east = await billing.account(time_zone="Pacific/Kiritimati", currency="JPY")
    west = await billing.account(time_zone="Pacific/Pago_Pago", currency="JPY")
    await billing.to("2026-03-04")
    days = {}
    for owner in (east, west):
        exposure = await billing.client.got(f"/v1/accounts/{owner}/exposure", **{"in": "JPY"})
        days[owner] = exposure["converted"]["converted_on"]
    assert days == {east: "2026-03-04", west: "2026-03-03"}


async def test_a_cross_in_yen_and_what_customers_owe_in_two_currencies(billing: Billing) -> None:
    """160 JPY and 1.25 USD are a euro: 119.95 EUR are 19192 JPY, and 82.00 USD are 10496 JPY."""
    await build_exposed_account(billing)
    owner = await billing.account(currency="JPY")
    yen = {"description": "a line", "amount": {"amount_minor": 700, "currency": "JPY"}, "subscription_id": None}
    await billing.client.create("/v1/invoices", invoice(owner, lines=[yen]))
    await save_rates(billing, "2026-03-04", {"USD": "1.25", "JPY": "160"})
    converted = (await billing.client.got("/v1/exposure", **{"in": "JPY"}))["converted"]
    assert converted["owed_to_us"]["open_minor"] == 19_192 + 700
    assert converted["vendor_accrued"]["accrued_minor"] == 10_496
    assert {
        conversion["currency"]: [leg["quote"] for leg in conversion["rates"]] for conversion in converted["rates"]
    } == {
        "EUR": ["JPY"],
        "USD": ["USD", "JPY"],
    }
