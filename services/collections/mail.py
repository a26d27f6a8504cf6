"""Messages to customers, written from templates in the customer's language."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date
from email.message import EmailMessage
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from services.collections.domain.actions.registry import ACTION_KINDS
from services.collections.tables import NoticeRow
from shared.base.locale_texts import LocaleTexts, choose_locale
from shared.contracts.notice_facts import NoticeFacts, NoticeInvoice, NoticeSupply
from shared.outside.mail import build_letter, format_mail_sender

FOLDER = Path(__file__).parent / "templates"
TEMPLATES = Environment(
    loader=FileSystemLoader(FOLDER),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    autoescape=lambda name: bool(name and name.endswith(".html")),
)
WORDS = FOLDER / "words"
SECTIONS = ("final_notice", "reminder_2", "reminder_1", "upcoming")
"""The order in which a message speaks of its invoices: the gravest step first."""
MAX_LISTED = 10
"""Products, and supplies of an invoice, that a message lists; it counts the others."""


class PolicyLink(NamedTuple):
    """Address of the policy version that holds for invoices; without numbers, of the policy as a whole."""

    numbers: str
    url: str


class InvoiceInLetter(NamedTuple):
    """Invoice as a message states it, with everything written out; empty is what is not known."""

    number: str
    due: str
    to_pay: str
    open: str
    total: str
    set_aside: str
    reference: str
    supplies: list[str]
    coming: list[str]


class LetterSection(NamedTuple):
    """Invoices of a message that take the same step and of which it says the same of access."""

    intro: str
    outro: str
    invoices: list[InvoiceInLetter]


def write_notice_letter(row: NoticeRow, facts: NoticeFacts, sender: str, policy_url: str) -> EmailMessage:
    """Write the message of a notice; the same notice and facts always give the same message.

    It comes from the legal entity's own address, or from `sender` where the entity has none. An item that was
    written without what it states (in a notice of an older release) states less.
    """
    writer = _Writer(row, facts)
    seller = facts.seller
    body = TEMPLATES.get_template(f"{row.kind}.txt").render(
        texts=writer.texts,
        name=facts.name,
        sections=writer.list_letter_sections(),
        products=writer.list_named_products(row.subscription_ids),
        sum_to_pay=writer.write_amount_due(),
        seller=seller,
        iban=_group(seller.iban) if seller else "",
        policies=_list_policies(row.items, policy_url),
    )
    return build_letter(
        row.id,
        sender=format_mail_sender(seller.name, seller.mail_from, sender) if seller else sender,
        to=facts.billing_email,
        subject=writer.texts(f"subject_{_choose_subject(row)}"),
        body=body,
        at=row.created_at,
        reply_to=seller.reply_to if seller else None,
        secret=row.secret or "",
    )


class _Writer:
    """Writer of one notice in the language of its customer."""

    def __init__(self, row: NoticeRow, facts: NoticeFacts) -> None:
        self.row = row
        entity_language = facts.seller.language if facts.seller else None
        self.texts = LocaleTexts(WORDS, choose_locale(facts.language, entity_language))
        self.invoices = {invoice.invoice_id: invoice for invoice in facts.invoices}
        self.products = {subscription.subscription_id: subscription.product for subscription in facts.subscriptions}

    def list_letter_sections(self) -> list[LetterSection]:
        """List the sections of the message, the gravest first: its items by each one's own step and access.

        Items that were written without them speak by the template of the whole.
        """
        items_by_step: dict[tuple[str, str], list[dict[str, Any]]] = {}
        for item in self.row.items:
            step = (item.get("template") or self.row.template, item.get("access") or "ends")
            items_by_step.setdefault(step, []).append(item)
        steps = sorted(items_by_step, key=lambda step: (*SECTIONS, step[0]).index(step[0]))
        return [self._write_section(step, items_by_step[step], place) for place, step in enumerate(steps)]

    def _write_section(self, step: tuple[str, str], items: list[dict[str, Any]], place: int) -> LetterSection:
        template, access = step
        blocks = [self._write_invoice(item) for item in items]
        if template not in SECTIONS:
            return LetterSection("", "", blocks)
        intro = self.texts(f"intro_{template}")
        outro = f"outro_{template}_{access}"
        if outro not in self.texts:
            outro = f"outro_{template}"
        return LetterSection(intro[0].upper() + intro[1:] if place else intro, self.texts(outro), blocks)

    def _write_invoice(self, item: dict[str, Any]) -> InvoiceInLetter:
        invoice, currency = self.invoices.get(UUID(item["invoice_id"])), item["currency"]
        open_minor, to_pay_minor = item.get("open_minor"), _get_to_pay(item)
        aside_minor = (open_minor or 0) - to_pay_minor
        return InvoiceInLetter(
            number=item["number"],
            due=self.texts.write_day(invoice.due_date) if invoice else "",
            to_pay=self.texts.write_money(to_pay_minor, currency),
            open=self.texts.write_money(open_minor, currency) if invoice and open_minor is not None else "",
            total=self.texts.write_money(invoice.total_minor, currency) if invoice else "",
            set_aside=self.texts.write_money(aside_minor, currency) if aside_minor > 0 else "",
            reference=_write_reference(invoice) if invoice else "",
            supplies=self._list_supplies(invoice.supplies) if invoice else [],
            coming=self._list_coming(item),
        )

    def _list_supplies(self, supplies: Sequence[NoticeSupply]) -> list[str]:
        written = [self._write_supply(supply) for supply in supplies[:MAX_LISTED]]
        return [self.texts("supply", text=text) for text in written] + self._count_others(len(supplies))

    def _write_supply(self, supply: NoticeSupply) -> str:
        if supply.period_from is None or supply.period_to is None:
            return supply.text
        period = self.texts.write_period(supply.period_from, supply.period_to)
        return self.texts("supply_period", text=supply.text, period=period)

    def _list_coming(self, item: dict[str, Any]) -> list[str]:
        """List what comes next of an invoice; that access ends only where it names subscriptions that have it."""
        subscription_ids = [UUID(id_) for id_ in item.get("subscription_ids", [])]
        products = ", ".join(self.list_named_products(subscription_ids))
        return [
            self.texts("next_step", day=self.texts.write_day(date.fromisoformat(step["day"])), step=text)
            for step in item.get("coming", [])
            if (text := self._write_step(step, products))
        ]

    def _write_step(self, step: dict[str, Any], products: str) -> str:
        if not products and ACTION_KINDS[step["action"]].ends_access:
            return ""
        return self.texts(f"step_{step['template'] or step['action']}", subscriptions=products)

    def list_named_products(self, subscription_ids: Iterable[UUID]) -> list[str]:
        """List the products of subscriptions by name, each once, with how many there are of it where several are."""
        names = Counter(self.products[id_] for id_ in subscription_ids if id_ in self.products)
        listed = [name if count == 1 else f"{count} × {name}" for name, count in sorted(names.items())]
        return listed[:MAX_LISTED] + self._count_others(len(listed))

    def _count_others(self, count: int) -> list[str]:
        return [self.texts("more", n=count - MAX_LISTED)] if count > MAX_LISTED else []

    def write_amount_due(self) -> str:
        """Write what is to be paid of several invoices; empty for a single one. All are of the account's currency."""
        if len(self.row.items) < 2:
            return ""
        sum_minor = sum(_get_to_pay(item) for item in self.row.items)
        return self.texts.write_money(sum_minor, self.row.items[0]["currency"])


def _get_to_pay(item: dict[str, Any]) -> int:
    """Get what is asked for of an item (minor units); of older notices, what was dunnable."""
    to_pay_minor: int = item.get("to_pay_minor", item["dunnable_minor"])
    return to_pay_minor


def _write_reference(invoice: NoticeInvoice) -> str:
    reference = invoice.payment_reference
    return reference if reference == invoice.number else _group(reference)


def _group(text: str) -> str:
    """Write in groups of four, as on paper."""
    return " ".join(text[start : start + 4] for start in range(0, len(text), 4))


def _list_policies(items: Iterable[dict[str, Any]], policy_url: str) -> list[PolicyLink]:
    """List the versions of the policy that hold for these items, each with the numbers of its invoices."""
    numbers_by_version: dict[int, list[str]] = {}
    for item in items:
        numbers_by_version.setdefault(item["policy_version"], []).append(item["number"])
    links = [
        PolicyLink(", ".join(numbers), f"{policy_url}?version={version}")
        for version, numbers in sorted(numbers_by_version.items())
    ]
    return links or [PolicyLink("", policy_url)]


def _choose_subject(row: NoticeRow) -> str:
    """Choose the subject of the furthest step; that access ends, only where an item's final notice says so."""
    if row.kind != "steps" or row.template != "final_notice":
        return row.template
    final_notices = [item for item in row.items if item.get("template") in (None, "final_notice")]
    ends = any(item.get("access") in (None, "ends") for item in final_notices)
    return "final_notice" if ends else "final_notice_only"
