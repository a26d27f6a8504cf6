"""Knowledge of an account's payments, as collections asks invoicing for it before access ends."""

from typing import Any
from urllib.parse import quote

import pytest

from shared.events.invoicing import BankStatementImported
from tests.component.bank_statements import IBAN, Paid, build_camt_statement, import_statement, send
from tests.component.invoicing.bank.test_bank import Bank, bank

__all__ = ["bank"]


async def read_bank_knowledge(bank: Bank, owner: str) -> dict[str, Any]:
    return dict(await bank.client.got(f"/v1/accounts/{owner}/bank-knowledge"))


async def in_question(bank: Bank, owner: str) -> int:
    return len((await read_bank_knowledge(bank, owner))["undecided_entries"])


async def test_known_until_the_end_of_the_newest_statement_and_no_later_than_its_import(bank: Bank) -> None:
    """It is 2 March, 09:00: a statement of 28 February ends at midnight, one of 30 March cannot be known yet."""
    owner, _ = await bank.owes(1000)
    assert (await read_bank_knowledge(bank, owner))["known_until"] is None
    await bank.take(Paid("salary", 17), day="2026-02-28")
    assert (await read_bank_knowledge(bank, owner))["known_until"] == "2026-03-01T00:00:00Z"
    await bank.take(Paid("an old one", 18), day="2026-02-20")
    assert (await read_bank_knowledge(bank, owner))["known_until"] == "2026-03-01T00:00:00Z"
    await bank.take(Paid("another", 19), day="2026-03-30")
    assert (await read_bank_knowledge(bank, owner))["known_until"] == bank.database.now.isoformat().replace(
        "+00:00", "Z"
    )


async def test_the_bank_account_that_is_known_least_decides_until_it_is_closed(bank: Bank) -> None:
    owner, _ = await bank.owes(1000)
    other = "FR7630006000011234567890189"
    await import_statement(bank.client, build_camt_statement([Paid("salary", 17)], day="2026-03-01"))
    await import_statement(bank.client, build_camt_statement([Paid("rent", 18)], day="2026-02-20", account=other))
    assert (await read_bank_knowledge(bank, owner))["known_until"] == "2026-02-21T00:00:00Z"
    assert (await bank.client.got("/v1/bank-imports/latest"))["known_until"] == "2026-02-21T00:00:00Z"
    listed = (await bank.client.got("/v1/bank-accounts"))["bank_accounts"]
    assert [
        (bank_account["bank_account"], bank_account["closing_date"], bank_account["is_closed"])
        for bank_account in listed
    ] == [
        (IBAN, "2026-03-01", False),
        (other, "2026-02-20", False),
    ]
    closed = await bank.client.post(f"/v1/bank-accounts/{other}:close", {"reason": "given up in February"})
    assert (closed.status_code, closed.json()["is_closed"], closed.json()["closed_by"]) == (200, True, "operator")
    assert (await read_bank_knowledge(bank, owner))["known_until"] == "2026-03-02T00:00:00Z"
    await import_statement(bank.client, build_camt_statement([Paid("an old one", 19)], day="2026-02-19", account=other))
    assert (await read_bank_knowledge(bank, owner))["known_until"] == "2026-03-02T00:00:00Z"
    await import_statement(
        bank.client, build_camt_statement([Paid("the last one", 20)], day="2026-02-27", account=other)
    )
    assert (await read_bank_knowledge(bank, owner))["known_until"] == "2026-02-28T00:00:00Z"
    unknown = await bank.client.post("/v1/bank-accounts/DE1:close", {"reason": "given up"})
    assert (unknown.status_code, unknown.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize("number", ["19-2000145399/0800", "60-16-13 31926819"])
async def test_a_bank_account_that_has_no_iban_is_closed_by_what_the_bank_calls_it(bank: Bank, number: str) -> None:
    body = build_camt_statement([Paid("salary", 17)], day="2026-03-01").decode()
    await import_statement(
        bank.client, body.replace(f"<IBAN>{IBAN}</IBAN>", f"<Othr><Id>{number}</Id></Othr>").encode()
    )
    for written in (number, quote(number, safe="")):
        closed = await bank.client.post(f"/v1/bank-accounts/{written}:close", {"reason": "given up"})
        assert (closed.status_code, closed.json()["bank_account"]) == (200, number)


async def test_a_statement_with_an_entry_that_was_refused_says_nothing_new(bank: Bank) -> None:
    owner, _ = await bank.owes(1000)
    await import_statement(bank.client, build_camt_statement([Paid("salary", 17)], day="2026-02-27"))
    body = build_camt_statement([Paid("rent", 18), Paid("no day", 19, day="")], day="2026-02-28")
    made = await import_statement(bank.client, body.replace(b"<BookgDt><Dt></Dt></BookgDt>", b""))
    assert made["entries"] == {"certain": 0, "unmatched": 1, "kept": 0, "repeated": 0}
    assert made["refused"] == [{"place": 2, "bank_account": IBAN, "field": "BookgDt", "message": "missing"}]
    assert (await bank.client.got("/v1/bank-imports/latest"))["refused"] == made["refused"]
    assert (await read_bank_knowledge(bank, owner))["known_until"] == "2026-02-28T00:00:00Z"
    (row,) = await bank.database.rows(
        "SELECT data FROM invoicing.outbox WHERE subject = $1 AND type = $2", made["id"], BankStatementImported.type()
    )
    assert BankStatementImported.model_validate_json(row["data"]).unreadable_entries == 1
    many = build_camt_statement([Paid("no day", amount, day="") for amount in range(101)], day="2026-02-28")
    answer = await send(bank.client, many.replace(b"<BookgDt><Dt></Dt></BookgDt>", b""))
    assert (answer.status_code, answer.json()["code"]) == (422, "statement_refused")
    await import_statement(bank.client, build_camt_statement([Paid("rent", 20)], day="2026-02-28"))
    assert (await read_bank_knowledge(bank, owner))["known_until"] == "2026-03-01T00:00:00Z"


async def test_nothing_is_known_of_payments_when_every_bank_account_is_closed(bank: Bank) -> None:
    owner, _ = await bank.owes(1000)
    await import_statement(bank.client, build_camt_statement([Paid("salary", 17)], day="2026-03-01"))
    await bank.client.post(f"/v1/bank-accounts/{IBAN}:close", {"reason": "given up"})
    assert (await read_bank_knowledge(bank, owner))["known_until"] is None


async def test_statements_of_one_day_each_say_more(bank: Bank) -> None:
    owner, _ = await bank.owes(1000)
    for _ in range(2):
        now = await bank.database.move(hours=1)
        await import_statement(bank.client, build_camt_statement([Paid("salary", 17)], day="2026-03-02"))
        assert (await read_bank_knowledge(bank, owner))["known_until"] == now.isoformat().replace("+00:00", "Z")


async def test_of_several_statements_of_an_account_in_one_file_the_newest_counts(bank: Bank) -> None:
    owner, _ = await bank.owes(1000)
    newer, older = (build_camt_statement([Paid("salary", 17)], day=day) for day in ("2026-02-28", "2026-02-20"))
    statement = older[older.index(b"<Stmt>") : older.index(b"</BkToCstmrStmt>")]
    await import_statement(bank.client, newer.replace(b"</BkToCstmrStmt>", statement + b"</BkToCstmrStmt>"))
    assert (await read_bank_knowledge(bank, owner))["known_until"] == "2026-03-01T00:00:00Z"


async def test_a_receipt_that_is_proposed_for_the_account_is_in_question_until_decided(bank: Bank) -> None:
    owner, (issued,) = await bank.owes(1000)
    other, _ = await bank.owes(2000)
    await bank.take(Paid(issued["number"], 1001))
    assert (await in_question(bank, owner), await in_question(bank, other)) == (1, 0)
    (entry,) = await bank.entries(state="unmatched")
    assert (await read_bank_knowledge(bank, owner))["undecided_entries"] == [entry["id"]]
    await bank.client.create(f"/v1/bank-entries/{entry['id']}:ignore", {"reason": "sent back by the bank"})
    assert await in_question(bank, owner) == 0


async def test_so_is_one_of_just_what_is_open_though_too_many_have_it_in_common(bank: Bank) -> None:
    owners = [(await bank.owes(5000, 300, name="Everyone Ltd"))[0] for _ in range(6)]
    for amount in (5000, 5300, 301):
        await bank.take(Paid("thanks", amount, payer="Everyone Ltd"))
    assert all(entry["proposals"] == [] for entry in await bank.entries())
    assert [await in_question(bank, owner) for owner in owners] == [2] * 6


async def test_amounts_of_another_currency_and_money_that_left_are_not(bank: Bank) -> None:
    owner, _ = await bank.owes(5000, currency="USD")
    await bank.take(Paid("thanks", 5000))
    other, _ = await bank.owes(700)
    await bank.take(Paid("our rent", 700, direction="DBIT"))
    assert (await in_question(bank, owner), await in_question(bank, other)) == (0, 0)


async def test_one_that_is_certain_counts_until_it_is_booked(bank: Bank) -> None:
    owner, (issued,) = await bank.owes(1000)
    await import_statement(bank.client, build_camt_statement([Paid(issued["number"], 400)]))
    assert await in_question(bank, owner) == 1
    await bank.take(Paid("something else", 17))
    assert await in_question(bank, owner) == 0


async def test_nobody_knows_an_account_that_there_is_not(bank: Bank) -> None:
    answer = await bank.client.get("/v1/accounts/01a20d60-7458-729b-b244-54f33ab0c1d2/bank-knowledge")
    assert answer.status_code == 404
