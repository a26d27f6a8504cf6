"""Forms in which the vendor's files write the same line: each alone is matched."""

import csv
import io
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest

from deploy.local.tokens import SigningKeyPair
from services.invoicing.vendor_costs.domain.vendor_line import normalise_vendor_id
from services.invoicing.vendor_costs.repository.cost_comparison import NORMAL_ID
from tests.builders import Client, Database, account, running, subscription
from tests.vendor_files import BilledLine, World, expect, world

LOWER = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"
CUSTOMER = "6f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"


@pytest.fixture
async def client(database: Database, keys: SigningKeyPair, jwks_file: Path) -> AsyncIterator[Client]:
    async with running("invoicing", database, keys, jwks_file) as (_, client):
        yield client


def write_file(*lines: Mapping[str, str]) -> bytes:
    """Write lines as CSV, each a usual line with these columns changed."""
    rows = [{**BilledLine().fields(), **line} for line in lines]
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return buffer.getvalue().encode()


async def reconcile(place: World, *lines: Mapping[str, str], total: int = 10_080) -> list[tuple[str, int, int]]:
    """Reconcile a file of these lines; verdict, lines and amount (minor units) of each sum."""
    invoice_id = await place.record_invoice([BilledLine(subtotal=total)])
    answer = await place.put(invoice_id, write_file(*lines))
    assert answer.status_code == 201, answer.text
    return [(verdict["verdict"], verdict["lines"], verdict["billed_minor"]) for verdict in answer.json()["verdicts"]]


@pytest.mark.parametrize(
    "line",
    [
        {"ChargeStartDate": "3/1/2026", "ChargeEndDate": "3/30/2026"},
        {"ChargeStartDate": "3/1/2026 0:00", "ChargeEndDate": "3/30/2026 0:00"},
        {"Quantity": "25", "BillableQuantity": "10"},
    ],
    ids=["dates", "dates with a time", "billable quantity"],
)
async def test_the_form_of_the_portal_is_matched(client: Client, database: Database, line: dict[str, str]) -> None:
    place = await world(client, database)
    await expect(database, [place.charge()])
    assert await reconcile(place, line) == [("matched", 1, 10_080)]


async def sell_to_guid(client: Client, database: Database, customer: str, subscription_id: str) -> World:
    """Sell to a customer that the vendor knows by GUIDs."""
    owner = (await client.create("/v1/accounts", account(vendor_customer_ids=[customer])))["id"]
    body = subscription(owner, vendor_customer_id=customer, vendor_subscription_id=subscription_id)
    bought = await client.create("/v1/subscriptions", body)
    return World(client, database, owner, bought["id"])


@pytest.mark.parametrize(
    ("customer", "subscription_id"), [(CUSTOMER, LOWER), (CUSTOMER.upper(), LOWER), (CUSTOMER, LOWER.upper())]
)
@pytest.mark.parametrize("in_file", [(CUSTOMER, LOWER), (CUSTOMER.upper(), LOWER), (CUSTOMER, LOWER.upper())])
async def test_guids_are_matched_in_any_case(
    client: Client, database: Database, customer: str, subscription_id: str, in_file: tuple[str, str]
) -> None:
    place = await sell_to_guid(client, database, customer, subscription_id)
    await expect(database, [place.charge()])
    line = {"CustomerId": in_file[0], "SubscriptionId": in_file[1]}
    assert await reconcile(place, line) == [("matched", 1, 10_080)]


async def test_lines_of_one_subscription_in_two_cases_are_compared_together(client: Client, database: Database) -> None:
    place = await sell_to_guid(client, database, CUSTOMER, LOWER)
    await expect(database, [place.charge()])
    half = {"CustomerId": CUSTOMER, "Quantity": "5", "Subtotal": "50.40", "Total": "50.40"}
    lines = [half | {"SubscriptionId": LOWER}, half | {"SubscriptionId": LOWER.upper()}]
    assert await reconcile(place, *lines) == [("matched", 2, 10_080)]


async def test_lines_that_were_taken_as_the_vendor_wrote_them_are_compared_again(
    client: Client, database: Database
) -> None:
    place = await sell_to_guid(client, database, CUSTOMER, LOWER)
    line = {"CustomerId": CUSTOMER, "SubscriptionId": LOWER}
    invoice_id = await place.record_invoice([BilledLine()])
    assert (await place.put(invoice_id, write_file(line))).status_code == 201
    await database.execute(
        "UPDATE invoicing.reconciliation_lines SET vendor_subscription_id = upper(vendor_subscription_id)"
    )
    await expect(database, [place.charge()])
    path = f"/v1/vendor-invoices/{invoice_id}/reconciliation:compare"
    (verdict,) = (await client.create(path, {"reason": "the charge was recorded late"}))["verdicts"]
    assert (verdict["verdict"], verdict["lines"]) == ("matched", 1)


async def test_two_subscriptions_with_the_same_guid_count_a_line_once(client: Client, database: Database) -> None:
    place = await sell_to_guid(client, database, CUSTOMER, LOWER)
    twin = subscription(str(place.account_id), vendor_customer_id=CUSTOMER, vendor_subscription_id=LOWER.upper())
    await client.create("/v1/subscriptions", twin)
    await expect(database, [place.charge()])
    line = {"CustomerId": CUSTOMER, "SubscriptionId": LOWER}
    assert await reconcile(place, line) == [("matched", 1, 10_080)]


async def test_ids_are_normalised_alike_in_sql(database: Database) -> None:
    ids = [LOWER, LOWER.upper(), "Vendor-1", "", LOWER.upper() + "0", f"{{{LOWER.upper()}}}", LOWER.upper() + "\n"]
    for vendor_id in ids:
        assert await database.value(f"SELECT {NORMAL_ID.format('$1::text')}", vendor_id) == normalise_vendor_id(
            vendor_id
        )
