"""Seller and buyer as they stand on a document."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class DocumentSeller:
    """A legal entity of ours, as its documents name it."""

    name: str
    address: tuple[str, ...]
    tax_id: str
    register_number: str
    bank_name: str
    iban: str
    bic: str
    footer: str | None
    footers: dict[str, str | None] = field(default_factory=dict)
    """The footer by language, where it is another than `footer`."""

    def get_document_footer(self, language: str) -> str | None:
        """Return the footer in a language such as `de`."""
        return self.footers.get(language) or self.footer


@dataclass(frozen=True, slots=True)
class DocumentBuyer:
    """A customer, as documents name it; `language` is a locale such as `de-CH`."""

    name: str
    address: tuple[str, ...]
    country: str | None
    tax_id: str | None
    tax_status: str
    language: str
    time_zone: str
    customer_number: str | None = None
    """The account's external reference: its number in the seller's own books."""


@dataclass(frozen=True, slots=True)
class DocumentParties:
    """Who a document is from and to, as it was when the document was issued."""

    seller: DocumentSeller
    buyer: DocumentBuyer
