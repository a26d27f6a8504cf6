"""Documents over REST on real Postgres: forms, words, refusals; and statements that agree with the balances."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from deploy.local.tokens import SigningKeyPair
from shared.events.collections import PolicyPublished
from tests.builders import Database, eur, hear, invoice, running
from tests.component.billing_world import Billing
from tests.component.collections.test_collections import Hop
from tests.component.documents_world import Papers, text


@pytest.fixture
async def papers(database: Database, keys: SigningKeyPair, jwks_file: Path) -> AsyncIterator[Papers]:
    async with running("invoicing", database, keys, jwks_file, public_url="https://pay.example") as (runtime, client):
        yield Papers(runtime, client, database, Hop())


async def bill_ten_seats(papers: Papers, **more: object) -> tuple[str, str]:
    """Bill an account ten seats in a bill run, and a change within the cycle; return it and the invoice."""
    billing = Billing(papers.runtime, papers.client, papers.database)
    await billing.rate()
    owner = await billing.account(**more)
    bought = await billing.buy(await billing.plan(), owner, start="2026-03-02")
    await billing.run()
    await billing.to("2026-03-17")
    await billing.change(bought, "quantity", quantity=12)
    await billing.run()
    rows = await papers.database.rows("SELECT id FROM invoicing.invoices ORDER BY number DESC LIMIT 1")
    return owner, str(rows[0]["id"])


async def test_a_document_names_the_characters_that_no_font_has(papers: Papers) -> None:
    await papers.seller()
    street = "ถนนสุขุมวิท"
    _, issued = await bill_ten_seats(papers, address=[street, "10110 Bangkok"])
    pdf = await papers.document(f"invoices/{issued}", "application/pdf")
    missing = " ".join(f"U+{ord(character):04X}" for character in sorted(set(street)))
    assert (pdf.status_code, pdf.headers["missing-characters"]) == (200, missing)
    assert "missing-characters" not in (await papers.document(f"invoices/{issued}", "text/html")).headers


async def test_an_invoice_as_pdf_and_as_page_says_what_the_law_wants(papers: Papers) -> None:
    await papers.seller()
    policy = PolicyPublished(policy_version=4, effective_date="2026-01-01", document={})
    await hear(papers.runtime, policy)
    _, issued = await bill_ten_seats(
        papers, language="de", address=["Hauptstraße 5", "80331 München"], tax_id="DE999999999"
    )
    pdf = await papers.document(f"invoices/{issued}", "application/pdf")
    assert (pdf.status_code, pdf.headers["content-type"]) == (200, "application/pdf")
    assert pdf.headers["content-disposition"] == 'attachment; filename="GS-DE-00000002.pdf"'
    assert "missing-characters" not in pdf.headers
    said = text(pdf.content)
    # 31 days from the 2nd; 16 of them from the 17th: 12 seats charged, 10 taken back, each truncated.
    for words in (
        "Rechnung GS-DE-00000002",
        "Goodstanding GmbH",
        "HRB 4711 B",
        "USt-IdNr. DE123456789",
        "Hauptstraße 5",
        "USt-IdNr. DE999999999",
        "17.03.2026 – 01.04.2026",
        "Menge Preis",
        "12 10,08 €",
        "für 16 von 31 Tagen",
        "62,43 €",
        "-52,02 €",
        "10,41 €",
        "USt. 19 % auf 10,41 €",
        "1,98 €",
        "12,39 €",
        "IBAN DE02 1203 0000 0000 2020 51",
        "https://pay.example/policy?version=4",
        "(Fassung 4)",
        "Seite 1 von 1",
    ):
        assert words in said, (words, said)
    page = await papers.document(f"invoices/{issued}", "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8")
    assert page.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "12,39\xa0€" in page.text


async def test_what_is_settled_is_shown_and_the_rest_is_to_be_paid(papers: Papers) -> None:
    await papers.seller()
    owner = await papers.account(external_reference="crm-4711")
    issued = (await papers.client.create("/v1/invoices", invoice(owner, 10_000)))["id"]
    await papers.pay(owner, 2_500)
    taken_back = await papers.pay(owner, 1_000)
    await papers.client.create(f"/v1/payments/{taken_back}:reverse", {"reason": "returned"})
    credit = await papers.credit(owner, issued, 700)
    page = (await papers.document(f"invoices/{issued}")).text
    for words in ("-€25.00", "-€7.00", "€68.00"):
        assert words in page
    assert "-€10.00" not in page
    note = text((await papers.document(f"credit-notes/{credit}", "application/pdf")).content)
    for words in (
        "Credit note GS-DE-CN-00000001",
        "For invoice GS-DE-00000001",
        "Reason Your dispute was accepted",
        "Customer no. crm-4711",
        "€7.00",
    ):
        assert words in note, note


async def test_the_tax_of_credit_notes_is_that_of_their_share(papers: Papers) -> None:
    await papers.seller()
    owner, issued = await bill_ten_seats(papers)
    first = str(await papers.database.value("SELECT id FROM invoicing.invoices ORDER BY number LIMIT 1"))
    assert first != issued
    notes = [await papers.credit(owner, first, 3_336) for _ in range(2)]
    # Of 119.95 the tax is 19.15; of the first 33.36 it is 5.325…, of both it is 10.651…, each cut off.
    for note, said in zip(notes, [("€28.04", "€5.32"), ("€28.03", "€5.33")], strict=True):
        page = (await papers.document(f"credit-notes/{note}")).text
        for words in (*said, "€33.36"):
            assert words in page


@pytest.mark.parametrize(
    ("accept", "parameters", "status", "kind"),
    [
        ("*/*", {}, 200, "application/pdf"),
        ("text/html;q=0.1, application/pdf;q=0.9", {}, 200, "application/pdf"),
        ("application/pdf;q=0, text/*", {}, 200, "text/html; charset=utf-8"),
        ("image/png", {"format": "html"}, 200, "text/html; charset=utf-8"),
        ("image/png", {}, 406, "application/problem+json"),
        ("text/html;q=0", {}, 406, "application/problem+json"),
        ("text/html;q=much", {}, 406, "application/problem+json"),
    ],
)
async def test_the_form_is_the_one_that_is_accepted(
    papers: Papers, accept: str, parameters: dict[str, str], status: int, kind: str
) -> None:
    await papers.seller()
    owner = await papers.account()
    issued = (await papers.client.create("/v1/invoices", invoice(owner)))["id"]
    answer = await papers.document(f"invoices/{issued}", accept, **parameters)
    assert (answer.status_code, answer.headers["content-type"]) == (status, kind)


async def test_without_a_seller_or_an_invoice_there_is_no_document(papers: Papers) -> None:
    owner = await papers.account()
    issued = (await papers.client.create("/v1/invoices", invoice(owner)))["id"]
    answer = await papers.document(f"invoices/{issued}")
    assert (answer.status_code, answer.json()["code"]) == (409, "seller_unknown")
    assert (await papers.document(f"accounts/{owner}/statement", **{"from": "2026-03-01", "to": "2026-03-31"})).json()[
        "code"
    ] == "seller_unknown"
    await papers.seller()
    assert (await papers.document(f"invoices/{owner}")).status_code == 404
    assert (await papers.document(f"credit-notes/{issued}")).status_code == 404
    billing = Billing(papers.runtime, papers.client, papers.database)
    await billing.rate()
    await billing.buy(await billing.plan(), await billing.account(), start="2026-03-02")
    await billing.run(at_once=False)
    draft = await papers.database.value("SELECT id FROM invoicing.drafts")
    answer = await papers.document(f"invoices/{draft}")
    assert (answer.status_code, answer.json()["code"]) == (409, "not_issued")


async def test_a_document_stays_as_it_was_drawn_up(papers: Papers) -> None:
    await papers.seller()
    owner = await papers.account(name="Before", tax_status="reverse_charge")
    issued = (await papers.client.create("/v1/invoices", invoice(owner)))["id"]
    first = (await papers.document(f"invoices/{issued}")).text
    assert "Reverse charge" in first
    change = {"name": "After", "billing_email": "a@b.example", "terms_days": 1, "language": "de"}
    headers = papers.client.headers | {"if-match": '"1"'}
    assert (await papers.client.http.patch(f"/v1/accounts/{owner}", json=change, headers=headers)).status_code == 200
    assert (await papers.seller('"1"', name="Another GmbH")).status_code == 200
    assert (await papers.document(f"invoices/{issued}")).text == first


async def test_a_document_names_us_and_the_customer_as_they_were_when_it_was_issued(papers: Papers) -> None:
    await papers.seller(name="First GmbH")
    owner = await papers.account(name="First customer", address=["First street 1"])
    issued = (await papers.client.create("/v1/invoices", invoice(owner, 10_000)))["id"]
    note = await papers.credit(owner, issued, 700)
    for version, name in (("1", "Second"), ("2", "Third")):
        await papers.database.move(days=1)
        account = await papers.client.got(f"/v1/accounts/{owner}")
        change = {"name": f"{name} customer", "billing_email": account["billing_email"], "terms_days": 30}
        headers = papers.client.headers | {"if-match": f'"{version}"'}
        changed = await papers.client.http.patch(f"/v1/accounts/{owner}", json=change, headers=headers)
        assert changed.status_code == 200
        assert (await papers.seller(f'"{version}"', name=f"{name} GmbH")).status_code == 200
        if name == "Second":
            between = (await papers.client.create("/v1/invoices", invoice(owner, 5_000)))["id"]
    said = {f"invoices/{issued}": "First", f"credit-notes/{note}": "First", f"invoices/{between}": "Second"}
    for path, name in said.items():
        page = (await papers.document(path)).text
        assert [name in page for name in ("First customer", "Second customer", "Third customer")].count(True) == 1
        assert f"{name} customer" in page
        assert f"{name} GmbH" in page
    statement = await papers.document(f"accounts/{owner}/statement", **{"from": "2026-03-01", "to": "2026-03-05"})
    assert "Third customer" in statement.text


async def test_what_was_issued_before_anything_was_said_of_us_names_what_was_said_first(papers: Papers) -> None:
    issued = (await papers.client.create("/v1/invoices", invoice(await papers.account(), 10_000)))["id"]
    await papers.database.move(days=1)
    await papers.seller(name="First GmbH")
    await papers.database.move(days=1)
    await papers.seller('"1"', name="Second GmbH")
    assert "First GmbH" in (await papers.document(f"invoices/{issued}")).text


async def test_the_data_of_a_legal_entity_are_changed_by_version(papers: Papers) -> None:
    assert (await papers.client.get("/v1/legal-entities/GS-DE")).status_code == 404
    assert (await papers.seller('"1"')).json()["code"] == "stale"
    assert (await papers.seller()).json()["version"] == 1
    assert (await papers.seller()).json()["code"] == "if_match_missing"
    assert (await papers.seller('"2"')).json()["code"] == "stale"
    changed = await papers.seller('"1"', bank_name="Another bank")
    assert (changed.json()["version"], changed.headers["etag"]) == (2, '"2"')
    wrong = await papers.seller('"2"', iban="DE03120300000000202051")
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (422, "iban")


async def test_a_statement_tells_every_fact_with_the_balance_after_it(papers: Papers) -> None:
    await papers.seller()
    owner = await papers.account(time_zone="Europe/Berlin", language="fr", terms_days=10)
    first = (await papers.client.create("/v1/invoices", invoice(owner, 10_000)))["id"]
    await papers.database.move(days=30)
    paid = await papers.pay(owner, 12_000, reference="thanks")
    await papers.client.create("/v1/invoices", invoice(owner, 5_000))
    await papers.database.move(days=1)
    await papers.client.create(f"/v1/payments/{paid}:reverse", {"reason": "returned"})
    await papers.credit(owner, first, 1_000)
    path = f"accounts/{owner}/statement"
    statement = await papers.client.got(f"/v1/{path}", **{"from": "2026-04-01", "to": "2026-04-02"})
    (euro,) = statement["balances"]
    assert (euro["opening_minor"], euro["closing_minor"], euro["unapplied_minor"]) == (10_000, 14_000, 0)
    assert [
        (entry["occurred_on"], entry["kind"], entry["reference"], entry["amount_minor"], entry["balance_minor"])
        for entry in euro["entries"]
    ] == [
        ("2026-04-01", "payment", "thanks", -12_000, -2_000),
        ("2026-04-01", "invoice", "GS-DE-00000002", 5_000, 3_000),
        ("2026-04-02", "reversal", "thanks", 12_000, 15_000),
        ("2026-04-02", "credit_note", "GS-DE-CN-00000001", -1_000, 14_000),
    ]
    assert [
        (open_item["number"], open_item["open_minor"], open_item["age_bucket"]) for open_item in euro["open_items"]
    ] == [
        ("GS-DE-00000001", 9_000, "1-30"),
        ("GS-DE-00000002", 5_000, "current"),
    ]
    before = (await papers.client.got(f"/v1/{path}", **{"from": "2026-03-01", "to": "2026-04-01"}))["balances"][0]
    assert (before["opening_minor"], before["closing_minor"], before["unapplied_minor"]) == (0, 3_000, 0)
    pdf = text((await papers.document(path, "application/pdf", **{"from": "2026-04-01", "to": "2026-04-02"})).content)
    for words in ("Relevé de compte", "Solde final", "140,00 €", "Avoir GS-DE-CN-00000001", "1-30 jours de retard"):
        assert words in pdf, pdf
    wrong = await papers.client.get(f"/v1/{path}", **{"from": "2026-04-02", "to": "2026-04-01"})
    assert (wrong.status_code, wrong.json()["code"]) == (422, "dates_refused")


async def let_lead_decide(papers: Papers) -> None:
    """Let the role `lead` write off what tests issue, without a second person."""
    limit = {"amount_minor": 10**9, "reason": "the board"}
    answer = await papers.client.http.put("/v1/approval-limits/lead/EUR", json=limit, headers=papers.client.headers)
    assert answer.status_code in (200, 202)


async def write_off_rest(papers: Papers, invoice_id: str) -> int:
    """Write off what is open of an invoice; return how much that was."""
    open_minor = int((await papers.client.got(f"/v1/invoices/{invoice_id}/balance"))["open_minor"])
    if open_minor:
        body = {"invoice_id": invoice_id, "reason_code": "insolvency", "reason": "filed"}
        written_off = await papers.client.somebody(roles="lead").create("/v1/write-offs", body)
        assert written_off["state"] == "carried_out"
    return open_minor


FACTS = st.lists(
    st.tuples(
        st.sampled_from(["invoice", "pay", "reverse", "credit", "write_off"]), st.integers(1, 5_000), st.integers(0, 40)
    ),
    min_size=1,
    max_size=14,
)


@settings(max_examples=6, phases=[Phase.generate], suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(facts=FACTS)
async def test_the_closing_balance_is_what_is_open_less_what_is_unapplied(
    papers: Papers, facts: list[tuple[str, int, int]]
) -> None:
    """At the end, against the balances; and at each day before, against a plain sum of the facts."""
    owner, issued, paid, owed = await papers.account(), list[str](), list[tuple[str, int]](), 0
    begin, by_day = papers.database.now.date(), {}
    await let_lead_decide(papers)
    for kind, amount, days in facts:
        await papers.database.move(days=days)
        if kind == "invoice":
            issued.append((await papers.client.create("/v1/invoices", invoice(owner, amount)))["id"])
            owed += amount
        elif kind == "pay":
            paid.append((await papers.pay(owner, amount), amount))
            owed -= amount
        elif kind == "reverse" and paid:
            taken, minor = paid.pop()
            await papers.client.create(f"/v1/payments/{taken}:reverse", {"reason": "returned"})
            owed += minor
        elif kind == "credit" and issued:
            open_minor = (await papers.client.got(f"/v1/invoices/{issued[-1]}/balance"))["open_minor"]
            if open_minor >= amount:
                await papers.credit(owner, issued[-1], amount)
                owed -= amount
        elif kind == "write_off" and issued:
            owed -= await write_off_rest(papers, issued[-1])
        by_day[papers.database.now.date()] = owed
    for day, wanted in by_day.items():
        statement = await papers.client.got(f"/v1/accounts/{owner}/statement", **{"from": str(begin), "to": str(day)})
        for balance in statement["balances"]:
            assert balance["closing_minor"] == wanted
            assert sum(item["open_minor"] for item in balance["open_items"]) - balance["unapplied_minor"] == wanted
            assert sum(balance["ageing_minor"].values()) == sum(item["open_minor"] for item in balance["open_items"])
    balances = [await papers.client.got(f"/v1/invoices/{invoice_id}/balance") for invoice_id in issued]
    unapplied = [(await papers.client.got(f"/v1/payments/{payment_id}"))["unapplied_minor"] for payment_id, _ in paid]
    assert sum(balance["open_minor"] for balance in balances) - sum(unapplied) == owed


async def test_nobody_is_paid_in_two_currencies_on_one_line(papers: Papers) -> None:
    await papers.seller()
    owner = await papers.account(currency="JPY", language="de")
    body = invoice(owner, 1650)
    body["lines"][0]["amount"] = {"amount_minor": 1650, "currency": "JPY"}
    issued = (await papers.client.create("/v1/invoices", body))["id"]
    page = (await papers.document(f"invoices/{issued}")).text
    assert "1.650\xa0¥" in page
    assert eur(1)["currency"] not in page


async def test_a_document_links_the_policy_of_the_day_on_which_its_invoice_was_recorded(papers: Papers) -> None:
    """Recorded on 2 March at 23:30 UTC, which is the 3rd in Berlin; its date lies in February."""
    await papers.seller()
    await papers.database.move(datetime(2026, 3, 2, 23, 30, tzinfo=UTC))
    for version, effective_date in ((4, "2026-01-01"), (5, "2026-03-03"), (6, "2026-03-04")):
        await hear(
            papers.runtime,
            PolicyPublished(policy_version=version, effective_date=effective_date, document={}),
            sequence=version - 3,
        )
    owner = await papers.account(time_zone="Europe/Berlin")
    recorded = (await papers.client.create("/v1/invoices", invoice(owner, issue_date="2026-02-01")))["id"]
    assert "https://pay.example/policy?version=5" in (await papers.document(f"invoices/{recorded}")).text


async def test_before_the_first_version_takes_effect_a_document_links_that_one(papers: Papers) -> None:
    await papers.seller()
    await hear(papers.runtime, PolicyPublished(policy_version=1, effective_date="2026-09-01", document={}))
    owner = await papers.account()
    recorded = (await papers.client.create("/v1/invoices", invoice(owner)))["id"]
    assert "https://pay.example/policy?version=1" in (await papers.document(f"invoices/{recorded}")).text
