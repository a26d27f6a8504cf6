"""Every language says everything, and numbers and dates as its readers write them."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from string import Formatter

import pytest
from babel import Locale

from services.invoicing.accounts.domain.document_parties import DocumentBuyer, DocumentParties, DocumentSeller
from services.invoicing.adjustments.api.credit_note_routes import CreditReason
from services.invoicing.adjustments.use_cases.credit_note_issuing import DISPUTE, PRORATION
from services.invoicing.documents.domain.account_statement import (
    AccountStatement,
    AccountStatementEntry,
    AccountStatementInCurrency,
    AccountStatementOpenInvoice,
    add_statement_running_balances,
    find_ageing_bucket,
)
from services.invoicing.documents.domain.paper import (
    DocumentChargedPeriod,
    DocumentContent,
    DocumentLine,
    DocumentTaxSum,
    sum_tax_by_rate,
)
from services.invoicing.documents.papers.pages import render_account_statement_page, render_document_page
from services.invoicing.documents.papers.wording import (
    DocumentWording,
    Text,
    list_document_text_arguments,
    load_document_texts,
)
from shared.pure.languages import LANGUAGES

SELLER = DocumentSeller(
    "Goodstanding GmbH", ("Musterstraße 1",), "DE1", "HRB 1", "Bank", "DE02120300000000202051", "X", None
)


def list_placeholders(text: str) -> set[str]:
    """List the words in braces of a text."""
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def missing(texts: dict[str, Text], wanted: dict[str, Text], locale: Locale) -> set[str]:
    """Keys that a catalogue lacks or has too many, or whose forms or words in braces are not those that it needs."""
    flaws = texts.keys() ^ wanted.keys()
    forms = {locale.plural_form(n) for n in range(200)}
    for key in texts.keys() & wanted.keys():
        own, model = list_document_text_arguments(texts[key]), list_document_text_arguments(wanted[key])
        if isinstance(texts[key], dict) != isinstance(wanted[key], dict) or (
            own.keys() != {""} and not forms <= own.keys()
        ):
            flaws.add(key)
        needed = list_placeholders(next(iter(reversed(model.values()))))
        if any(list_placeholders(text) != needed for text in own.values()):
            flaws.add(key)
    return flaws


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_says_everything(language: str) -> None:
    assert missing(load_document_texts(language), load_document_texts("en"), Locale(language)) == set()


def test_a_gap_is_seen() -> None:
    wanted: dict[str, Text] = {"a": "{x}", "b": "b", "n": {"one": "{n}", "other": "{n}"}}
    bad: dict[str, Text] = {"a": "{y}", "n": {"one": "{n}", "other": "{n}"}}
    assert missing(bad, wanted, Locale("ru")) == {"a", "b", "n"}
    assert missing({"a": "{x}!", "b": "", "n": {"one": "{n}", "other": "{n}."}}, wanted, Locale("de")) == set()


@pytest.mark.parametrize(
    ("tag", "minor", "currency", "written"),
    [
        ("en", 123456, "EUR", "€1,234.56"),
        ("de", 123456, "EUR", "1.234,56\u00a0€"),
        ("de", -5, "EUR", "-0,05\u00a0€"),
        ("de-CH", 123456, "CHF", "CHF\u00a01’234.56"),
        ("fr", 123456, "EUR", "1\u202f234,56\u00a0€"),
        ("ru", 123456, "EUR", "1\u00a0234,56\u00a0€"),
        ("en", 1650, "JPY", "¥1,650"),
        ("de", 1650, "JPY", "1.650\u00a0¥"),
        ("de", 123400, "RSD", "1.234,00\u00a0RSD"),
        ("fr", 1234567, "IQD", "1\u202f234,567\u00a0IQD"),
        ("en", 1234567, "KWD", "KWD1,234.567"),
        ("fr", 1234567, "KWD", "1\u202f234,567\u00a0KWD"),
        ("en", 9_000_000_000_000_001, "EUR", "€90,000,000,000,000.01"),
    ],
)
def test_money_is_written_as_its_readers_do(tag: str, minor: int, currency: str, written: str) -> None:
    assert DocumentWording(tag).format_document_money(minor, currency) == written


@pytest.mark.parametrize(
    ("tag", "rate", "written"),
    [
        ("en", 1900, "19%"),
        ("de", 1900, "19\u00a0%"),
        ("fr", 550, "5,5\u00a0%"),
        ("de-CH", 810, "8.1%"),
        ("ru", 0, "0\u00a0%"),
    ],
)
def test_rates_are_written_as_their_readers_do(tag: str, rate: int, written: str) -> None:
    assert DocumentWording(tag).format_document_percentage(rate) == written


@pytest.mark.parametrize(
    ("tag", "written"),
    [
        ("en", "Apr 3, 2026"),
        ("en-GB", "3 Apr 2026"),
        ("de", "03.04.2026"),
        ("fr", "3 avr. 2026"),
        ("ru", "3 апр. 2026\u202fг."),
    ],
)
def test_dates_are_written_as_their_readers_do(tag: str, written: str) -> None:
    assert DocumentWording(tag).format_document_date(date(2026, 4, 3)) == written


@pytest.mark.parametrize(
    ("n", "said"), [(1, "за 1 день из 30"), (3, "за 3 дня из 30"), (5, "за 5 дней из 30"), (21, "за 21 день из 30")]
)
def test_plural_forms_are_those_of_the_language(n: int, said: str) -> None:
    assert DocumentWording("ru").choose_document_plural("share", n, whole=30) == said


def test_a_line_says_period_share_quantity_and_price() -> None:
    charged = DocumentChargedPeriod("change", "Business Premium", date(2026, 4, 3), date(2026, 5, 1), 28, 30, 12, 1008)
    line = DocumentLine(2, "x", 11289, 2145, 1900, charged)
    assert DocumentWording("en-GB").name_document_line(line) == "Business Premium, after a change"
    assert DocumentWording("en-GB").describe_charged_period(line) == "3 Apr 2026 – 30 Apr 2026 · for 28 of 30 days"
    assert (
        DocumentWording("en-GB").format_line_quantity(line),
        DocumentWording("en-GB").format_unit_price(line, "EUR"),
    ) == ("12", "€10.08")


def test_usage_says_its_meter_and_quantity_and_no_price() -> None:
    charged = DocumentChargedPeriod(
        "usage", "Azure", date(2026, 1, 1), date(2026, 2, 1), 31, 31, Decimal("1234.5678"), None, "compute hours"
    )
    line = DocumentLine(1, "x", 143, 27, 1900, charged)
    assert DocumentWording("de").name_document_line(line) == "Azure, Verbrauch: compute hours"
    assert (DocumentWording("de").format_line_quantity(line), DocumentWording("de").format_unit_price(line, "EUR")) == (
        "1.234,5678",
        "",
    )
    shown = render_document_page(replace(paper("de"), lines=(line,)), "https://x/policy")
    assert '<td class="n">1.234,5678</td>' in shown


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_credit_note_says_why_in_the_customers_words(language: str) -> None:
    wording = DocumentWording(language)
    for code in (*CreditReason, DISPUTE, PRORATION):
        assert wording.name_credit_reason(code)
        note = replace(
            paper(language), kind="credit_note", credited_invoice="GS-DE-00000001", due_on=None, reason_code=code
        )
        assert f"<dd>{wording.name_credit_reason(code)}</dd>" in render_document_page(note, "https://x/policy")
    assert DocumentWording("de").name_credit_reason("goodwill") == "Kulanz"
    assert wording.name_credit_reason("of_a_former_release") == ""


def test_a_document_names_the_customer_number_if_there_is_one() -> None:
    buyer = replace(paper("de").parties.buyer, customer_number="crm-4711")
    assert "Kundennr. crm-4711" in render_document_page(
        replace(paper("de"), parties=DocumentParties(SELLER, buyer)), "https://x/policy"
    )
    assert "Kundennr." not in render_document_page(paper("de"), "https://x/policy")


def charged_line(kind: str, begin: date, end: date) -> DocumentLine:
    """A line of a charge of a kind for days, its end exclusive."""
    return DocumentLine(1, "x", 100, 19, 1900, DocumentChargedPeriod(kind, "Azure", begin, end, 1, 1, 1, 100))


def test_the_period_of_supply_is_that_of_the_recurring_charges() -> None:
    january = (date(2026, 1, 1), date(2026, 2, 1))
    setup = charged_line("setup", date(2026, 1, 1), date(2027, 1, 1))
    usage = charged_line("usage", date(2025, 12, 1), date(2026, 1, 1))
    cycle = charged_line("cycle", *january)
    assert replace(paper("en"), lines=(setup, usage, cycle)).supply_period == january
    assert replace(paper("en"), lines=(usage,)).supply_period == (date(2025, 12, 1), date(2026, 1, 1))
    assert replace(paper("en"), lines=(setup,)).supply_period == (date(2026, 1, 1), date(2026, 1, 2))
    assert paper("en").supply_period is None


def paper(language: str, status: str = "standard", name: str = "Account 17") -> DocumentContent:
    buyer = DocumentBuyer(name, ("Street 1",), "FR", "FR1", status, language, "Europe/Paris")
    lines = (
        DocumentLine(
            1, "licences", 10000, 0 if status != "standard" else 1900, 1900 if status == "standard" else 0, None
        ),
    )
    return DocumentContent(
        "invoice",
        "GS-DE-00000001",
        None,
        "EUR",
        date(2026, 4, 1),
        date(2026, 5, 1),
        30,
        lines,
        0,
        0,
        DocumentParties(SELLER, buyer),
        3,
    )


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("status", ["reverse_charge", "exempt"])
def test_what_bears_no_tax_says_why_in_the_customers_words(language: str, status: str) -> None:
    sentence = DocumentWording(language)(status)
    assert sentence in render_document_page(paper(language, status), "https://x/policy")
    assert sentence not in render_document_page(paper(language), "https://x/policy")


def test_a_hostile_name_is_only_text() -> None:
    page = render_document_page(
        paper("en", name='<script>alert("x")</script><img src=https://evil.example/x>'), "https://x/policy"
    )
    assert "<script" not in page
    assert "<img" not in page
    assert "&lt;script&gt;" in page


def test_the_sums_of_each_rate_and_of_all() -> None:
    lines = (
        DocumentLine(1, "a", 1000, 190, 1900, None),
        DocumentLine(2, "b", 500, 35, 700, None),
        DocumentLine(3, "c", -100, -19, 1900, None),
        DocumentLine(4, "d", 77, 0, None, None),
    )
    assert sum_tax_by_rate(lines) == [DocumentTaxSum(700, 500, 35), DocumentTaxSum(1900, 900, 171)]
    several = [DocumentLine(9, "several rates", 100, 13, None, None), DocumentLine(10, "posted", 50, 0, None, None)]
    assert sum_tax_by_rate([*several, *lines])[-2:] == [DocumentTaxSum(1900, 900, 171), DocumentTaxSum(None, 100, 13)]


@pytest.mark.parametrize(
    ("late", "name"),
    [
        (-5, "current"),
        (0, "current"),
        (1, "1-30"),
        (30, "1-30"),
        (31, "31-60"),
        (60, "31-60"),
        (90, "61-90"),
        (91, "90+"),
    ],
)
def test_the_buckets_of_ageing(late: int, name: str) -> None:
    assert find_ageing_bucket(date(2026, 1, 10), date.fromordinal(date(2026, 1, 10).toordinal() + late)) == name


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_statement_says_everything_in_every_language(language: str) -> None:
    kinds = ("invoice", "credit_note", "payment", "reversal", "write_off", "correction")
    entries = [AccountStatementEntry(date(2026, 4, 1), kind, "R-1", "EUR", 100) for kind in kinds]
    items = tuple(
        AccountStatementOpenInvoice("N", date(2026, 1, 1), date(2026, 4, day), "EUR", 5, 5) for day in (1, 30)
    )
    account = AccountStatementInCurrency("EUR", 50, add_statement_running_balances(50, entries), 3, items)
    assert account.statement_closing_balance == 650
    statement = AccountStatement(date(2026, 4, 1), date(2026, 4, 30), (account,))
    page = render_account_statement_page(statement, paper(language).parties)
    wording = DocumentWording(language)
    for text in (
        wording.format_document_money(650, "EUR"),
        wording("opening"),
        wording("entry_other", reference="R-1"),
        wording("ageing"),
    ):
        assert text in page
