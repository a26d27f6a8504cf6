"""The vendor's invoices on real Postgres, over REST: received, paid once, and an alarm before we are late."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import orjson
import pytest

from deploy.local.tokens import SigningKeyPair
from services.invoicing.vendor_costs.use_cases import vendor_invoice_payments
from shared.persistence.database import Unit
from tests.builders import Database, running, sweep
from tests.component.vendor_world import Service, at_once, read_vendor_events
from tests.vendor_files import BilledLine, as_csv, expect, vendor_invoice, world


@pytest.fixture
async def service(database: Database, keys: SigningKeyPair, jwks_file: Path) -> AsyncIterator[Service]:
    async with running("invoicing", database, keys, jwks_file) as (runtime, client):
        yield runtime, client, database


def paying(minor: int = 10080, **more: Any) -> dict[str, Any]:
    return {"amount_minor": minor, "currency": "EUR", "paid_on": "2026-03-01", "reason": "payment run 9"} | more


async def test_an_invoice_is_received_with_its_usual_dates_and_paid_once(service: Service) -> None:
    _, client, database = service
    made = await client.create("/v1/vendor-invoices", vendor_invoice(number="G-1", tax_minor=1610))
    assert (made["due_date"], made["period_from"], made["period_to"]) == ("2026-06-07", "2026-03-01", "2026-04-01")
    assert (made["state"], made["warn_at"]) == ("received", "2026-05-31T00:00:00Z")
    paid = await client.create(f"/v1/vendor-invoices/{made['id']}:pay", paying(10000))
    assert (paid["state"], paid["paid_on"], paid["paid_minor"], paid["warn_at"]) == ("paid", "2026-03-01", 10000, None)
    assert (paid["paid_reason"], bool(paid["paid_by"])) == ("payment run 9", True)
    again = await client.post(f"/v1/vendor-invoices/{made['id']}:pay", paying(10000))
    assert (again.status_code, again.json()["code"]) == (409, "already_paid")
    assert await client.got(f"/v1/vendor-invoices/{made['id']}") == paid
    first, second = await read_vendor_events(database, made["id"])
    assert (first[0], first[2]["total_minor"], first[2]["tax_minor"]) == ("VendorInvoiceReceived", 10080, 1610)
    assert (second[0], second[2]["paid_minor"], "payment run 9" in str(second)) == ("VendorInvoicePaid", 10000, False)
    entry = await client.got(f"/v1/audit-entries/{second[1]['ce_actionid']}")
    assert (entry["action"], entry["personal"]["reason"]) == ("vendor_invoice.pay", "payment run 9")


async def test_of_two_payments_at_once_one_is_recorded(service: Service) -> None:
    _, client, database = service
    made = await client.create("/v1/vendor-invoices", vendor_invoice())
    answers = await at_once(service, made["id"], f"/v1/vendor-invoices/{made['id']}:pay", [paying(), paying(10000)])
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    assert [event[0] for event in await read_vendor_events(database, made["id"])] == [
        "VendorInvoiceReceived",
        "VendorInvoicePaid",
    ]


async def test_a_vendors_number_is_taken_once(service: Service) -> None:
    _, client, database = service
    bodies = [vendor_invoice(number="G-7", total_minor=total) for total in (100, 200, 300)]
    answers = await asyncio.gather(*(client.post("/v1/vendor-invoices", body) for body in bodies))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409]
    assert {answer.json().get("code") for answer in answers} == {None, "reference_taken"}
    assert await database.value("SELECT count(*) FROM invoicing.vendor_invoices") == 1


async def test_every_refusal_has_its_code(service: Service) -> None:
    _, client, _ = service
    made = await client.create("/v1/vendor-invoices", vendor_invoice())
    pay = f"/v1/vendor-invoices/{made['id']}:pay"
    for path, body, status, code in (
        ("/v1/vendor-invoices", vendor_invoice(due_date="2026-04-07"), 422, "vendor_invoice_refused"),
        ("/v1/vendor-invoices", vendor_invoice(period_from="2026-03-01"), 422, "vendor_invoice_refused"),
        ("/v1/vendor-invoices", vendor_invoice(tax_minor=10081), 422, "vendor_invoice_refused"),
        ("/v1/vendor-invoices", vendor_invoice(total_minor=-1), 422, "invalid"),
        (pay, paying(10081), 422, "vendor_invoice_refused"),
        (pay, paying(paid_on="2026-03-04"), 422, "vendor_invoice_refused"),
        (pay, paying(currency="USD"), 422, "currency_mismatch"),
        (f"/v1/vendor-invoices/{uuid4()}:pay", paying(), 404, "not_found"),
        (f"/v1/vendor-differences/{uuid4()}:decide", {"decision": "accept", "reason": "x"}, 404, "not_found"),
    ):
        answer = await client.post(path, body)
        assert (answer.status_code, answer.json()["code"]) == (status, code), (path, body)


async def test_those_to_be_paid_are_listed_by_their_due_dates(service: Service) -> None:
    _, client, _ = service
    dues = ("2026-05-01", "2026-05-02", "2026-05-03")
    ids = [(await client.create("/v1/vendor-invoices", vendor_invoice(due_date=day)))["id"] for day in dues]
    await client.create(f"/v1/vendor-invoices/{ids[0]}:pay", paying())

    async def list_ids(**asked: Any) -> list[str]:
        return [item["id"] for item in (await client.got("/v1/vendor-invoices", **asked))["items"]]

    assert await list_ids() == ids
    assert await list_ids(state="received") == ids[1:]
    assert await list_ids(state="paid") == ids[:1]
    assert await list_ids(due_before="2026-05-03") == ids[:2]
    assert await list_ids(state="received", due_before="2026-05-03") == [ids[1]]
    page = await client.got("/v1/vendor-invoices", limit=2)
    assert [item["id"] for item in page["items"]] == ids[:2]
    assert await list_ids(limit=2, after=page["next"]) == ids[2:]


async def alarms(database: Database) -> list[tuple[str, int]]:
    rows = await database.rows(
        "SELECT data FROM invoicing.outbox WHERE type LIKE '%VendorPaymentDue%' ORDER BY position"
    )
    payloads = [orjson.loads(row["data"]) for row in rows]
    return [(payload["number"], payload["days_left"]) for payload in payloads]


async def test_before_a_payment_of_ours_gets_late_there_is_one_alarm(service: Service) -> None:
    runtime, client, database = service
    bodies = {
        "usual": vendor_invoice(number="usual"),
        "early": vendor_invoice(number="early", warn_days_before=30),
        "paid": vendor_invoice(number="paid"),
    }
    made = {name: await client.create("/v1/vendor-invoices", body) for name, body in bodies.items()}
    await client.create(f"/v1/vendor-invoices/{made['paid']['id']}:pay", paying())
    await sweep(runtime)
    assert await alarms(database) == []
    await database.move(datetime(2026, 5, 8, tzinfo=UTC))
    await sweep(runtime)
    assert await alarms(database) == [("early", 30)]
    await database.move(datetime(2026, 5, 30, 23, 59, 59, tzinfo=UTC))
    await sweep(runtime)
    assert await alarms(database) == [("early", 30)]
    await database.move(datetime(2026, 5, 31, tzinfo=UTC))
    assert await database.value("SELECT count(*) FROM invoicing.pending_work WHERE name = 'vendor_payments'") == 1
    await asyncio.gather(sweep(runtime), sweep(runtime), sweep(runtime))
    await database.move(datetime(2026, 7, 1, tzinfo=UTC))
    await sweep(runtime)
    assert await alarms(database) == [("early", 30), ("usual", 7)]
    assert await database.value("SELECT count(*) FROM invoicing.pending_work WHERE kind = 'due'") == 0
    warned = await client.got(f"/v1/vendor-invoices/{made['usual']['id']}")
    assert (warned["state"], warned["warned_at"], warned["warn_at"]) == ("received", "2026-05-31T00:00:00Z", None)


async def test_an_alarm_whose_unit_broke_comes_all_the_same_and_one_that_is_late_says_so(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    runtime, client, database = service
    await client.create("/v1/vendor-invoices", vendor_invoice(number="late", invoice_date="2026-01-01"))
    with monkeypatch.context() as patched:
        patched.setattr(
            "services.invoicing.vendor_costs.repository.vendor_invoice_queries.mark_vendor_invoices_warned", _breaks
        )
        await sweep(runtime)
    (failed,) = (await client.got("/v1/failed-work"))["items"]
    await client.post(f"/v1/failed-work/{failed['id']}:retry", {"reason": "mended"})
    assert await alarms(database) == []
    await database.move(datetime(2026, 3, 2, 10, tzinfo=UTC) + timedelta(days=2))
    await sweep(runtime)
    await sweep(runtime)
    assert await alarms(database) == [("late", -2)]


async def test_an_alarm_looks_again_whether_there_is_still_something_to_pay(service: Service) -> None:
    runtime, client, database = service
    ids = [(await client.create("/v1/vendor-invoices", vendor_invoice(number=f"G-{n}")))["id"] for n in range(3)]
    await database.move(datetime(2026, 6, 1, tzinfo=UTC))
    later = await client.create("/v1/vendor-invoices", vendor_invoice(number="later", warn_days_before=0))
    await client.create(f"/v1/vendor-invoices/{ids[1]}:pay", paying())  # after a sweep found it, before it locked it

    async def warn(unit: Unit) -> None:
        await unit.lock_subjects(*ids, later["id"])
        await vendor_invoice_payments.warn_of_vendor_payments(unit, [*ids, later["id"]])

    await runtime.units.run(warn)
    assert await alarms(database) == [("G-0", 6), ("G-2", 6)]


async def _breaks(*_: object) -> None:
    raise ZeroDivisionError


async def test_a_charge_that_we_expect_never_changes(service: Service) -> None:
    _, client, database = service
    here = await world(client, database)
    await expect(database, [here.charge()])
    async with database.connected("invoicing") as connection:
        for statement in ("UPDATE invoicing.vendor_charges SET quantity = 1", "DELETE FROM invoicing.vendor_charges"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(statement)


@pytest.mark.parametrize(
    "changed",
    [{"quantity": 0}, {"kind": "credit"}, {"to": date(2026, 3, 1)}],
    ids=str,
)
async def test_a_charge_that_cannot_be_is_refused_by_the_database(service: Service, changed: dict[str, Any]) -> None:
    _, client, database = service
    here = await world(client, database)
    with pytest.raises(asyncpg.CheckViolationError):
        await expect(database, [here.charge(**changed)])


async def test_who_only_reads_sends_no_file(service: Service, keys: SigningKeyPair) -> None:
    _, client, database = service
    here = await world(client, database)
    invoice_id = await here.record_invoice([BilledLine()])
    client.headers = {"authorization": f"Bearer {keys.token('invoicing', 'invoicing:read')}"}
    assert (await client.get(f"/v1/vendor-invoices/{invoice_id}")).status_code == 200
    assert (await here.put(invoice_id, as_csv([BilledLine()]))).status_code == 403
    client.headers = {}
    assert (await here.put(invoice_id, as_csv([BilledLine()]))).status_code == 401
