"""Ids that become a part of a path are no other place; and a subscription is at a tenant of its own account."""

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import httpx2
import pytest

from deploy.local.tokens import SigningKeyPair
from services.entitlements.adapters.partner_center import PartnerCenterSubscription
from services.entitlements.domain.vendor_port import VendorRefusedForGood
from shared.pure.ids import new_id
from tests.builders import Client, Database, account, running, subscription

PLACES = [".", "..", "...", "a/b", "../..", "a%2Fb", "a\\b", "", "a?b", "a#b", "ä", "a b"]


@pytest.fixture
async def client(database: Database, keys: SigningKeyPair, jwks_file: Path) -> AsyncIterator[Client]:
    async with running("invoicing", database, keys, jwks_file) as (_, made):
        yield made


@pytest.mark.parametrize("place", PLACES)
async def test_no_id_is_another_place(client: Client, place: str) -> None:
    assert (await client.post("/v1/accounts", account(vendor_customer_ids=[place]))).status_code == 422
    assert (await client.post("/v1/accounts", account(legal_entity=place))).status_code == 422
    owner = (await client.create("/v1/accounts", account()))["id"]
    for name in ("vendor_customer_id", "vendor_subscription_id"):
        assert (await client.post("/v1/subscriptions", subscription(owner, **{name: place}))).status_code == 422, name


async def test_ids_with_dots_in_them_are_ids(client: Client) -> None:
    owner = (await client.create("/v1/accounts", account(vendor_customer_ids=[".a", "a..b", "1.2."])))["id"]
    await client.create("/v1/subscriptions", subscription(owner, vendor_customer_id="a..b"))


@pytest.mark.parametrize("place", [".", "..", "", "..."])
async def test_what_was_stored_before_is_refused_on_its_way_out(place: str) -> None:
    async def fail(request: httpx2.Request) -> httpx2.Response:
        pytest.fail(f"called {request.url}")

    async with httpx2.AsyncClient(transport=httpx2.MockTransport(fail), base_url="http://vendor.example") as http:
        for ids in ((place, "a"), ("a", place)):
            with pytest.raises(VendorRefusedForGood, match="unusable_id"):
                await PartnerCenterSubscription(http, *ids, new_id()).fetch_subscription()


async def test_slashes_are_quoted_on_their_way_out() -> None:
    paths = []

    async def answer(request: httpx2.Request) -> httpx2.Response:
        paths.append(request.url.raw_path)
        return httpx2.Response(404, json={"code": 1, "description": "x"})

    async with httpx2.AsyncClient(transport=httpx2.MockTransport(answer), base_url="http://vendor.example") as http:
        with pytest.raises(VendorRefusedForGood):
            await PartnerCenterSubscription(http, "../a", "b/..", new_id()).fetch_subscription()
    assert paths == [b"/v1/customers/..%2Fa/subscriptions/b%2F.."]


@pytest.mark.parametrize("of_plan", [False, True])
async def test_a_subscription_is_at_a_tenant_of_its_own_account(client: Client, of_plan: bool) -> None:
    await client.create("/v1/accounts", account(vendor_customer_ids=["tenant-18"]))
    owner = (await client.create("/v1/accounts", account(vendor_customer_ids=["tenant-17", "Tenant-19"])))["id"]
    path, body = "/v1/subscriptions", subscription(owner)
    if of_plan:
        version = {"effective_from": "2024-01-01", "term_months": 12, "period_months": 1}
        version |= {"prices": {"EUR": {"unit_price_minor": 1008}}}
        version["vendor"] = {"unit_cost_minor": 820, "currency": "USD", "period_months": 1}
        plan = (await client.create("/v1/plans", {"code": "p", "name": "P", "version": version}))["id"]
        path = f"/v1/plans/{plan}/subscriptions"
        body = {name: body[name] for name in ("account_id", "quantity", "start", "vendor_subscription_id")}
    for tenant, status in (("tenant-18", 422), ("tenant-20", 422), ("tenant-17", 201), ("tenant-19", 201)):
        answer = await client.post(
            path, body | {"vendor_customer_id": tenant, "vendor_subscription_id": f"vendor-{uuid4()}"}
        )
        assert answer.status_code == status, (tenant, answer.text)
        assert status == 201 or answer.json()["code"] == "tenant_of_another"


async def test_purchases_at_the_end_of_the_calendar_are_answered(client: Client) -> None:
    owner = (await client.create("/v1/accounts", account()))["id"]
    version = {"effective_from": "2024-01-01", "term_months": 12, "period_months": 1}
    version |= {"prices": {"EUR": {"unit_price_minor": 1008}}}
    version["vendor"] = {"unit_cost_minor": 820, "currency": "USD", "period_months": 1}
    plan = (await client.create("/v1/plans", {"code": "p", "name": "P", "version": version}))["id"]
    for start, end in (("2199-06-15", "2200-06-15"), ("2200-01-01", "2201-01-01")):
        body = {"account_id": owner, "quantity": 1, "start": start, "vendor_customer_id": "tenant-17"}
        path = f"/v1/plans/{plan}/subscriptions"
        made = await client.create(path, body | {"vendor_subscription_id": f"vendor-{start}"})
        assert made["term"]["term_end"] == end
        shown = await client.got(f"/v1/subscriptions/{made['subscription']['id']}")
        assert shown["end_of_term"] == end
    refused = await client.post(f"/v1/plans/{plan}/subscriptions", body | {"start": "2200-01-02"})
    assert refused.status_code == 422


INSTANTS = ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"]


@pytest.mark.parametrize("service", ["invoicing", "collections"])
async def test_instants_at_the_ends_of_the_calendar_are_refused(
    database: Database, keys: SigningKeyPair, jwks_file: Path, service: str
) -> None:
    async with running(service, database, keys, jwks_file) as (_, here):
        document = (await here.http.get("/openapi.json")).json()
        tried = 0
        for path, operations in document["paths"].items():
            for parameter in operations.get("get", {}).get("parameters", []):
                if "{" in path or "date-time" not in str(parameter["schema"]):
                    continue
                for instant in INSTANTS:
                    answer = await here.get(path, **{parameter["name"]: instant})
                    assert answer.status_code == 422, (path, parameter["name"], instant, answer.text)
                tried += 1
        assert tried


async def test_any_version_is_the_one_that_there_is(client: Client) -> None:
    owner = (await client.create("/v1/accounts", account()))["id"]
    path, change = f"/v1/accounts/{owner}", {"name": "Account 18"}
    for tag, status in (("*", 200), ('"2"', 200), ('"2"', 412), ("other", 428)):
        change = {"name": f"Account {uuid4()}"}
        answer = await client.http.patch(path, json=change, headers=client.headers | {"if-match": tag})
        assert answer.status_code == status, (tag, answer.text)
    assert (await client.get(path)).headers["etag"] == '"3"'


async def test_any_version_of_a_legal_entity_is_one_that_there_is(client: Client) -> None:
    headers = client.headers | {"if-match": "*"}
    body = {"name": "Reseller GmbH"}
    first = await client.http.put("/v1/legal-entities/GS-XX", json=body, headers=headers)
    assert first.status_code in (412, 422), first.text
