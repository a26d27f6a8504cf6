"""Entries that share a reference are each taken; what is equal in all repeats, and a person may take it after all."""

from typing import Any

import pytest

from tests.component.bank_statements import IBAN, Paid, build_camt_statement, import_statement, join_statements
from tests.component.invoicing.bank.test_bank import Bank, bank

__all__ = ["bank"]


async def repeats(bank: Bank, **which: Any) -> list[dict[str, Any]]:
    """List the repeats of the first page."""
    return list((await bank.client.got("/v1/bank-repeats", **which))["items"])


async def test_entries_of_one_day_that_share_reference_and_amount_are_both_booked(bank: Bank) -> None:
    _, (first,) = await bank.owes(7000)
    _, (second,) = await bank.owes(7000)
    latest = await bank.take(
        Paid(first["number"], 7000, payer="Alpha", reference="B-1"),
        Paid(second["number"], 7000, payer="Beta", reference="B-1"),
    )
    assert latest["entries"] == {"certain": 2, "unmatched": 0, "kept": 0, "repeated": 0}
    assert (await bank.open(first), await bank.open(second), await bank.payments()) == (0, 0, 2)
    assert [(entry["reference"], entry["payer"]) for entry in await bank.entries()] == [
        ("B-1", "Alpha"),
        ("B-1", "Beta"),
    ]


async def test_equal_entries_of_one_reference_in_one_statement_are_two(bank: Bank) -> None:
    latest = await bank.take(Paid("rent", 300, reference="B-1"), Paid("rent", 300, reference="B-1"))
    assert latest["entries"] == {"certain": 0, "unmatched": 2, "kept": 0, "repeated": 0}


async def test_references_that_begin_again_in_each_statement_hide_nothing(bank: Bank) -> None:
    number = "<NtryRef>1</NtryRef>"
    first, second, third = (
        build_camt_statement([Paid(text, 300, reference=None, more=number)])
        for text in ("of March", "of April", "of May")
    )
    assert (await import_statement(bank.client, first))["entries"]["unmatched"] == 1
    assert (await import_statement(bank.client, join_statements(second, third)))["entries"]["unmatched"] == 2
    assert [entry["text"] for entry in await bank.entries()] == ["of March", "of April", "of May"]
    assert await repeats(bank) == []


async def test_what_is_equal_in_all_in_another_file_is_listed_beside_the_entry_that_it_repeats(bank: Bank) -> None:
    _, (issued,) = await bank.owes(1000)
    payment = Paid(issued["number"], 400, reference="B-1")
    await bank.take(payment)
    (entry,) = await bank.entries()
    again = await import_statement(bank.client, build_camt_statement([Paid("another", 17), payment], day="2026-03-31"))
    assert again["entries"] == {"certain": 0, "unmatched": 1, "kept": 0, "repeated": 1}
    (repeat,) = again["repeats"]
    assert (repeat["place"], repeat["entry_id"], repeat["entry_state"]) == (2, entry["id"], "booked")
    assert (repeat["amount_minor"], repeat["reference"], repeat["payer"]) == (400, "B-1", "Somebody")
    assert (repeat["import_id"], repeat["taken_entry_id"]) == (again["id"], None)
    assert await repeats(bank, import_id=again["id"]) == again["repeats"]
    assert await repeats(bank, import_id=entry["import_id"]) == []
    assert await bank.open(issued) == 600


async def test_a_statement_that_stands_in_a_file_twice_repeats_its_entries(bank: Bank) -> None:
    first, again = (build_camt_statement([Paid("rent", 300, reference="B-1")]) for _ in range(2))
    made = await import_statement(bank.client, join_statements(first, again))
    assert made["entries"] == {"certain": 0, "unmatched": 1, "kept": 0, "repeated": 1}
    (entry,) = await bank.entries()
    assert [(repeat["place"], repeat["entry_id"]) for repeat in made["repeats"]] == [(2, entry["id"])]


async def test_a_repeat_that_a_person_takes_is_matched_and_booked_once(bank: Bank) -> None:
    _, (issued,) = await bank.owes(1000)
    payment = Paid(issued["number"], 400, reference="B-1")
    await bank.take(payment)
    latest = await bank.take(payment, day="2026-03-31")
    (repeat,) = latest["repeats"]
    path = f"/v1/bank-repeats/{repeat['id']}:take"
    taken = await bank.client.create(path, {"reason": "the customer has paid twice"})
    assert (taken["taken_by"], taken["reason"]) == ("operator", "the customer has paid twice")
    refused = await bank.client.post(path, {"reason": "once more"})
    assert (refused.status_code, refused.json()["code"]) == (409, "move_refused")
    entry = await bank.client.got(f"/v1/bank-entries/{taken['taken_entry_id']}")
    assert (entry["state"], entry["amount_minor"], entry["reference"]) == ("certain", 400, "B-1")
    assert (await bank.take(payment, day="2026-04-01"))["entries"]["repeated"] == 1
    assert (await bank.open(issued), await bank.payments()) == (200, 2)
    unknown = await bank.client.post(f"/v1/bank-repeats/{entry['id']}:take", {"reason": "no such repeat"})
    assert (unknown.status_code, unknown.json()["code"]) == (404, "not_found")


async def test_a_repeat_is_taken_once_whatever_is_sent_again(bank: Bank) -> None:
    payment = Paid("rent", 400, reference="B-1")
    await bank.take(payment)
    (repeat,) = (await bank.take(payment, day="2026-03-31"))["repeats"]
    path, body = f"/v1/bank-repeats/{repeat['id']}:take", {"reason": "two payments"}
    headers = bank.client.headers | {"idempotency-key": "take-once"}
    answers = [await bank.client.http.post(path, json=body, headers=headers) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].json() == answers[1].json()
    assert len(await bank.entries()) == 2


@pytest.mark.parametrize(("reference", "key"), [("B-1", "B-1 2026-03-30 300 EUR credit"), (None, None)])
async def test_an_entry_that_was_taken_without_its_reference_is_still_known(
    bank: Bank, reference: str | None, key: str | None
) -> None:
    """Expect this: of those that shared the reference only that one was taken, so the others come in now."""
    first, second = (Paid(text, 300, payer=payer, reference=reference) for text, payer in (("a", "A"), ("b", "B")))
    await bank.take(first)
    (entry,) = await bank.entries()
    former_key = key or await bank.database.value("SELECT entry_key FROM invoicing.bank_entries")
    await bank.database.execute(f"UPDATE invoicing.bank_entries SET reference = NULL, entry_key = '{former_key}'")
    latest = await bank.take(first, second, day="2026-03-31")
    assert latest["entries"] == {"certain": 0, "unmatched": 1, "kept": 0, "repeated": 1}
    assert [repeat["entry_id"] for repeat in latest["repeats"]] == [entry["id"]]
    latest = await bank.take(second, first, first, day="2026-04-01")
    assert latest["entries"] == {"certain": 0, "unmatched": 1, "kept": 0, "repeated": 2}
    assert [entry["payer"] for entry in await bank.entries()] == ["A", "B", "A"]


MAPPING = {"bank_account": IBAN, "booked_on": "day", "amount": "sum", "fixed_currency": "EUR", "text": ["text"]}


@pytest.mark.parametrize("is_former", [False, True])
async def test_a_reference_that_came_in_another_format_waits_for_a_person(bank: Bank, is_former: bool) -> None:
    """Expect doubt, for it may be the same money: with the text of another format it is no repeat."""
    _, (issued,) = await bank.owes(1000)
    await bank.take(Paid(issued["number"], 300, reference="B-1"))
    if is_former:
        await bank.database.execute(
            "UPDATE invoicing.bank_entries SET reference = NULL, entry_key = 'B-1 2026-03-30 300 EUR credit'"
        )
    body = MAPPING | {"entry_id": "id"}
    await bank.client.http.put("/v1/bank-mappings/plain", json=body, headers=bank.client.headers)
    rows = f"day,sum,text,id\n2026-03-30,3.00,SVWZ {issued['number']},B-1\n2026-03-30,2.00,{issued['number']},B-1\n"
    made = await import_statement(bank.client, rows.encode(), "text/csv", mapping="plain")
    assert made["entries"] == {"certain": 1, "unmatched": 1, "kept": 0, "repeated": 0}
    (entry,) = await bank.entries(state="unmatched")
    assert (entry["amount_minor"], entry["proposals"][0]["reasons"]) == (
        300,
        ["invoice_number", "reference_in_other_format"],
    )
