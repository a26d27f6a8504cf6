"""A direct debit and the entry of a bank statement that shows it are one payment, in whatever order they come."""

from typing import Any

import pytest

from tests.builders import sweep
from tests.component.bank_statements import Paid, build_camt_statement, import_statement
from tests.component.invoicing.bank.test_bank import Bank, bank

__all__ = ["bank"]

CASH = "SELECT coalesce(sum(amount_minor), 0) FROM invoicing.ledger_entries WHERE code = $1"


def make_collected(text: str = "", amount: int = 10_000, end_to_end_id: str = "DD-2026-0001", **more: Any) -> Paid:
    """An entry that carries the end-to-end id of a debit."""
    return Paid(text, amount, details=f"<Refs><EndToEndId>{end_to_end_id}</EndToEndId></Refs>", **more)


async def send_debit(bank: Bank, issued: dict[str, Any], reference: str = "DD-2026-0001") -> str:
    """Send a debit of all that is due of an invoice; its id."""
    body = {"invoice_id": issued["id"], "reference": reference}
    return str((await bank.client.create("/v1/debits", body))["id"])


async def debit_state(bank: Bank, debit_id: str) -> str:
    return str((await bank.client.got(f"/v1/debits/{debit_id}"))["state"])


async def check_paid_once(bank: Bank, first: dict[str, Any], second: dict[str, Any], debit_id: str) -> None:
    """The debit's payment is the only one, and the entry's; nothing of it pays another invoice."""
    assert (await bank.open(first), await bank.open(second), await bank.payments()) == (0, 10_000, 1)
    assert await bank.database.value(CASH, "cash") == 10_000
    debit = await bank.client.got(f"/v1/debits/{debit_id}")
    (entry,) = await bank.entries()
    assert (debit["state"], entry["state"]) == ("settled", "booked")
    assert (entry["payment_id"], entry["debit_id"]) == (debit["payment_id"], debit_id)
    assert entry["invoice_id"] == first["id"]
    balance = await bank.client.got(f"/v1/invoices/{first['id']}/balance")
    assert balance["in_flight_minor"] == 0


@pytest.mark.parametrize("names_invoice", [True, False])
async def test_an_entry_settles_the_debit_whose_id_it_carries(bank: Bank, names_invoice: bool) -> None:
    _, (first, second) = await bank.owes(10_000, 10_000)
    debit_id = await send_debit(bank, first)
    await bank.take(make_collected(second["number"] if names_invoice else ""))
    await check_paid_once(bank, first, second, debit_id)
    settled = await bank.client.post(f"/v1/debits/{debit_id}:settle", {})
    assert (settled.status_code, settled.json()["state"]) == (200, "settled")
    failed = await bank.client.post(f"/v1/debits/{debit_id}:fail", {"failure": "late"})
    assert (failed.status_code, failed.json()["code"]) == (409, "move_refused")
    await check_paid_once(bank, first, second, debit_id)


@pytest.mark.parametrize("is_imported_first", [True, False])
async def test_a_debit_that_was_settled_before_its_entry_is_booked_is_that_payment(
    bank: Bank, is_imported_first: bool
) -> None:
    _, (first, second) = await bank.owes(10_000, 10_000)
    debit_id = await send_debit(bank, first)
    if is_imported_first:
        await import_statement(bank.client, build_camt_statement([make_collected(first["number"])]))
    await bank.client.create(f"/v1/debits/{debit_id}:settle")
    if is_imported_first:
        await sweep(bank.runtime)
    else:
        await bank.take(make_collected(first["number"]))
    await check_paid_once(bank, first, second, debit_id)


@pytest.mark.parametrize("is_settled", [True, False])
async def test_an_entry_that_a_person_books_settles_the_debit(bank: Bank, is_settled: bool) -> None:
    """It stood on the work list, since the debit was not known when it came in."""
    owner, (first, second) = await bank.owes(10_000, 10_000)
    await bank.take(make_collected())
    debit_id = await send_debit(bank, first)
    if is_settled:
        await bank.client.create(f"/v1/debits/{debit_id}:settle")
    (entry,) = await bank.entries(state="unmatched")
    body = {"account_id": owner, "invoice_id": second["id"], "reason": "looks like it"}
    refused = await bank.client.post(f"/v1/bank-entries/{entry['id']}:book", body)
    assert (refused.status_code, refused.json()["code"]) == (409, "entry_of_debit")
    advice = [{"number": second["number"], "amount_minor": 10_000}]
    body = {"account_id": owner, "remittance": advice, "reason": "looks like it"}
    refused = await bank.client.post(f"/v1/bank-entries/{entry['id']}:book", body)
    assert (refused.status_code, refused.json()["code"]) == (409, "entry_of_debit")
    await bank.client.create(f"/v1/bank-entries/{entry['id']}:book", {"account_id": owner, "reason": "the debit"})
    await check_paid_once(bank, first, second, debit_id)
    if not is_settled:
        await bank.client.create(f"/v1/debits/{debit_id}:settle")
    await check_paid_once(bank, first, second, debit_id)


@pytest.mark.parametrize("is_imported_first", [True, False])
async def test_an_entry_of_a_debit_that_was_refused_is_no_receipt(bank: Bank, is_imported_first: bool) -> None:
    _, (first, second) = await bank.owes(10_000, 10_000)
    debit_id = await send_debit(bank, first)
    if is_imported_first:
        await import_statement(bank.client, build_camt_statement([make_collected(first["number"])]))
    await bank.client.create(f"/v1/debits/{debit_id}:fail", {"failure": "AC04 account closed"})
    if is_imported_first:
        await sweep(bank.runtime)
    else:
        await bank.take(make_collected(first["number"]))
    (entry,) = await bank.entries()
    assert (entry["state"], entry["debit_id"], await bank.payments()) == ("unmatched", None, 0)
    assert (await bank.open(first), await bank.open(second)) == (10_000, 10_000)
    if not is_imported_first:
        assert entry["proposals"][0]["reasons"] == ["debit_refused"]


async def test_an_entry_of_another_amount_than_its_debit_waits_and_is_no_receipt(bank: Bank) -> None:
    owner, (first, _) = await bank.owes(10_000, 10_000)
    debit_id = await send_debit(bank, first)
    await bank.take(make_collected(first["number"], 9_750))
    (entry,) = await bank.entries(state="unmatched")
    assert entry["proposals"][0]["reasons"] == ["debit_initiated"]
    path = f"/v1/bank-entries/{entry['id']}"
    refused = await bank.client.post(f"{path}:book", {"account_id": owner, "reason": "less charges"})
    assert (refused.status_code, refused.json()["code"], await bank.payments()) == (409, "entry_of_debit", 0)
    await bank.client.create(f"/v1/debits/{debit_id}:settle")
    assert (await bank.client.create(f"{path}:ignore", {"reason": "the debit less charges"}))["state"] == "ignored"
    assert await bank.payments() == 1


async def test_a_second_entry_of_one_debit_waits(bank: Bank) -> None:
    _, (first, second) = await bank.owes(10_000, 10_000)
    debit_id = await send_debit(bank, first)
    latest = await bank.take(make_collected(), make_collected())
    assert (latest["states"], await bank.payments()) == ({"booked": 1, "unmatched": 1}, 1)
    assert (await bank.open(second), await debit_state(bank, debit_id)) == (10_000, "settled")


async def test_a_receipt_for_an_invoice_of_which_a_debit_is_in_flight_waits(bank: Bank) -> None:
    """Without the debit's id it may be that money, or a transfer beside it."""
    _, (first, second) = await bank.owes(10_000, 10_000)
    await import_statement(bank.client, build_camt_statement([Paid(second["number"], 10_000)]))
    for issued, reference in ((first, "DD-1"), (second, "DD-2")):
        await send_debit(bank, issued, reference)
    latest = await bank.take(Paid(first["number"], 10_000))
    assert (latest["states"], await bank.payments()) == ({"unmatched": 1}, 0)
    entries = await bank.entries(state="unmatched")
    assert [entry["amount_minor"] for entry in entries] == [10_000, 10_000]
    assert "debit_in_flight" in entries[1]["proposals"][0]["reasons"]


async def test_debits_of_many_accounts_are_settled_together(bank: Bank) -> None:
    owned = [(await bank.owes(10_000))[1][0] for _ in range(3)]
    debit_ids = [await send_debit(bank, issued, f"DD-{place}") for place, issued in enumerate(owned)]
    await bank.client.create(f"/v1/debits/{debit_ids[1]}:settle")
    latest = await bank.take(*(make_collected(end_to_end_id=f"DD-{place}") for place in range(3)))
    assert (latest["states"], await bank.payments()) == ({"booked": 3}, 3)
    assert [await bank.open(issued) for issued in owned] == [0, 0, 0]


async def test_a_debit_that_is_refused_when_it_is_settled_waits_and_the_others_are_settled(bank: Bank) -> None:
    owned = [(await bank.owes(10_000))[1][0] for _ in range(2)]
    debit_ids = [await send_debit(bank, issued, f"DD-{place}") for place, issued in enumerate(owned)]
    await bank.database.execute(f"UPDATE invoicing.debits SET currency = 'USD' WHERE id = '{debit_ids[0]}'")
    entries = [make_collected(end_to_end_id="DD-0", currency="USD"), make_collected(end_to_end_id="DD-1")]
    latest = await bank.take(*entries)
    assert (latest["states"], await bank.payments()) == ({"booked": 1, "unmatched": 1}, 1)
    assert [await debit_state(bank, debit_id) for debit_id in debit_ids] == ["initiated", "settled"]
    balance = await bank.client.got(f"/v1/invoices/{owned[0]['id']}/balance")
    assert (balance["in_flight_minor"], await bank.open(owned[1])) == (10_000, 0)
