"""Facts of invoicing that a notice to a customer states: contact, sender, invoices, subscriptions."""

from datetime import date
from uuid import UUID

from pydantic import Field

from shared.contracts.answers import AnswerContract
from shared.pure.fields import RequestBody, get_model_example, set_model_example

MAX_NAMED = 10_000
"""Invoices, and subscriptions, of one request."""


class NoticeFactsIn(RequestBody):
    """Request for the facts of a notice about these invoices and subscriptions of an account."""

    model_config = set_model_example(
        invoice_ids=["01a20d61-1c0e-7b3f-8a55-2f64d1f0a9b7"], subscription_ids=["01a20d60-9e21-7c44-9d0b-6f0a7c1e8d35"]
    )

    invoice_ids: list[UUID] = Field(max_length=MAX_NAMED)
    subscription_ids: list[UUID] = Field(max_length=MAX_NAMED)


class NoticeSeller(AnswerContract):
    """Legal entity that a notice comes from; null is what nobody has said of it."""

    model_config = set_model_example(
        name="Goodstanding GmbH",
        bank_name="Sparkasse Berlin",
        iban="DE02120300000000202051",
        bic="BYLADEM1001",
        mail_from="billing@goodstanding.example",
        reply_to="questions@goodstanding.example",
        signature="Your accounts team\n+49 30 1234567",
        language="de",
    )

    name: str
    bank_name: str
    iban: str
    bic: str
    mail_from: str | None
    reply_to: str | None
    signature: str | None
    language: str | None


class NoticeSupply(AnswerContract):
    """Supply that an invoice is for: a product, or the words of a line posted by hand; `period_to` is exclusive."""

    model_config = set_model_example(
        text="Microsoft 365 Business Premium", period_from="2026-03-01", period_to="2026-04-01"
    )

    text: str
    period_from: date | None
    period_to: date | None


class NoticeInvoice(AnswerContract):
    """Invoice that a notice states; `total_minor` is gross, in minor units."""

    model_config = set_model_example(
        invoice_id="01a20d61-1c0e-7b3f-8a55-2f64d1f0a9b7",
        number="GS-DE-00000001",
        currency="EUR",
        due_date="2026-03-31",
        total_minor=25200,
        payment_reference="RF73GSDE00000001",
        supplies=[get_model_example(NoticeSupply)],
    )

    invoice_id: UUID
    number: str
    currency: str
    due_date: date
    total_minor: int
    payment_reference: str = Field(
        description="the structured reference (ISO 11649), or the number where it is too long"
    )
    supplies: list[NoticeSupply]


class NoticeSubscription(AnswerContract):
    """Subscription that a notice states, by the product that it is of now."""

    model_config = set_model_example(
        subscription_id="01a20d60-9e21-7c44-9d0b-6f0a7c1e8d35", product="Microsoft 365 Business Premium"
    )

    subscription_id: UUID
    product: str


class NoticeFacts(AnswerContract):
    """Answer of invoicing: whom to write to, from whom, and what about; asked for at the time of writing."""

    model_config = set_model_example(
        account_id="01a20d60-7458-729b-b244-54f33ab0c1d2",
        name="Alpenrose Hotels",
        billing_email="billing@alpenrose.example",
        language="de",
        seller=get_model_example(NoticeSeller),
        invoices=[get_model_example(NoticeInvoice)],
        subscriptions=[get_model_example(NoticeSubscription)],
    )

    account_id: UUID
    name: str
    billing_email: str
    language: str = Field(description="of the account: a language, or a locale of it such as `de-CH`")
    seller: NoticeSeller | None = Field(description="null: nothing is known of the account's legal entity")
    invoices: list[NoticeInvoice] = Field(
        description="in the order of their numbers; those of other accounts are left out"
    )
    subscriptions: list[NoticeSubscription]
