"""The words, numbers and dates of a language, from catalogues that a person can read and edit."""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml
from babel import Locale
from babel.dates import format_date
from babel.numbers import format_decimal, format_percent

from services.invoicing.documents.domain.account_statement import AccountStatementEntry
from services.invoicing.documents.domain.paper import DocumentLine, DocumentTaxSum
from shared.pure.money import format_minor_units

WORDS = Path(__file__).parents[1] / "templates" / "words"

Text = str | dict[str, str]


@lru_cache
def load_document_texts(language: str) -> dict[str, Text]:
    """The texts of a language by their keys; one with forms has a text for each."""
    texts: dict[str, Text] = yaml.safe_load((WORDS / f"{language}.yaml").read_text())
    return texts


@dataclass(frozen=True)
class DocumentWording:
    """How a document speaks to a customer; `tag` is the customer's locale, such as `de-CH`."""

    tag: str

    @property
    def babel_locale(self) -> Locale:
        """By which numbers and dates are written."""
        return Locale.parse(self.tag, sep="-")

    @property
    def _texts(self) -> dict[str, Text]:
        return load_document_texts(self.babel_locale.language)

    def __call__(self, key: str, **filled: object) -> str:
        text = self._texts[key]
        assert isinstance(text, str)
        return text.format(**filled)

    def choose_document_plural(self, key: str, n: int, **filled: object) -> str:
        """The form of a text that fits a number of things."""
        forms = self._texts[key]
        assert isinstance(forms, dict)
        return forms[self.babel_locale.plural_form(n)].format(n=n, **filled)

    def format_document_money(self, minor: int, currency: str) -> str:
        """An amount of minor units, with the decimals that the currency has."""
        return format_minor_units(minor, currency, self.babel_locale)

    def format_document_percentage(self, basis_points: int) -> str:
        """A rate, with as many decimals as it needs."""
        return format_percent(Decimal(basis_points).scaleb(-4), locale=self.babel_locale, decimal_quantization=False)

    def name_tax_sum(self, tax: DocumentTaxSum, currency: str) -> str:
        """Name what a sum of tax is the tax on."""
        net = self.format_document_money(tax.net, currency)
        if tax.rate_bp is None:
            return self("tax_of_rates", net=net)
        return self("tax_of_rate", rate=self.format_document_percentage(tax.rate_bp), net=net)

    def format_document_date(self, on: date) -> str:
        """A date, in words where the language has it so."""
        return format_date(on, "medium", locale=self.babel_locale)

    def name_document_country(self, code: str) -> str:
        """The name of a country."""
        return str(self.babel_locale.territories.get(code, code))

    def format_document_period(self, begin: date, end: date) -> str:
        """The days from one until before another."""
        last = end - timedelta(days=1)
        return (
            self.format_document_date(begin)
            if last == begin
            else self("period", begin=self.format_document_date(begin), end=self.format_document_date(last))
        )

    def name_document_line(self, line: DocumentLine) -> str:
        """Name what a line is for."""
        charged = line.charged
        if charged is None:
            return line.description
        return self(f"kind_{charged.kind}", product=charged.product, meter=charged.meter)

    def name_credit_reason(self, code: str) -> str:
        """Why something is credited, in words; nothing for a code that has none."""
        key = f"reason_{code}"
        return self(key) if key in self._texts else ""

    def format_line_quantity(self, line: DocumentLine) -> str:
        """The quantity of a line with all its decimals; nothing for a line without one."""
        if line.charged is None or not line.charged.quantity:
            return ""
        return format_decimal(line.charged.quantity, locale=self.babel_locale, decimal_quantization=False)

    def format_unit_price(self, line: DocumentLine, currency: str) -> str:
        """The price of a unit; nothing for a line without a quantity and for usage."""
        if line.charged is None or not line.charged.quantity or line.charged.unit_price is None:
            return ""
        return self.format_document_money(line.charged.unit_price, currency)

    def describe_charged_period(self, line: DocumentLine) -> str:
        """The period of a line, and which part of the cycle was charged."""
        charged_period = line.charged
        if charged_period is None:
            return ""
        parts = (
            [self.format_document_period(charged_period.period_from, charged_period.period_to)]
            if charged_period.kind != "setup"
            else []
        )
        if charged_period.days != charged_period.cycle_days:
            parts.append(self.choose_document_plural("share", charged_period.days, whole=charged_period.cycle_days))
        return " · ".join(parts)

    def name_statement_entry(self, entry: AccountStatementEntry) -> str:
        """Name what changed the balance."""
        key = f"entry_{entry.kind}"
        return self(key if key in self._texts else "entry_other", reference=entry.reference or "").strip()

    def name_ageing_bucket(self, name: str) -> str:
        """An ageing bucket. The last number of a range decides the form."""
        if name == "current":
            return self("bucket_current")
        forms = self._texts["bucket_days"]
        assert isinstance(forms, dict)
        last = int(name.rstrip("+").rpartition("-")[2])
        return forms[self.babel_locale.plural_form(last)].format(range=name)


def list_document_text_arguments(text: Text) -> dict[str, Any]:
    """The texts of a key by their forms."""
    return text if isinstance(text, dict) else {"": text}
