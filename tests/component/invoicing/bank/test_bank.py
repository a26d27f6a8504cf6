"""Bank statements on real Postgres, over REST: each entry once, what is certain is booked, the rest waits."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import orjson
import pytest

from deploy.local.tokens import SigningKeyPair
from shared.events.invoicing import BankStatementImported
from shared.persistence import outbox
from shared.process.runtime import Runtime
from shared.pure.payment_references import build_creditor_reference, group_by_four
from tests.builders import Client, Database, account, invoice, running, sweep
from tests.component.bank_statements import Paid, build_camt_statement, import_statement, send

UNTOUCHED = "SELECT count(*) FROM invoicing.payments"


@dataclass
class Bank:
    """Invoicing, and what a test asks of it."""

    runtime: Runtime
    client: Client
    database: Database

    async def owes(self, *amounts: int, **more: Any) -> tuple[str, list[dict[str, Any]]]:
        """A new account with an invoice for each amount."""
        owner = str((await self.client.create("/v1/accounts", account(**more)))["id"])
        currency = {"currency": more["currency"]} if "currency" in more else {}
        bodies = [invoice(owner, amount) for amount in amounts]
        for body in bodies:
            for line in body["lines"]:
                line["amount"] |= currency
        return owner, [await self.client.create("/v1/invoices", body) for body in bodies]

    async def take(self, *entries: Paid | str, **more: str) -> dict[str, Any]:
        """Import a statement, and let what is certain be booked; the import as it is then."""
        made = await import_statement(self.client, build_camt_statement(entries, **more))
        await sweep(self.runtime)
        return await self.client.got("/v1/bank-imports/latest") | {"id": made["id"]}

    async def entries(self, **which: Any) -> list[dict[str, Any]]:
        """The entries of the first page."""
        return list((await self.client.got("/v1/bank-entries", **which))["items"])

    async def open(self, issued: dict[str, Any]) -> int:
        """Read what is open of an invoice."""
        return int((await self.client.got(f"/v1/invoices/{issued['id']}/balance"))["open_minor"])

    async def payments(self) -> int:
        """How many payments there are."""
        return int(await self.database.value(UNTOUCHED))


@pytest.fixture
async def bank(database: Database, keys: SigningKeyPair, jwks_file: Path) -> AsyncIterator[Bank]:
    async with running("invoicing", database, keys, jwks_file) as (runtime, client):
        yield Bank(runtime, client, database)


@pytest.mark.parametrize("version", ["02", "08", "13"])
async def test_an_entry_that_names_an_open_invoice_is_booked(bank: Bank, version: str) -> None:
    owner, (issued,) = await bank.owes(25_200)
    latest = await bank.take(Paid(f"Rechnung {issued['number']} danke", 25_200), version=version)
    assert latest["states"] == {"booked": 1}
    assert latest["closing_date"] == "2026-03-30"
    assert await bank.open(issued) == 0
    (entry,) = await bank.entries(state="booked")
    assert (entry["account_id"], entry["invoice_id"]) == (owner, issued["id"])
    payment = await bank.client.got(f"/v1/payments/{entry['payment_id']}")
    assert (payment["amount_minor"], payment["unapplied_minor"]) == (25_200, 0)
    assert payment["reference"] == f"bank entry {entry['id']}"


async def test_a_file_that_comes_again_changes_nothing_and_says_so(bank: Bank) -> None:
    _, (issued,) = await bank.owes(1000)
    body = build_camt_statement([Paid(issued["number"], 400), Paid("who knows", 17, reference=None)])
    first = await import_statement(bank.client, body)
    again = await import_statement(bank.client, body)
    assert (first["repeated"], again["repeated"], again["id"]) == (False, True, first["id"])
    assert first["entries"] == {"certain": 1, "unmatched": 1, "kept": 0, "repeated": 0}
    await sweep(bank.runtime)
    assert (await bank.open(issued), await bank.payments(), len(await bank.entries())) == (600, 1, 2)


async def test_files_that_overlap_bring_each_entry_once(bank: Bank) -> None:
    _, (issued,) = await bank.owes(1000)
    monday = [Paid(issued["number"], 400), Paid("who knows", 17, reference=None, day="2026-03-29")]
    await bank.take(*monday)
    tuesday = Paid(issued["number"], 100)
    latest = await bank.take(*monday, tuesday, day="2026-03-31")
    assert latest["entries"] == {"certain": 1, "unmatched": 0, "kept": 0, "repeated": 2}
    assert (await bank.open(issued), len(await bank.entries())) == (500, 3)


async def test_equal_entries_in_one_statement_are_two(bank: Bank) -> None:
    _, (issued,) = await bank.owes(1000)
    twin = Paid(issued["number"], 300, reference=None)
    latest = await bank.take(twin, twin)
    assert latest["states"] == {"booked": 2}
    assert await bank.open(issued) == 400
    latest = await bank.take(twin, twin, day="2026-03-31")
    assert (latest["entries"]["repeated"], await bank.open(issued)) == (2, 400)


async def test_imports_at_once_take_each_entry_once(bank: Bank) -> None:
    _, (issued,) = await bank.owes(1000)
    same = [Paid(issued["number"], 100, reference=f"B-{n}") for n in range(5)]
    bodies = [build_camt_statement(same, day=f"2026-03-{day}") for day in range(20, 24)]
    made = await asyncio.gather(*(import_statement(bank.client, body) for body in (*bodies, *bodies)))
    assert sorted(bank_import["entries"]["certain"] for bank_import in made if not bank_import["repeated"]) == [
        0,
        0,
        0,
        5,
    ]
    assert sum(bank_import["repeated"] for bank_import in made) == 4
    await asyncio.gather(*(sweep(bank.runtime) for _ in range(3)))
    assert (await bank.open(issued), await bank.payments()) == (500, 5)


BROKEN = {
    "status": ("<Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>2026-03-29", "<BookgDt><Dt>2026-03-29", "entry 2: Sts"),
    "amount": ('<Amt Ccy="EUR">4.00</Amt>', '<Amt Ccy="EUR">4,00</Amt>', "entry 2: amount: '4,00' is no amount"),
    "decimals": ('<Amt Ccy="EUR">4.00</Amt>', '<Amt Ccy="EUR">4.001</Amt>', "entry 2: amount: '4.001' has more"),
    "currency": ('<Amt Ccy="EUR">4.00', '<Amt Ccy="XXQ">4.00', "entry 2: currency: not an ISO 4217 currency"),
    "date": ("<Dt>2026-03-29</Dt>", "<Dt>2026-02-30</Dt>", "entry 2: BookgDt: not a date"),
    "direction": ("<CdtDbtInd>CRDT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>2026-03-29", None, "entry 2"),
    "end": ("</Stmt>", "", "the statement: document: not well-formed XML"),
    "kind": ("BkToCstmrStmt", "BkToCstmrDbtCdtNtfctn", "not well-formed"),
    "account": ("<Acct>", "<Akkt>", "not well-formed"),
}


@pytest.mark.parametrize("broken", BROKEN)
async def test_a_broken_statement_leaves_nothing(bank: Bank, broken: str) -> None:
    _, (issued,) = await bank.owes(1000)
    good, wrong, message = BROKEN[broken]
    body = build_camt_statement([Paid(issued["number"], 100), Paid("of March", 400, day="2026-03-29")]).decode()
    assert good in body
    wrong = good.replace("CRDT", "CREDIT") if wrong is None else wrong
    answer = await send(bank.client, body.replace(good, wrong, 1).encode())
    assert (answer.status_code, answer.json()["code"]) == (422, "statement_refused")
    assert message in answer.json()["detail"]
    assert answer.json()["errors"]
    await sweep(bank.runtime)
    assert (await bank.entries(), await bank.payments()) == ([], 0)
    assert (await bank.client.get("/v1/bank-imports/latest")).status_code == 404


async def test_a_document_type_is_refused_before_it_declares_anything(bank: Bank) -> None:
    bomb = '<!DOCTYPE Document [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    for doctype in (bomb, '<!DOCTYPE Document SYSTEM "file:///etc/hostname">'):
        body = build_camt_statement([Paid("&b;", 100)]).replace(b"?>", b"?>" + doctype.encode(), 1)
        answer = await send(bank.client, body)
        assert (answer.status_code, answer.json()["code"]) == (422, "statement_refused")
        assert "DTD" in answer.json()["detail"]


async def test_a_part_is_booked_and_the_rest_stays_open(bank: Bank) -> None:
    _, (issued,) = await bank.owes(1000)
    latest = await bank.take(Paid(f"RE {issued['number'].replace('-', ' ').lower()}", 250))
    assert (latest["states"], await bank.open(issued)) == ({"booked": 1}, 750)


async def test_what_is_more_than_the_account_owes_waits_and_the_rest_becomes_unapplied_cash(bank: Bank) -> None:
    owner, (issued,) = await bank.owes(1000)
    latest = await bank.take(Paid(issued["number"], 1001))
    assert (latest["states"], await bank.payments()) == ({"unmatched": 1}, 0)
    (entry,) = await bank.entries(state="unmatched")
    assert (entry["proposals"][0]["invoice_id"], entry["proposals"][0]["score"]) == (issued["id"], 60)
    body = {"account_id": owner, "invoice_id": issued["id"], "reason": "the customer has overpaid"}
    booked = await bank.client.create(f"/v1/bank-entries/{entry['id']}:book", body)
    assert (booked["state"], booked["reason"]) == ("booked", "the customer has overpaid")
    payment = await bank.client.got(f"/v1/payments/{booked['payment_id']}")
    assert (payment["unapplied_minor"], await bank.open(issued)) == (1, 0)


async def test_an_amount_of_dinars_has_two_decimals(bank: Bank) -> None:
    _, (issued,) = await bank.owes(123_400, currency="RSD")
    entry = Paid(issued["number"], 123_400, currency="RSD")
    assert '<Amt Ccy="RSD">1234.00</Amt>' in entry.xml()
    assert (await bank.take(entry))["states"] == {"booked": 1}
    assert await bank.open(issued) == 0


async def test_a_transfer_that_names_two_of_three_invoices_is_booked_by_its_remittance(bank: Bank) -> None:
    owner, (first, second, third) = await bank.owes(1000, 2000, 4000)
    await bank.take(Paid(f"{second['number']} {third['number']}", 6000))
    (entry,) = await bank.entries(state="unmatched")
    path = f"/v1/bank-entries/{entry['id']}:book"
    advice = [{"number": second["number"], "amount_minor": 2000}, {"number": third["number"], "amount_minor": 4000}]
    body = {"account_id": owner, "remittance": advice, "reason": "as the text says"}
    both = await bank.client.post(path, body | {"invoice_id": first["id"]})
    assert (both.status_code, both.json()["code"]) == (422, "invalid")
    more = await bank.client.post(path, body | {"remittance": [{"number": second["number"], "amount_minor": 2001}]})
    assert (more.status_code, more.json()["code"]) == (409, "amount_refused")
    unknown = await bank.client.post(path, body | {"remittance": [{"number": "GS-DE-99999999", "amount_minor": 1}]})
    assert (unknown.status_code, unknown.json()["code"]) == (404, "not_found")
    booked = await bank.client.create(path, body)
    assert (booked["state"], booked["account_id"], booked["invoice_id"]) == ("booked", owner, None)
    assert [await bank.open(issued) for issued in (first, second, third)] == [1000, 0, 0]


async def test_another_currency_waits(bank: Bank) -> None:
    owner, (issued,) = await bank.owes(1000, currency="USD")
    latest = await bank.take(Paid(issued["number"], 1000))
    assert latest["states"] == {"unmatched": 1}
    (entry,) = await bank.entries()
    assert entry["proposals"][0]["reasons"] == ["invoice_number", "other_currency"]
    body = {"account_id": owner, "reason": "it must be this one"}
    refused = await bank.client.post(f"/v1/bank-entries/{entry['id']}:book", body)
    assert (refused.status_code, refused.json()["code"]) == (422, "currency_mismatch")
    assert (await bank.client.got(f"/v1/bank-entries/{entry['id']}"))["state"] == "unmatched"


async def test_what_was_paid_before_it_is_booked_waits_after_all(bank: Bank) -> None:
    owner, (issued,) = await bank.owes(1000)
    await import_statement(bank.client, build_camt_statement([Paid(issued["number"], 1000)]))
    await bank.client.create("/v1/payments", {"account_id": owner, "amount": {"amount_minor": 1000, "currency": "EUR"}})
    await sweep(bank.runtime)
    (entry,) = await bank.entries()
    assert (entry["state"], entry["account_id"], await bank.payments()) == ("unmatched", None, 1)
    assert entry["proposals"][0]["invoice_id"] == issued["id"]


async def test_more_of_one_invoice_than_is_open_is_not_booked_twice(bank: Bank) -> None:
    _, (issued,) = await bank.owes(1000)
    latest = await bank.take(Paid(issued["number"], 1000), Paid(issued["number"], 1000))
    assert latest["entries"]["certain"] == 2
    assert latest["states"] == {"booked": 1, "unmatched": 1}


async def test_proposals_by_amount_name_and_all_that_is_open(bank: Bank) -> None:
    alpha, (first, second) = await bank.owes(3100, 4200, name="Müller & Söhne GmbH")
    beta, (third,) = await bank.owes(7300, name="Beta AG")
    await bank.take(Paid("thanks", 7300, payer="MUELLER UND SOEHNE"))
    (entry,) = await bank.entries()
    proposals = [
        (proposal["account_id"], proposal["invoice_id"], proposal["score"], proposal["reasons"])
        for proposal in entry["proposals"]
    ]
    assert proposals[:2] == [
        (alpha, None, 35, ["all_open_of_account", "payer_name"]),
        (beta, third["id"], 25, ["amount_of_invoice"]),
    ]
    await bank.take(Paid(f"{first['number']} and {second['number']}", 7300))
    (_, entry) = await bank.entries()
    assert entry["state"] == "unmatched"
    assert (entry["proposals"][0]["account_id"], entry["proposals"][0]["reasons"]) == (alpha, ["sum_of_named_invoices"])


async def test_what_many_have_in_common_is_no_reason(bank: Bank) -> None:
    for _ in range(6):
        await bank.owes(5000, name="Everyone Ltd")
    await bank.take(Paid("thanks", 5000, payer="Everyone Ltd"))
    (entry,) = await bank.entries()
    assert entry["proposals"] == []


async def test_money_that_left_is_kept_and_what_is_taken_back_waits(bank: Bank) -> None:
    _, (issued,) = await bank.owes(1000)
    number = issued["number"]
    latest = await bank.take(
        Paid(number, 100, direction="DBIT"),
        Paid(number, 200, direction="DBIT", details="<RtrInf><Rsn><Cd>AC04</Cd></Rsn></RtrInf>"),
        Paid(number, 300, more="<RvslInd>true</RvslInd>"),
        Paid(number, 400, status="PDNG"),
    )
    assert latest["states"] == {"kept": 1, "unmatched": 2}
    assert await bank.open(issued) == 1000
    for entry in await bank.entries(state="unmatched"):
        owner = (await bank.client.got(f"/v1/invoices/{issued['id']}"))["account_id"]
        path = f"/v1/bank-entries/{entry['id']}"
        refused = await bank.client.post(f"{path}:book", {"account_id": owner, "reason": "looks like one"})
        assert (refused.status_code, refused.json()["code"]) == (409, "not_a_receipt")
        assert (await bank.client.create(f"{path}:ignore", {"reason": "reversed by hand"}))["state"] == "ignored"


async def test_a_collective_entry_is_split_where_the_bank_tells_the_amounts(bank: Bank) -> None:
    _, issued = await bank.owes(1000, 2000)
    parts = [
        f'<TxDtls><Amt Ccy="EUR">{euros}.00</Amt><RmtInf><Ustrd>{invoice["number"]}</Ustrd></RmtInf></TxDtls>'
        for euros, invoice in zip((10, 20), issued, strict=True)
    ]
    whole = Paid("", 3000).xml().replace("<TxDtls>", "<!--").replace("</TxDtls>", "-->")
    start, _, end = whole.partition("<!--")
    entry = start + "".join(parts) + end.partition("-->")[2]
    untold = entry.replace('<Amt Ccy="EUR">10.00</Amt><RmtInf>', "<RmtInf>").replace("<AcctSvcrRef>", "<AcctSvcrRef>x")
    one_named = untold.replace(issued[1]["number"], "somebody else's")
    assert (await bank.take(one_named))["entries"]["unmatched"] == 1
    assert (await bank.take(entry))["states"] == {"booked": 2}


async def test_parts_of_a_batch_whose_text_names_an_invoice_are_not_booked_for_it(bank: Bank) -> None:
    _, (issued,) = await bank.owes(50_000)
    whole = Paid("", 25_000).xml()
    details = "".join(f'<TxDtls><Amt Ccy="EUR">{euros}.00</Amt></TxDtls>' for euros in (100, 150))
    start = whole[: whole.index("<TxDtls>")]
    about_all = f"<AddtlNtryInf>{issued['number']}</AddtlNtryInf>"
    latest = await bank.take(f"{start}{details}</NtryDtls>{about_all}</Ntry>")
    assert (latest["states"], await bank.open(issued)) == ({"unmatched": 2}, 50_000)


@pytest.mark.parametrize("is_structured", [True, False])
async def test_the_reference_that_we_print_is_booked_like_the_number(bank: Bank, is_structured: bool) -> None:
    _, (issued, other) = await bank.owes(1000, 2000)
    reference = build_creditor_reference(issued["number"])
    assert reference is not None
    entry = Paid("" if is_structured else f"SVWZ+{reference.lower()}", 1000)
    if is_structured:
        details = f"<RmtInf><Strd><CdtrRefInf><Ref>{reference}</Ref></CdtrRefInf></Strd></RmtInf>"
        entry = replace(entry, details=details)
    assert (await bank.take(entry))["states"] == {"booked": 1}
    assert (await bank.open(issued), await bank.open(other)) == (0, 2000)


async def test_a_printed_reference_with_wrong_check_digits_is_a_doubt(bank: Bank) -> None:
    _, (issued,) = await bank.owes(1000)
    reference = build_creditor_reference(issued["number"])
    assert reference is not None
    digits = int(reference[2:4])
    wrong = f"RF{digits % 90 + 1:02d}{reference[4:]}"
    assert (await bank.take(Paid(wrong, 1000), Paid(group_by_four(wrong), 1000)))["states"] == {"unmatched": 2}
    for entry in await bank.entries():
        assert entry["proposals"][0]["reasons"] == ["wrong_check_digits", "amount_of_invoice"]
        assert (entry["proposals"][0]["invoice_id"], entry["proposals"][0]["score"]) == (issued["id"], 65)


async def test_a_decision_is_made_once_also_by_two_at_once(bank: Bank) -> None:
    owners = [(await bank.owes(1000))[0] for _ in range(4)]
    await bank.take(Paid("whose is it", 700))
    (entry,) = await bank.entries()
    path = f"/v1/bank-entries/{entry['id']}"
    answers = await asyncio.gather(
        *(bank.client.post(f"{path}:book", {"account_id": owner, "reason": "mine"}) for owner in owners),
        bank.client.post(f"{path}:ignore", {"reason": "nobody's"}),
    )
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409, 409]
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} == {"move_refused"}
    (entry,) = await bank.entries()
    assert await bank.payments() == (entry["state"] == "booked")


async def test_the_work_list_comes_in_pages(bank: Bank) -> None:
    await bank.take(*(Paid(f"payment {n}", 100 + n) for n in range(5)))
    seen: list[int] = []
    page: dict[str, Any] = {"next": None}
    while page["next"] is not None or not seen:
        more = {"after": page["next"]} if page["next"] else {}
        page = await bank.client.got("/v1/bank-entries", state="unmatched", limit=2, **more)
        seen += [item["amount_minor"] for item in page["items"]]
    assert seen == [100, 101, 102, 103, 104]


async def test_the_event_counts_and_names_nobody(bank: Bank) -> None:
    _, (issued,) = await bank.owes(1000)
    made = await bank.take(Paid(f"{issued['number']} secret", 1000, payer="Erika Muster"), Paid("secret", 5))
    (row,) = await bank.database.rows(
        "SELECT subject, data, headers FROM invoicing.outbox WHERE type = $1", BankStatementImported.type()
    )
    assert (row["subject"], orjson.loads(row["headers"])["ce_sequence"]) == (made["id"], "1")
    assert BankStatementImported.model_validate_json(row["data"]).entries == {
        "certain": 1,
        "unmatched": 1,
        "kept": 0,
        "repeated": 0,
    }
    rows = await bank.database.rows("SELECT data, headers FROM invoicing.outbox")
    assert not any(word in f"{row['data']}{row['headers']}" for row in rows for word in ("secret", "Muster", "DE0212"))


GERMAN = {
    "bank_account": "DE02120300000000202051",
    "booked_on": "Buchungstag",
    "amount": "Betrag",
    "currency": "Währung",
    "payer": "Name",
    "text": ["Verwendungszweck"],
    "decimal_separator": ",",
    "date_format": "%d.%m.%Y",
    "delimiter": ";",
    "encoding": "iso-8859-1",
}


async def put(bank: Bank, **more: Any) -> None:
    """Keep the mapping `german`."""
    answer = await bank.client.http.put("/v1/bank-mappings/german", json=GERMAN | more, headers=bank.client.headers)
    assert answer.status_code == 200, answer.text


async def test_csv_with_german_numbers(bank: Bank) -> None:
    await put(bank)
    owner, (issued,) = await bank.owes(123_456_789, name="Müller GmbH")
    body = (
        "Buchungstag;Betrag;Währung;Name;Verwendungszweck\n"
        f'30.03.2026;1.234.567,89;EUR;Müller GmbH;"Rechnung; {issued["number"]}"\n'
        "31.03.2026;-12,50;EUR;Vendor;our own bill\n"
    ).encode("iso-8859-1")
    made = await import_statement(bank.client, body, "text/csv; charset=iso-8859-1", mapping="german")
    assert (made["closing_date"], made["format"]) == ("2026-03-31", "csv")
    await sweep(bank.runtime)
    (booked,) = await bank.entries(state="booked")
    assert (booked["account_id"], booked["amount_minor"], booked["payer"]) == (owner, 123_456_789, "Müller GmbH")
    assert await bank.open(issued) == 0
    (kept,) = await bank.entries(state="kept")
    assert (kept["amount_minor"], kept["is_credit"]) == (1250, False)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("30.03.2026;12.50;EUR;A;B", "entry 2: Betrag: not a number as the mapping says"),
        ("30/03/2026;12,50;EUR;A;B", "entry 2: booking date: not a date as the mapping says"),
        ("30.03.2026;12,50;EUR;A", "entry 2: row: has 4 fields"),
        ("30.03.2026;12,50;EURO;A;B", "entry 2: currency"),
        ('30.03.2026;12,50;EUR;A;"B', "entry 2: row"),
    ],
)
async def test_a_broken_row_leaves_nothing(bank: Bank, row: str, message: str) -> None:
    await put(bank)
    body = f"Buchungstag;Betrag;Währung;Name;Verwendungszweck\n30.03.2026;1,00;EUR;A;B\n{row}"
    answer = await send(bank.client, body.encode("iso-8859-1"), "text/csv", mapping="german")
    assert (answer.status_code, message in answer.json()["detail"]) == (422, True), answer.json()
    assert await bank.entries() == []


async def test_a_sign_in_a_column_of_its_own(bank: Bank) -> None:
    await put(bank, sign="S/H", credit_signs=["H"], debit_signs=["S"], currency=None, fixed_currency="EUR")
    head = "Buchungstag;Betrag;S/H;Name;Verwendungszweck\n"
    body = f"{head}30.03.2026;5,00;H;A;B\n30.03.2026;6,00;S;A;B\n30.03.2026;7,00;H;A;B\n".encode("iso-8859-1")
    await import_statement(bank.client, body, "text/csv", mapping="german")
    amounts = [(entry["amount_minor"], entry["is_credit"]) for entry in await bank.entries()]
    assert amounts == [(500, True), (600, False), (700, True)]
    answer = await send(bank.client, f"{head}30.03.2026;5,00;?;A;B\n".encode(), "text/csv", mapping="german")
    assert (answer.status_code, "S/H" in answer.json()["detail"]) == (422, True)


async def test_what_is_no_statement_is_refused(bank: Bank) -> None:
    for kind, body, parameters, status in (
        ("application/json", b"{}", {}, 415),
        ("text/csv", b"a;b", {}, 422),
        ("text/csv", b"a;b", {"mapping": "unknown"}, 404),
        ("application/xml", build_camt_statement([]), {"mapping": "german"}, 422),
        ("application/xml", b"", {}, 422),
        ("application/xml", b"<Document/>", {}, 422),
    ):
        assert (await send(bank.client, body, kind, **parameters)).status_code == status
    assert (await bank.take())["states"] == {}


async def test_a_person_may_be_faster_than_the_sweep(bank: Bank) -> None:
    owner, (issued,) = await bank.owes(1000)
    other, _ = await bank.owes(1000)
    await import_statement(bank.client, build_camt_statement([Paid(issued["number"], 400)]))
    (entry,) = await bank.entries(state="certain")
    assert entry["account_id"] == owner
    await bank.client.create(f"/v1/bank-entries/{entry['id']}:book", {"account_id": other, "reason": "a wrong number"})
    await sweep(bank.runtime)
    (entry,) = await bank.entries()
    assert (entry["state"], entry["account_id"], entry["invoice_id"], await bank.payments()) == (
        "booked",
        other,
        None,
        1,
    )
    assert await bank.open(issued) == 1000


async def test_an_entry_that_is_refused_waits_and_the_others_are_booked(bank: Bank) -> None:
    _, (issued,) = await bank.owes(1000)
    await import_statement(
        bank.client, build_camt_statement([Paid(issued["number"], 400), Paid(issued["number"], 100)])
    )
    await bank.database.execute("UPDATE invoicing.bank_entries SET currency = 'USD' WHERE amount_minor = 400")
    await sweep(bank.runtime)
    assert [entry["state"] for entry in await bank.entries()] == ["unmatched", "booked"]
    assert await bank.open(issued) == 900


async def test_an_entry_whose_event_would_be_too_large_waits_and_the_others_are_booked(
    bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It pays so many lines that no event can name them all."""
    _, (named, *_) = await bank.owes(*[100] * 20)
    _, (other,) = await bank.owes(1000)
    monkeypatch.setattr(outbox, "MAX_EVENT_BYTES", 1500)
    latest = await bank.take(Paid(named["number"], 2000), Paid(other["number"], 1000))
    assert latest["states"] == {"booked": 1, "unmatched": 1}
    assert (await bank.open(named), await bank.open(other), await bank.payments()) == (100, 0, 1)


async def test_the_newest_import_says_how_fresh_the_knowledge_is(bank: Bank) -> None:
    await bank.take(Paid("of March", 100), day="2026-03-30")
    await bank.database.move(days=1)
    await bank.take(day="2026-03-31")
    latest = await bank.client.got("/v1/bank-imports/latest")
    assert (latest["closing_date"], latest["imported_at"], latest["states"]) == (
        "2026-03-31",
        "2026-03-03T09:00:00Z",
        {},
    )


async def test_what_is_certain_is_pending_work_until_it_is_booked(bank: Bank) -> None:
    """Whoever asks whether the system is idle sees it."""
    _, (issued,) = await bank.owes(1000)
    await import_statement(bank.client, build_camt_statement([Paid(issued["number"], 400), Paid("of March", 7)]))
    pending = "SELECT count(*) FROM invoicing.pending_work WHERE name = 'bank_entries'"
    assert await bank.database.value(pending) == 1
    await sweep(bank.runtime)
    assert await bank.database.value(pending) == 0
