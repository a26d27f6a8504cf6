"""Mails of collections say what a customer needs to act: amounts, dates, accounts, rules, in their own language."""

import email
from email.message import EmailMessage
from email.policy import default
from typing import Any
from uuid import UUID, uuid4

from shared.events.entitlements import SubscriptionReinstated, SubscriptionSuspended
from tests.builders import work
from tests.component.collections import test_collections
from tests.component.collections.test_collections import World
from tests.component.collections.test_collections_facts import issue, ladder, line, overdue

world = test_collections.world
SELLER = {
    "name": "Goodstanding GmbH",
    "bank_name": "Sparkasse Berlin",
    "iban": "DE02120300000000202051",
    "bic": "BYLADEM1001",
    "mail_from": "billing@goodstanding.example",
    "reply_to": "questions@goodstanding.example",
    "signature": "Anna Weber",
    "language": "fr",
}


def read_mail(world: World, place: int = -1) -> tuple[EmailMessage, str]:
    """Read a mail that the hop took, with its text."""
    letter = email.message_from_bytes(world.hop.taken[place], policy=default)
    assert isinstance(letter, EmailMessage)
    return letter, letter.get_content().replace("\r\n", "\n")


async def hear_access(world: World, event: type, subscription_id: UUID, suspension_id: str, **more: Any) -> None:
    common = {"account_id": world.account_id, "subscription_id": subscription_id, "suspension_id": suspension_id}
    await world.hear(event(**common, **more))


async def test_a_final_notice_names_the_day_on_which_access_ends_and_how_to_pay(world: World) -> None:
    """Due on 10 March: position 14 is the 24th, 21 the 31st, seven days after the final notice."""
    world.invoicing.facts |= {"language": "de", "seller": SELLER}
    invoice_id = await world.issue()
    await world.day(1, 0)
    await world.overdue(invoice_id)
    await ladder(world, 1, 7)
    letter, text = read_mail(world)
    assert letter["subject"] == "Zweite Erinnerung: eine Zahlung ist überfällig"
    assert "      24.03.2026: die letzte Mahnung\n      31.03.2026: der Zugang wird gesperrt: Desktop\n" in text
    await world.change_balance(invoice_id, 1000, disputed=200)
    await ladder(world, 14)
    letter, text = read_mail(world)
    assert letter["from"] == "Goodstanding GmbH <billing@goodstanding.example>"
    assert letter["reply-to"] == "questions@goodstanding.example"
    assert letter["subject"] == "Letzte Mahnung vor der Sperrung des Zugangs"
    for words in (
        "fällig am 10.03.2026\n    Zu zahlen: 8,00\xa0€\n    Offen: 10,00\xa0€ von 10,00\xa0€\n",
        "Derzeit nicht verlangt: 2,00\xa0€",
        "Für: Desktop, 01.03.2026 – 31.03.2026",
        "      31.03.2026: der Zugang wird gesperrt: Desktop\n",
        "IBAN DE02 1203 0000 0000 2020 51, BIC BYLADEM1001",
        "/policy?version=1\n",
        "Mit freundlichen Grüßen\nAnna Weber\nGoodstanding GmbH\n",
    ):
        assert words in text


async def test_an_unknown_language_is_that_of_the_entity_and_then_english(world: World) -> None:
    await world.issue()
    world.invoicing.facts |= {"language": "pt-BR", "seller": SELLER}
    await world.day(-3)
    assert read_mail(world)[0]["subject"] == "Votre facture arrive bientôt à échéance"
    world.invoicing.facts["seller"] = SELLER | {"language": None, "mail_from": None}
    later = await world.issue()
    await world.day(-2)
    letter, text = read_mail(world)
    assert letter["subject"] == "Your invoice is due soon"
    assert letter["from"] == "Billing <billing@reseller.example>"
    assert f"GS-{str(later)[-4:]}" in text


async def test_what_happens_to_an_accounts_access_is_told_in_one_mail(world: World) -> None:
    lines = (line(1, uuid4(), 600), line(2, uuid4(), 400))
    invoice_id = await issue(world, *lines)
    await world.day(1, 0)
    await overdue(world, invoice_id, *lines)
    await ladder(world, 1, 7, 14, 21)
    suspensions = (await world.standing())["suspensions"]
    taken = len(world.hop.taken)
    for suspension in suspensions:
        subscription_id = UUID(suspension["subscription_id"])
        reasons = {"hold_reasons": ("non_payment",), "vendor_bills_on": True}
        await hear_access(world, SubscriptionSuspended, subscription_id, suspension["id"], **reasons)
        await work(world.runtime)
    assert len(world.hop.taken) == taken
    await world.database.move(minutes=5)
    await work(world.runtime)
    assert len(world.hop.taken) == taken + 1
    letter, text = read_mail(world)
    assert letter["subject"] == "Access is suspended"
    assert "access is suspended to:\n\n  2 × Desktop\n" in text
    assert "To be paid: €10.00\n" in text
    assert "Apr 24, 2026: a person decides" in text
    await overdue(world, invoice_id, line(1, lines[0].subscription_id, 0), line(2, lines[1].subscription_id, 0))
    for suspension in suspensions:
        subscription_id = UUID(suspension["subscription_id"])
        await hear_access(world, SubscriptionReinstated, subscription_id, suspension["id"], renewal_restored=True)
    await world.database.move(minutes=5)
    await work(world.runtime)
    assert len(world.hop.taken) == taken + 2
    assert "Access is restored to:\n\n  2 × Desktop\n" in read_mail(world)[1]


async def test_news_about_access_that_is_being_sent_is_not_added_to(world: World) -> None:
    """The hop answers for now that it is busy: the same notice must come again, and what comes later is another."""
    lines = (line(1, uuid4(), 600), line(2, uuid4(), 400))
    invoice_id = await issue(world, *lines)
    await world.day(1, 0)
    await overdue(world, invoice_id, *lines)
    await ladder(world, 1, 7, 14, 21)
    world.hop.answer = "451 later"
    for suspension in (await world.standing())["suspensions"]:
        subscription_id = UUID(suspension["subscription_id"])
        reasons = {"hold_reasons": ("non_payment",), "vendor_bills_on": True}
        await hear_access(world, SubscriptionSuspended, subscription_id, suspension["id"], **reasons)
        await world.database.move(minutes=5)
        await work(world.runtime)
    notices = [notice for notice in (await world.standing())["notices"] if notice["kind"] == "suspended"]
    assert [(notice["state"], len(notice["subscription_ids"])) for notice in notices] == [("pending", 1)] * 2
