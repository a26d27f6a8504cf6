"""The messages of collections, as customers read them."""

from pathlib import Path
from string import Formatter
from typing import Any
from uuid import UUID

import pytest

from services.collections import mail
from shared.base.locale_texts import choose_locale, read_text_catalogue
from shared.pure.languages import LANGUAGES
from tests.unit.collections.notices import MAILBOX, OFFICE, build_facts, build_item, build_notice, build_notices

LETTERS = Path(__file__).parent / "letters"
NOTICES = build_notices()


def write_text(template: str, *items: dict[str, Any], **facts: Any) -> tuple[str, str]:
    """Write a notice of policy steps; its subject, and its text in one line."""
    letter = mail.write_notice_letter(
        build_notice("steps", template, *items), build_facts(**facts), "us@example.com", "http://x/policy"
    )
    return letter["Subject"], " ".join(letter.get_content().split())


def write_letter(template: str, language: str) -> str:
    """Write a letter as its file has it: the headers that a customer sees, and the text."""
    letter = mail.write_notice_letter(
        NOTICES[template], build_facts(language), "us@example.com", "https://pay.example/policy"
    )
    headers = "".join(f"{name}: {letter[name]}\n" for name in ("From", "Reply-To", "To", "Subject"))
    return f"{headers}\n{letter.get_content()}"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("template", sorted(NOTICES))
def test_each_letter_in_each_language_is_that_of_its_file(template: str, language: str) -> None:
    assert write_letter(template, language) == (LETTERS / language / f"{template}.txt").read_text()


def find_words(text: str) -> set[str]:
    """Find the words in braces of a text."""
    return {name for _, name, _, _ in Formatter().parse(text) if name}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_says_everything_with_the_same_words_filled_in(language: str) -> None:
    texts, english = read_text_catalogue(mail.WORDS, language), read_text_catalogue(mail.WORDS, "en")
    assert {key: find_words(text) for key, text in texts.items()} == {
        key: find_words(text) for key, text in english.items()
    }


@pytest.mark.parametrize("language", [language for language in LANGUAGES if language != "en"])
def test_no_text_is_english_in_another_language(language: str) -> None:
    texts, english = read_text_catalogue(mail.WORDS, language), read_text_catalogue(mail.WORDS, "en")
    same = {key for key in texts if texts[key] == english[key]}
    assert same <= {"bank", "account", "next_step", "supply_period"}


@pytest.mark.parametrize(
    ("tags", "locale"),
    [(("de-CH", "fr"), "de_CH"), (("pt-BR", "fr"), "fr"), (("xx", None), "en"), (("", "no such tag!"), "en")],
)
def test_an_unknown_language_falls_back_to_the_entitys_and_then_to_english(
    tags: tuple[str | None, ...], locale: str
) -> None:
    assert str(choose_locale(*tags)) == locale


def test_amounts_and_dates_are_written_as_in_the_customers_country() -> None:
    _, text = write_text("upcoming", build_item("upcoming", is_first=True), language="de-CH")
    assert "Zu zahlen: CHF" not in text
    assert "Zu zahlen: EUR 1’001.60" in text
    assert "fällig am 10.03.2026" in text


def test_each_invoice_stands_under_its_own_step_the_gravest_first() -> None:
    subject, text = write_text(
        "final_notice", build_item("upcoming", is_first=False), build_item("final_notice", "ends")
    )
    assert subject == "Final notice before access is suspended"
    assert text.startswith("Dear Alpenrose Hotels, this is the final notice for: Invoice GS-DE-00000001, due on")
    final_notice, _, upcoming = text.partition("This is due soon: Invoice GS-DE-00000002, due on")
    assert "If this stays unpaid, access to the subscriptions concerned will be suspended." in final_notice
    assert ("GS-DE-00000002" in final_notice, "To be paid: €1,001.60" in upcoming) == (False, False)


def test_what_is_suspended_already_is_not_announced_as_to_come() -> None:
    subject, text = write_text("final_notice", build_item("final_notice", "ended"))
    assert subject == "Final notice: a payment is overdue"
    assert ("suspended already" in text, "will be suspended" in text) == (True, False)


def test_no_access_is_spoken_of_where_none_depends_on_it() -> None:
    subject, text = write_text("final_notice", build_item("final_notice", "unaffected"))
    assert subject == "Final notice: a payment is overdue"
    assert "access" not in text.lower()


def test_a_suspension_of_nothing_is_not_foreseen() -> None:
    suspend = {"step": "suspend", "action": "suspend", "template": None, "day": "2026-03-31"}
    item = build_item("final_notice", "ended", coming=(suspend,)) | {"subscription_ids": []}
    assert "Mar 31, 2026: access" not in write_text("final_notice", item)[1]


def test_only_the_invoice_with_a_final_notice_decides_its_subject() -> None:
    subject, _ = write_text(
        "final_notice", build_item("reminder_1", "ends"), build_item("final_notice", "ended", is_first=False)
    )
    assert subject == "Final notice: a payment is overdue"


def test_notices_of_an_older_release_say_what_they_have() -> None:
    """They have no template of their own, no open amount and nothing of what comes."""
    kept = ("invoice_id", "number", "policy_version", "dunnable_minor", "currency")
    item = {name: value for name, value in build_item(None, None).items() if name in kept}
    subject, text = write_text("reminder_1", item)
    assert subject == "A payment is overdue"
    assert (
        "we have not received a payment for: Invoice GS-DE-00000001, due on Mar 10, 2026 To be paid: €1,001.6" in text
    )
    assert ("Open:" in text, "happens next" in text) == (False, False)


def test_without_data_of_the_legal_entity_the_invoice_says_where_to_pay() -> None:
    letter = mail.write_notice_letter(
        NOTICES["upcoming"], build_facts(seller=None), "Us <us@example.com>", "http://x/policy"
    )
    assert (letter["From"], letter["Reply-To"]) == ("Us <us@example.com>", None)
    assert "Please pay to the bank account that stands on the invoice." in letter.get_content()
    assert "IBAN" not in letter.get_content()


def test_what_is_listed_is_bounded_and_the_rest_counted() -> None:
    ids = [UUID(int=100 + number) for number in range(13)]
    named = [{"subscription_id": id_, "product": f"Product {number:02}"} for number, id_ in enumerate(ids)]
    notice = build_notice("restored", "restored", subscription_ids=[*ids, ids[0], MAILBOX])
    text = mail.write_notice_letter(
        notice, build_facts(subscriptions=named), "us@example.com", "http://x/policy"
    ).get_content()
    assert "  2 × Product 00\n  Product 01\n" in text
    assert "  Product 09\n  and 3 more\n" in text
    assert "Product 10" not in text


def test_several_subscriptions_of_a_product_are_one_line() -> None:
    twice = [{"subscription_id": id_, "product": "Desktop"} for id_ in (OFFICE, MAILBOX)]
    notice = build_notice("restored", "restored", subscription_ids=[OFFICE, MAILBOX])
    text = mail.write_notice_letter(
        notice, build_facts(subscriptions=twice), "us@example.com", "http://x/policy"
    ).get_content()
    assert "Access is restored to:\n\n  2 × Desktop\n" in text
