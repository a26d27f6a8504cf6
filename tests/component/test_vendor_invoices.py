"""The vendor's invoices and the decisions about what they differ in, on real Postgres, over REST."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import httpx2
import orjson
import pytest

from deploy.local.tokens import Keys
from services.invoicing import use_cases
from shared.database import Unit
from shared.runtime import Runtime
from tests.builders import Client, Database, running, sweep
from tests.vendor_files import BilledLine, as_csv, expect, vendor_invoice, world

Service = tuple[Runtime, Client, Database]


@pytest.fixture
async def service(database: Database, keys: Keys, jwks_file: Path) -> AsyncIterator[Service]:
    async with running("invoicing", database, keys, jwks_file) as (runtime, client):
        yield runtime, client, database


async def told(database: Database, subject: str) -> list[tuple[str, dict[str, Any], dict[str, Any]]]:
    """The events about a vendor invoice: type, headers, payload."""
    rows = await database.rows(
        "SELECT type, headers, data FROM invoicing.outbox WHERE subject = $1 ORDER BY position", subject
    )
    assert [orjson.loads(row["headers"])["ce_sequence"] for row in rows] == [str(n + 1) for n in range(len(rows))]
    return [(row["type"].split(".")[2], orjson.loads(row["headers"]), orjson.loads(row["data"])) for row in rows]


def paying(minor: int = 10080, **more: Any) -> dict[str, Any]:
    return {"amount_minor": minor, "currency": "EUR", "paid_on": "2026-03-01", "reason": "payment run 9"} | more


async def test_an_invoice_is_received_with_its_usual_dates_and_paid_once(service: Service) -> None:
    _, client, database = service
    made = await client.made("/v1/vendor-invoices", vendor_invoice(number="G-1", tax_minor=1610))
    assert (made["due_date"], made["period_from"], made["period_to"]) == ("2026-06-07", "2026-03-01", "2026-04-01")
    assert (made["state"], made["warn_at"]) == ("received", "2026-05-31T00:00:00Z")
    paid = await client.made(f"/v1/vendor-invoices/{made['id']}:pay", paying(10000))
    assert (paid["state"], paid["paid_on"], paid["paid_minor"], paid["warn_at"]) == ("paid", "2026-03-01", 10000, None)
    assert (paid["paid_reason"], bool(paid["paid_by"])) == ("payment run 9", True)
    again = await client.post(f"/v1/vendor-invoices/{made['id']}:pay", paying(10000))
    assert (again.status_code, again.json()["code"]) == (409, "already_paid")
    assert await client.got(f"/v1/vendor-invoices/{made['id']}") == paid
    first, second = await told(database, made["id"])
    assert (first[0], first[2]["total_minor"], first[2]["tax_minor"]) == ("VendorInvoiceReceived", 10080, 1610)
    assert (second[0], second[2]["paid_minor"], second[1]["ce_reason"]) == ("VendorInvoicePaid", 10000, "payment run 9")


WAITING = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


async def at_once(service: Service, invoice_id: str, path: str, bodies: list[dict[str, Any]]) -> list[httpx2.Response]:
    """Two requests about a vendor invoice, each of which has read what there is before the other one acts."""
    _, client, database = service
    async with database.connected() as holder, asyncio.TaskGroup() as group, holder.transaction():
        await holder.execute("SELECT FROM invoicing.streams WHERE subject = $1 FOR UPDATE", invoice_id)
        sent = [group.create_task(client.post(path, body)) for body in bodies]
        while await database.value(WAITING) < len(bodies):  # noqa: ASYNC110  # the database says when
            await asyncio.sleep(0.01)
    return [one.result() for one in sent]


async def test_of_two_payments_at_once_one_is_recorded(service: Service) -> None:
    _, client, database = service
    made = await client.made("/v1/vendor-invoices", vendor_invoice())
    answers = await at_once(service, made["id"], f"/v1/vendor-invoices/{made['id']}:pay", [paying(), paying(10000)])
    assert sorted(one.status_code for one in answers) == [200, 409]
    assert [one[0] for one in await told(database, made["id"])] == ["VendorInvoiceReceived", "VendorInvoicePaid"]


async def test_a_vendors_number_is_taken_once(service: Service) -> None:
    _, client, database = service
    bodies = [vendor_invoice(number="G-7", total_minor=total) for total in (100, 200, 300)]
    answers = await asyncio.gather(*(client.post("/v1/vendor-invoices", one) for one in bodies))
    assert sorted(one.status_code for one in answers) == [201, 409, 409]
    assert {one.json().get("code") for one in answers} == {None, "reference_taken"}
    assert await database.value("SELECT count(*) FROM invoicing.vendor_invoices") == 1


async def test_every_refusal_has_its_code(service: Service) -> None:
    _, client, _ = service
    made = await client.made("/v1/vendor-invoices", vendor_invoice())
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
    ids = [(await client.made("/v1/vendor-invoices", vendor_invoice(due_date=day)))["id"] for day in dues]
    await client.made(f"/v1/vendor-invoices/{ids[0]}:pay", paying())

    async def listed(**asked: Any) -> list[str]:
        return [one["id"] for one in (await client.got("/v1/vendor-invoices", **asked))["items"]]

    assert await listed() == ids
    assert await listed(state="received") == ids[1:]
    assert await listed(state="paid") == ids[:1]
    assert await listed(due_before="2026-05-03") == ids[:2]
    assert await listed(state="received", due_before="2026-05-03") == [ids[1]]
    page = await client.got("/v1/vendor-invoices", limit=2)
    assert [one["id"] for one in page["items"]] == ids[:2]
    assert await listed(limit=2, after=page["next"]) == ids[2:]


async def alarms(database: Database) -> list[tuple[str, int]]:
    rows = await database.rows(
        "SELECT data FROM invoicing.outbox WHERE type LIKE '%VendorPaymentDue%' ORDER BY position"
    )
    found = [orjson.loads(row["data"]) for row in rows]
    return [(one["number"], one["days_left"]) for one in found]


async def test_before_a_payment_of_ours_gets_late_there_is_one_alarm(service: Service) -> None:
    runtime, client, database = service
    bodies = {
        "usual": vendor_invoice(number="usual"),
        "early": vendor_invoice(number="early", warn_days_before=30),
        "paid": vendor_invoice(number="paid"),
    }
    made = {name: await client.made("/v1/vendor-invoices", body) for name, body in bodies.items()}
    await client.made(f"/v1/vendor-invoices/{made['paid']['id']}:pay", paying())
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
    await client.made("/v1/vendor-invoices", vendor_invoice(number="late", invoice_date="2026-01-01"))
    with monkeypatch.context() as patched:
        patched.setattr("services.invoicing.repository.vendor.invoices.mark_warned", _breaks)
        with pytest.raises(ZeroDivisionError):
            await sweep(runtime)
    assert await alarms(database) == []
    await database.move(datetime(2026, 3, 2, 10, tzinfo=UTC) + timedelta(days=2))
    await sweep(runtime)
    await sweep(runtime)
    assert await alarms(database) == [("late", -2)]


async def test_an_alarm_looks_again_whether_there_is_still_something_to_pay(service: Service) -> None:
    runtime, client, database = service
    ids = [(await client.made("/v1/vendor-invoices", vendor_invoice(number=f"G-{n}")))["id"] for n in range(3)]
    await database.move(datetime(2026, 6, 1, tzinfo=UTC))
    later = await client.made("/v1/vendor-invoices", vendor_invoice(number="later", warn_days_before=0))
    await client.made(f"/v1/vendor-invoices/{ids[1]}:pay", paying())  # after a sweep found it, before it locked it

    async def warn(unit: Unit) -> None:
        await unit.lock(*ids, later["id"])
        await use_cases.vendor_invoices.warn(unit, [*ids, later["id"]])

    await runtime.units.run(warn)
    assert await alarms(database) == [("G-0", 6), ("G-2", 6)]


async def _breaks(*_: object) -> None:
    raise ZeroDivisionError


async def differing(service: Service, count: int) -> list[dict[str, Any]]:
    """Differences to be decided about: lines of which no customer is known."""
    _, client, database = service
    here = await world(client, database)
    lines = [BilledLine(f"unknown-{n}", subtotal=100 + n) for n in range(count)]
    await here.reconciled(lines)
    return await here.differences()


async def test_a_difference_is_decided_once(service: Service) -> None:
    _, client, database = service
    (open_,) = await differing(service, 1)
    path = f"/v1/vendor-differences/{open_['id']}:decide"
    decisions = ("dispute_with_vendor", "accept")
    bodies = [{"decision": one, "reason": f"because of {one}"} for one in decisions]
    answers = await at_once(service, open_["vendor_invoice_id"], path, bodies)
    assert sorted(one.status_code for one in answers) == [200, 409]
    assert {one.json()["code"] for one in answers if one.status_code == 409} == {"already_decided"}
    place = [one.status_code for one in answers].index(200)
    found = await client.got(f"/v1/vendor-differences/{open_['id']}")
    assert (found["state"], found["decision"], found["reason"]) == (
        "decided",
        decisions[place],
        f"because of {decisions[place]}",
    )
    assert (found["decided_by"], found["decided_at"]) != (None, None)
    events = [one for one in await told(database, open_["vendor_invoice_id"]) if one[0] == "VendorDifferenceDecided"]
    ((_, headers, data),) = events
    assert (data["decision"], data["difference_minor"], data["currency"]) == (decisions[place], 100, "EUR")
    assert (headers["ce_reason"], headers["ce_actor"]) == (found["reason"], found["decided_by"])


async def test_a_decision_sent_again_is_the_same_one(service: Service) -> None:
    _, client, _ = service
    (open_,) = await differing(service, 1)
    path, body = f"/v1/vendor-differences/{open_['id']}:decide", {"decision": "accept", "reason": "small"}
    answers = [await client.post(path, body, key="decide-1") for _ in range(2)]
    assert [one.status_code for one in answers] == [200, 200]
    assert answers[0].json() == answers[1].json()


async def test_the_work_list_is_paged_and_asked(service: Service) -> None:
    _, client, _ = service
    all_ = await differing(service, 7)
    assert [one["first_line"] for one in all_] == list(range(2, 9))
    await client.made(f"/v1/vendor-differences/{all_[2]['id']}:decide", {"decision": "accept", "reason": "small"})
    seen: list[str] = []
    page: dict[str, Any] = {"next": None}
    while len(seen) < 20:
        after = {"after": page["next"]} if page["next"] else {}
        page = await client.got("/v1/vendor-differences", state="open", limit=2, **after)
        seen += [one["id"] for one in page["items"]]
        if page["next"] is None:
            break
    assert seen == [one["id"] for one in all_ if one["id"] != all_[2]["id"]]

    async def count(**asked: Any) -> int:
        return len((await client.got("/v1/vendor-differences", **asked))["items"])

    assert await count(state="decided") == 1
    assert await count(verdict="no_customer") == 7
    assert await count(verdict="price_difference") == 0
    assert await count(vendor_invoice_id=all_[0]["vendor_invoice_id"]) == 7
    assert await count(vendor_invoice_id=uuid4()) == 0
    assert await count(account_id=uuid4()) == 0
    assert (await client.get("/v1/vendor-differences", state="shut")).status_code == 422


async def test_differences_of_an_account_are_found(service: Service) -> None:
    _, client, database = service
    here = await world(client, database)
    await expect(database, [here.charge()])
    await here.reconciled([BilledLine(subtotal=10091), BilledLine("vendor-9")])
    (found,) = await here.differences(account_id=here.account_id)
    assert (found["verdict"], found["subscription_id"]) == ("price_difference", str(here.subscription_id))


async def test_a_charge_that_we_expect_never_changes(service: Service) -> None:
    _, client, database = service
    here = await world(client, database)
    await expect(database, [here.charge()])
    async with database.connected("invoicing") as connection:
        for statement in ("UPDATE invoicing.vendor_charges SET quantity = 1", "DELETE FROM invoicing.vendor_charges"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(statement)


async def test_each_decision_can_be_taken(service: Service) -> None:
    _, client, _ = service
    decisions = ("dispute_with_vendor", "bill_customer", "accept")
    for one, decision in zip(await differing(service, 3), decisions, strict=True):
        body = {"decision": decision, "reason": "as agreed"}
        assert (await client.made(f"/v1/vendor-differences/{one['id']}:decide", body))["decision"] == decision


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


async def test_who_only_reads_sends_no_file(service: Service, keys: Keys) -> None:
    _, client, database = service
    here = await world(client, database)
    invoice_id = await here.invoiced([BilledLine()])
    client.headers = {"authorization": f"Bearer {keys.token('invoicing', 'invoicing:read')}"}
    assert (await client.get(f"/v1/vendor-invoices/{invoice_id}")).status_code == 200
    assert (await here.put(invoice_id, as_csv([BilledLine()]))).status_code == 403
    client.headers = {}
    assert (await here.put(invoice_id, as_csv([BilledLine()]))).status_code == 401
