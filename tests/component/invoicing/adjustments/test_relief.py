"""Credit notes, write-offs, refunds, debits and small balances over REST, with both sides of each in the ledger."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deploy.local.tokens import SigningKeyPair
from shared.process.runtime import Runtime
from tests.builders import Client, Database, account, eur, invoice, running
from tests.component.billing_world import Billing
from tests.component.published_balances import find_repeated_balances
from tests.component.setting_requests import close_month, put_by_two

Service = tuple[Runtime, Client, Database]
LEDGER = """
SELECT code, sum(amount_minor)::bigint AS balance FROM invoicing.ledger_entries
WHERE account_id = $1 GROUP BY code HAVING sum(amount_minor) <> 0
"""
OWED = """
SELECT (SELECT coalesce(sum(open_minor), 0) FROM invoicing.invoice_states WHERE account_id = $1)::bigint AS receivables,
    (SELECT coalesce(sum(unapplied_minor), 0) FROM invoicing.payments WHERE account_id = $1)::bigint AS unapplied
"""
PAID_OF_LINES = """
SELECT (SELECT coalesce(sum(paid_minor), 0) FROM invoicing.line_balances WHERE account_id = $1)::bigint AS by_line,
    (SELECT coalesce(sum(amount_minor), 0) FROM invoicing.allocations
     WHERE account_id = $1 AND reversed_at IS NULL)::bigint AS allocated
"""


@pytest.fixture
async def service(database: Database, keys: SigningKeyPair, jwks_file: Path) -> AsyncIterator[Service]:
    async with running("invoicing", database, keys, jwks_file) as (runtime, client):
        yield runtime, client, database


async def limit(client: Client, amount: int, role: str = "operator") -> None:
    body = {"amount_minor": amount, "reason": "the board"}
    await put_by_two(client.somebody(), f"/v1/approval-limits/{role}/EUR", body)


async def owner_of(client: Client) -> str:
    return str((await client.create("/v1/accounts", account()))["id"])


async def pay(client: Client, owner: str, amount: int, **more: Any) -> dict[str, Any]:
    return await client.create("/v1/payments", {"account_id": owner, "amount": eur(amount)} | more)


async def balance(client: Client, invoice_id: str) -> dict[str, Any]:
    return await client.got(f"/v1/invoices/{invoice_id}/balance")


async def read_unapplied(client: Client, payment: dict[str, Any]) -> int:
    return int((await client.got(f"/v1/payments/{payment['id']}"))["unapplied_minor"])


async def credit(client: Client, invoice_id: str, *lines: tuple[int, int]) -> dict[str, Any]:
    return await client.create("/v1/credit-notes", credit_body(invoice_id, *lines))


def credit_body(invoice_id: str, *lines: tuple[int, int]) -> dict[str, Any]:
    wanted = [{"line": line, "amount_minor": amount} for line, amount in lines]
    return {"invoice_id": invoice_id, "lines": wanted, "reason_code": "goodwill", "reason": "two days without service"}


async def books(database: Database, owner: str) -> dict[str, int]:
    """The account's ledger, found to balance and to agree with what is owed."""
    rows = await database.rows(LEDGER, owner)
    books = {row["code"]: row["balance"] for row in rows}
    owed = (await database.rows(OWED, owner))[0]
    assert sum(books.values()) == 0
    assert (books.get("receivables", 0), -books.get("unapplied", 0)) == (owed["receivables"], owed["unapplied"])
    paid = (await database.rows(PAID_OF_LINES, owner))[0]
    assert paid["by_line"] == paid["allocated"]
    return books


async def events(database: Database) -> list[str]:
    rows = await database.rows("SELECT type FROM invoicing.outbox ORDER BY position")
    return [row["type"].split(".")[2] for row in rows]


async def test_a_credit_note_lowers_what_is_open_and_frees_what_was_paid_for_the_next_invoice(service: Service) -> None:
    _, client, database = service
    await limit(client, 5000)
    owner = await owner_of(client)
    first = await client.create("/v1/invoices", invoice(owner, 1000, 500))
    paid = await pay(client, owner, 1200)
    done = await credit(client, first["id"], (1, 300), (2, 400))
    assert (done["state"], done["decided_by"]) == ("carried_out", None)
    # Of line 2, 300 were open; the other 100, and line 1's 300, had been paid.
    assert (await balance(client, first["id"]))["open_minor"] == 0
    assert await read_unapplied(client, paid) == 400
    note = await client.got(f"/v1/credit-notes/{done['credit_note_id']}")
    assert (note["number"], note["total_minor"], note["reason_code"]) == ("GS-DE-CN-00000001", 700, "goodwill")
    assert await books(database, owner) == {"cash": 1200, "revenue": -1500, "credits": 700, "unapplied": -400}
    second = await client.create("/v1/invoices", invoice(owner, 1000))
    assert (await balance(client, second["id"]))["open_minor"] == 600
    await client.create(f"/v1/payments/{paid['id']}:reverse", {"reason": "debit returned"})
    assert (await balance(client, first["id"]))["open_minor"] == 800
    assert (await balance(client, second["id"]))["open_minor"] == 1000
    await books(database, owner)


async def test_no_more_is_credited_than_there_is_whoever_asks_at_once(service: Service) -> None:
    _, client, database = service
    await limit(client, 5000)
    owner = await owner_of(client)
    issued = await client.create("/v1/invoices", invoice(owner, 1000))
    body = credit_body(issued["id"], (1, 600))
    answers = await asyncio.gather(*(client.post("/v1/credit-notes", body) for _ in range(3)))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409]
    assert {answer.json().get("code") for answer in answers} == {None, "amount_refused"}
    for wrong in (credit_body(issued["id"], (2, 1)), credit_body(issued["id"], (1, 1), (1, 1))):
        assert (await client.post("/v1/credit-notes", wrong)).json()["code"] == "unknown_line"
    assert (await balance(client, issued["id"]))["open_minor"] == 400
    await books(database, owner)


async def test_above_their_limit_a_second_person_decides_and_not_the_same(service: Service) -> None:
    _, client, database = service
    await limit(client, 500)
    await limit(client, 900, "lead")
    owner = await owner_of(client)
    issued = await client.create("/v1/invoices", invoice(owner, 2000))
    proposed = await credit(client, issued["id"], (1, 800))
    assert (proposed["state"], proposed["credit_note_id"]) == ("proposed", None)
    assert (await balance(client, issued["id"]))["open_minor"] == 2000
    path = f"/v1/approvals/{proposed['id']}:approve"
    decision = {"reason": "agreed"}
    assert (await client.post(path, decision)).json()["code"] == "second_person_needed"
    assert (await client.somebody("clerk", "operator").post(path, decision)).json()["code"] == "above_limit"
    assert (await client.somebody("operator", "lead").post(path, decision)).json()["code"] == "second_person_needed"
    lead = client.somebody("lead 1", "lead")
    decided = await lead.create(path, decision)
    assert (decided["state"], decided["decided_by"], decided["decision_reason"]) == ("carried_out", "lead 1", "agreed")
    assert (await lead.post(path, decision)).json()["code"] == "move_refused"
    assert (await balance(client, issued["id"]))["open_minor"] == 1200
    waiting = await credit(client, issued["id"], (1, 700))
    assert [item["id"] for item in (await client.got("/v1/approvals", state="proposed"))["items"]] == [waiting["id"]]
    declined = await lead.create(f"/v1/approvals/{waiting['id']}:decline", {"reason": "no"})
    assert (declined["state"], declined["credit_note_id"]) == ("declined", None)
    await books(database, owner)


async def test_whoever_proposed_it_withdraws_it_alone_and_approves_nothing(service: Service) -> None:
    _, client, database = service
    owner = await owner_of(client)
    issued = await client.create("/v1/invoices", invoice(owner, 2000))
    await pay(client, owner, 2300)
    second = await client.create("/v1/invoices", invoice(await owner_of(client), 2000))
    refund = {"account_id": owner, "amount": eur(300), "reason_code": "overpayment", "reason": "asked for"}
    write_off = {"invoice_id": second["id"], "reason_code": "insolvency", "reason": "filed"}
    proposals = [
        await client.create("/v1/refunds", refund),
        await client.create("/v1/write-offs", write_off),
        await credit(client, issued["id"], (1, 800)),
    ]
    for proposal in proposals:
        assert proposal["state"] == "proposed"
        path = f"/v1/approvals/{proposal['id']}"
        other = await client.somebody("clerk", "lead").post(f"{path}:withdraw", {"reason": "mine"})
        assert (other.status_code, other.json()["code"]) == (403, "not_the_proposer")
        own = await client.post(f"{path}:approve", {"reason": "mine"})
        assert (own.status_code, own.json()["code"]) == (403, "second_person_needed")
        withdrawn = await client.create(f"{path}:withdraw", {"reason": "mistyped"})
        assert (withdrawn["state"], withdrawn["decided_by"]) == ("withdrawn", "operator")
        assert withdrawn["decision_reason"] == "mistyped"
        for move in ("withdraw", "approve", "decline"):
            again = await client.somebody("lead 1", "lead").post(f"{path}:{move}", {"reason": "late"})
            assert again.json()["code"] == "move_refused"
    (payment,) = (await client.got("/v1/payments", account_id=owner))["items"]
    assert payment["unapplied_minor"] == 300
    assert (await balance(client, second["id"]))["open_minor"] == 2000
    listed = await client.got("/v1/approvals", state="withdrawn")
    assert [row["id"] for row in listed["items"]] == sorted(proposal["id"] for proposal in proposals)
    entries = (await client.got("/v1/audit-entries", action="approval.withdraw"))["items"]
    assert [entry["personal"]["reason"] for entry in entries] == ["mistyped"] * 3
    assert {entry["actor"] for entry in entries} == {"operator"}
    assert (await client.create("/v1/refunds", refund))["state"] == "proposed"
    await books(database, owner)


async def test_only_a_withdrawal_names_one_person_twice(service: Service) -> None:
    _, client, database = service
    owner = await owner_of(client)
    await pay(client, owner, 2300)
    refund = {"account_id": owner, "amount": eur(300), "reason_code": "overpayment", "reason": "asked for"}
    await client.create("/v1/refunds", refund)
    for state in ("carried_out", "declined"):
        with pytest.raises(asyncpg.CheckViolationError):
            await database.execute(
                "UPDATE invoicing.approvals SET state = $1, decided_by = proposed_by, decision_reason = 'x',"
                " decided_at = proposed_at",
                state,
            )


async def test_what_waits_for_a_second_person_is_accepted_and_not_done(service: Service) -> None:
    _, client, _ = service
    await limit(client, 500)
    owner = await owner_of(client)
    issued = await client.create("/v1/invoices", invoice(owner, 2000))
    await pay(client, owner, 2300)
    refund = {"account_id": owner, "amount": eur(300), "reason_code": "overpayment", "reason": "asked for"}
    second = await client.create("/v1/invoices", invoice(await owner_of(client), 2000))
    write_off = {"invoice_id": second["id"], "reason_code": "insolvency", "reason": "filed"}
    requests = (
        ("/v1/credit-notes", credit_body(issued["id"], (1, 500)), 201, "carried_out"),
        ("/v1/credit-notes", credit_body(issued["id"], (1, 501)), 202, "proposed"),
        ("/v1/refunds", refund, 202, "proposed"),
        ("/v1/write-offs", write_off, 202, "proposed"),
    )
    for path, body, status, state in requests:
        answer = await client.post(path, body)
        assert (answer.status_code, answer.json()["state"]) == (status, state), path
    proposed = await client.got("/v1/approvals", state="proposed")
    assert [approval["lines"] for approval in proposed["items"]] == [[{"line": 1, "amount_minor": 501}], [], []]


async def test_what_was_proposed_and_does_not_fit_any_more_stays_proposed(service: Service) -> None:
    _, client, _ = service
    owner = await owner_of(client)
    issued = await client.create("/v1/invoices", invoice(owner, 1000))
    body = {"invoice_id": issued["id"], "reason_code": "insolvency", "reason": "filed"}
    proposed = [await credit(client, issued["id"], (1, 1000)), await client.create("/v1/write-offs", body)]
    await limit(client, 2000, "lead")
    lead = client.somebody("lead 1", "lead")
    paths = [f"/v1/approvals/{proposal['id']}:approve" for proposal in proposed]
    answers = await asyncio.gather(*(lead.post(path, {"reason": "agreed"}) for path in paths))
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    assert len((await client.got("/v1/approvals", state="proposed"))["items"]) == 1


async def test_a_write_off_closes_the_invoice_and_a_payment_of_it_is_a_recovery(service: Service) -> None:
    _, client, database = service
    await limit(client, 5000)
    owner = await owner_of(client)
    issued = await client.create("/v1/invoices", invoice(owner, 1000, 500))
    await pay(client, owner, 200)
    body = {"invoice_id": issued["id"], "reason_code": "insolvency", "reason": "proceedings closed"}
    assert (await client.create("/v1/write-offs", body))["amount_minor"] == 1300
    shown = await balance(client, issued["id"])
    assert (shown["open_minor"], shown["written_off_minor"]) == (0, 1300)
    assert "InvoicePaid" not in await events(database)
    assert (await client.post("/v1/write-offs", body)).json()["code"] == "amount_refused"
    other = await pay(client, owner, 100)
    assert other["unapplied_minor"] == 100  # nobody said that it is for the claim
    recovered = await pay(client, owner, 400, invoice_id=issued["id"])
    assert recovered["unapplied_minor"] == 0
    shown = await balance(client, issued["id"])
    assert (shown["open_minor"], shown["written_off_minor"]) == (0, 900)
    assert await books(database, owner) == {
        "cash": 700,
        "revenue": -1500,
        "bad_debt": 1300,
        "recoveries": -400,
        "unapplied": -100,
    }
    await client.create(f"/v1/payments/{recovered['id']}:reverse", {"reason": "debit returned"})
    shown = await balance(client, issued["id"])
    assert (shown["open_minor"], shown["written_off_minor"]) == (0, 1300)
    assert (await books(database, owner))["bad_debt"] == 1300


async def test_a_payment_is_taken_back_once_its_refund_is_withdrawn_and_never_once_it_was_paid(
    service: Service,
) -> None:
    _, client, database = service
    await limit(client, 5000, "lead")
    owner = await owner_of(client)
    payment = await pay(client, owner, 500)
    body = {"account_id": owner, "amount": eur(400), "reason_code": "overpayment", "reason": "by letter"}
    first = await client.create("/v1/refunds", body)
    await client.create(f"/v1/approvals/{first['id']}:withdraw", {"reason": "the bank takes it back"})
    second = await client.create("/v1/refunds", body)
    await client.somebody("lead 1", "lead").create(f"/v1/approvals/{second['id']}:approve", {"reason": "agreed"})
    refused = await client.post(f"/v1/payments/{payment['id']}:reverse", {"reason": "returned"})
    assert (refused.status_code, refused.json()["refund_ids"]) == (409, [second["id"]])
    assert "by an invoice whose class of tax has the rate 0" in refused.json()["detail"]
    other = await owner_of(client)
    unneeded = await pay(client, other, 500)
    waiting = await client.create("/v1/refunds", body | {"account_id": other})
    await client.create(f"/v1/approvals/{waiting['id']}:withdraw", {"reason": "the bank takes it back"})
    reversed_ = await client.create(f"/v1/payments/{unneeded['id']}:reverse", {"reason": "returned"})
    assert reversed_["state"] == "reversed"
    assert await books(database, other) == {}


async def test_a_refund_is_held_and_needs_a_second_person_whatever_the_amount(service: Service) -> None:
    _, client, database = service
    await limit(client, 5000)
    owner = await owner_of(client)
    paid = [await pay(client, owner, amount) for amount in (300, 500)]
    body = {"account_id": owner, "amount": eur(400), "reason_code": "overpayment", "reason": "by letter"}
    proposed = await client.create("/v1/refunds", body)
    assert proposed["state"] == "proposed"
    assert [await read_unapplied(client, payment) for payment in paid] == [0, 400]
    assert (await client.post("/v1/refunds", body | {"amount": eur(401)})).json()["code"] == "amount_refused"
    taken_back = await client.post(f"/v1/payments/{paid[0]['id']}:reverse", {"reason": "returned"})
    assert (taken_back.status_code, taken_back.json()["code"]) == (409, "cash_refunded")
    assert taken_back.json()["refund_ids"] == [proposed["id"]]
    assert "withdraw or decline that first" in taken_back.json()["detail"]
    issued = await client.create("/v1/invoices", invoice(owner, 1000))
    assert (await balance(client, issued["id"]))["open_minor"] == 600  # what is held pays nothing
    somebody = client.somebody(roles="operator")
    await somebody.create(f"/v1/approvals/{proposed['id']}:decline", {"reason": "there is an invoice now"})
    assert (await balance(client, issued["id"]))["open_minor"] == 200
    assert await books(database, owner) == {"cash": 800, "receivables": 200, "revenue": -1000}
    await pay(client, owner, 1000)
    again = await client.create("/v1/refunds", body)
    assert (await books(database, owner))["refunds"] == -400
    await somebody.create(f"/v1/approvals/{again['id']}:approve", {"reason": "fine"})
    assert await books(database, owner) == {"cash": 1400, "unapplied": -400, "revenue": -1000}
    kinds = await events(database)
    assert [kind for kind in kinds if kind.startswith("Refund")] == [
        "RefundProposed",
        "RefundDeclined",
        "RefundProposed",
        "RefundApproved",
    ]


async def test_a_debit_is_in_flight_until_the_bank_has_spoken(service: Service) -> None:
    _, client, database = service
    owner = await owner_of(client)
    issued = await client.create("/v1/invoices", invoice(owner, 1000, 500))
    sent = await client.create("/v1/debits", {"invoice_id": issued["id"], "reference": "DD-1"})
    assert (sent["amount_minor"], sent["lines"]) == (
        1500,
        [{"line": 1, "amount_minor": 1000}, {"line": 2, "amount_minor": 500}],
    )
    assert (await balance(client, issued["id"]))["in_flight_minor"] == 1500
    twice = await client.post("/v1/debits", {"invoice_id": issued["id"], "reference": "DD-2"})
    assert twice.json()["code"] == "amount_refused"
    failed = await client.create(f"/v1/debits/{sent['id']}:fail", {"failure": "AC04 account closed"})
    assert (failed["state"], failed["failure"]) == ("refused", "AC04 account closed")
    shown = await balance(client, issued["id"])
    assert (shown["in_flight_minor"], shown["open_minor"]) == (0, 1500)
    repeated = {"invoice_id": issued["id"], "amount": eur(1200), "reference": "DD-1"}
    assert (await client.post("/v1/debits", repeated)).json()["code"] == "reference_taken"
    sent = await client.create("/v1/debits", repeated | {"reference": "DD-3"})
    await pay(client, owner, 400)  # what is in flight is left alone: 300 are due
    shown = await balance(client, issued["id"])
    assert (shown["open_minor"], shown["in_flight_minor"]) == (1200, 1200)
    settled = await client.create(f"/v1/debits/{sent['id']}:settle")
    assert settled["state"] == "settled"
    shown = await balance(client, issued["id"])
    assert (shown["open_minor"], shown["in_flight_minor"]) == (0, 0)
    for end in (":settle", ":fail"):
        late = await client.post(f"/v1/debits/{sent['id']}{end}", {"failure": "late"} if end == ":fail" else {})
        assert late.json()["code"] == "move_refused"
    assert await books(database, owner) == {"cash": 1600, "revenue": -1500, "unapplied": -100}


async def test_a_small_balance_is_let_go_within_the_tolerance_only(service: Service) -> None:
    _, client, database = service
    body = {"amount_minor": 5, "reason": "bank charges"}
    assert (await client.http.put("/v1/tolerances/GS-DE/EUR", json=body, headers=client.headers)).status_code == 200
    owner = await owner_of(client)
    near, far, disputed = [await client.create("/v1/invoices", invoice(owner, 1000)) for _ in range(3)]
    await pay(client, owner, 995, invoice_id=near["id"])
    await pay(client, owner, 994, invoice_id=far["id"])
    reserve = {"dispute_id": "01a20d61-1c0e-7b3f-8a55-2f64d1f0a9b7", "invoice_id": disputed["id"]}
    await client.create("/v1/reservations", reserve | {"lines": [{"line": 1, "amount_minor": 3}]})
    await pay(client, owner, 997, invoice_id=disputed["id"])
    assert [(await balance(client, invoice["id"]))["open_minor"] for invoice in (near, far, disputed)] == [0, 6, 3]
    assert (await events(database)).count("SmallBalanceCleared") == 1
    assert (await books(database, owner))["small_balances"] == 5


async def test_a_remittance_and_unapplied_cash_pay_what_they_are_meant_for(service: Service) -> None:
    _, client, database = service
    owner = await owner_of(client)
    issued = [await client.create("/v1/invoices", invoice(owner, 1000, due_date=f"2026-04-0{n}")) for n in (1, 2, 3)]
    numbers = [invoice["number"] for invoice in issued]
    advice = [{"number": numbers[2], "amount_minor": 1000}, {"number": numbers[1], "amount_minor": 300}]
    await pay(client, owner, 1500, remittance=advice)
    # 200 are left, and pay the oldest.
    assert [(await balance(client, invoice["id"]))["open_minor"] for invoice in issued] == [800, 700, 0]
    for wrong, code in (
        ([{"number": "GS-DE-99999999", "amount_minor": 1}], "not_found"),
        ([{"number": numbers[0], "amount_minor": 801}], "amount_refused"),
        ([{"number": numbers[0], "amount_minor": 1}] * 2, "amount_refused"),
    ):
        refused = {"account_id": owner, "amount": eur(2000), "remittance": wrong}
        assert (await client.post("/v1/payments", refused)).json()["code"] == code
    reserve = {"dispute_id": "01a20d61-1c0e-7b3f-8a55-2f64d1f0a9b7", "invoice_id": issued[1]["id"]}
    await client.create("/v1/reservations", reserve | {"lines": [{"line": 1, "amount_minor": 700}]})
    over = await pay(client, owner, 1100)
    assert over["unapplied_minor"] == 300
    wanted = {"invoice_id": issued[1]["id"], "reason": "the customer asked for it"}
    assert (await client.create(f"/v1/payments/{over['id']}:apply", wanted))["unapplied_minor"] == 0
    assert (await client.post(f"/v1/payments/{over['id']}:apply", wanted)).json()["code"] == "nothing_unapplied"
    assert (await balance(client, issued[1]["id"]))["open_minor"] == 400
    assert len((await client.got("/v1/payments", account_id=owner))["items"]) == 2
    await books(database, owner)


async def test_what_is_credited_of_a_line_in_advance_is_never_released(service: Service) -> None:
    runtime, client, database = service
    billing = Billing(runtime, client, database)
    await billing.rate()
    await limit(client, 10**6)
    owner = await billing.account()
    await billing.buy(await billing.plan(), owner, quantity=10, start="2026-03-02")
    await billing.run()
    line = (await billing.lines(owner))[0]
    assert line == (10080, 1915, 11995)  # 19 % of 100.80
    issued = (await client.got("/v1/invoices", account_id=owner))["items"][0]
    await credit(client, issued["id"], (1, 5998))  # half of it: 9.57 of the tax, so 50.41 net
    assert (await books(database, owner))["deferred_revenue"] == -(10080 - 5041)
    for month in (3, 4):
        await database.move(datetime(2026, month + 1, 2, 9, tzinfo=UTC))
        await close_month(client, f"2026-{month:02}")
    closed = await books(database, owner)
    assert (closed.get("deferred_revenue", 0), closed["revenue"]) == (0, -(10080 - 5041))
    assert "credits" not in closed


MOVES = st.tuples(
    st.sampled_from(
        ["issue", "pay", "pay", "named", "credit", "write_off", "refund", "debit", "land", "reverse", "decide"]
    ),
    st.integers(1, 30),
    st.integers(0, 5),
)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(moves=st.lists(MOVES, min_size=5, max_size=20))
async def test_the_ledger_agrees_with_what_is_owed_after_any_sequence(
    service: Service, moves: list[tuple[str, int, int]]
) -> None:
    _, client, database = service
    await limit(client, 20)
    owner = await owner_of(client)
    invoices = [(await client.create("/v1/invoices", invoice(owner, 20, 10)))["id"]]
    payments, debits, proposed = list[str](), list[str](), list[str]()

    async def move(kind: str, amount: int, pick: int) -> None:
        invoice_id = invoices[pick % len(invoices)]
        if kind == "issue":
            invoices.append((await client.create("/v1/invoices", invoice(owner, amount)))["id"])
        elif kind in ("pay", "named"):
            payments.append(
                (await pay(client, owner, amount, **({"invoice_id": invoice_id} if kind == "named" else {})))["id"]
            )
        elif kind == "reverse" and payments:
            await client.post(f"/v1/payments/{payments[pick % len(payments)]}:reverse", WHY)
        elif kind == "debit":
            sent = await client.post(
                "/v1/debits", {"invoice_id": invoice_id, "amount": eur(amount), "reference": f"DD-{len(debits)}"}
            )
            debits.extend([sent.json()["id"]] if sent.status_code == 201 else [])
        elif kind == "land" and debits:
            end, body = (":settle", {}) if pick % 2 else (":fail", {"failure": "no"})
            await client.post(f"/v1/debits/{debits[-1]}{end}", body)
        elif kind == "decide" and proposed:
            end = ":approve" if pick % 2 else ":decline"
            await client.somebody(roles="operator").post(f"/v1/approvals/{proposed[-1]}{end}", WHY)
        elif kind in BODIES:
            path, body = BODIES[kind](owner, invoice_id, amount)
            answer = await client.post(path, body)
            proposed.extend([answer.json()["id"]] if answer.status_code in (201, 202) else [])

    for step in moves:
        await move(*step)
        await books(database, owner)
    assert await find_repeated_balances(database) == []


WHY = {"reason": "any"}
BODIES: dict[str, Any] = {
    "credit": lambda _, invoice_id, amount: ("/v1/credit-notes", credit_body(invoice_id, (1, amount))),
    "write_off": lambda _, invoice_id, __: (
        "/v1/write-offs",
        {"invoice_id": invoice_id, "reason_code": "fraud", "reason": "any"},
    ),
    "refund": lambda owner, _, amount: (
        "/v1/refunds",
        {"account_id": owner, "amount": eur(amount), "reason_code": "credit", "reason": "any"},
    ),
}
