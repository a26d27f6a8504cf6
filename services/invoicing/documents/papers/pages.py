"""Documents as HTML that refers to nothing outside itself: what a browser shows and what is printed."""

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from services.invoicing.accounts.domain.document_parties import DocumentParties
from services.invoicing.documents.domain.account_statement import AccountStatement
from services.invoicing.documents.domain.paper import DocumentContent, sum_tax_by_rate
from services.invoicing.documents.papers.wording import DocumentWording
from shared.pure.payment_references import build_creditor_reference, group_by_four

TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parents[1] / "templates"),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    autoescape=True,
)


def render_document_page(paper: DocumentContent, policy_url: str) -> str:
    """An invoice or a credit note."""
    wording = DocumentWording(paper.parties.buyer.language)
    if paper.policy_version is not None:
        policy_url = f"{policy_url}?version={paper.policy_version}"
    return TEMPLATES.get_template("invoice.html").render(
        paper=paper,
        rates=sum_tax_by_rate(paper.lines),
        reference=format_payment_reference(paper.number),
        policy_url=policy_url,
        **_common(wording, paper.parties, wording(paper.kind), paper.number),
    )


def render_account_statement_page(statement: AccountStatement, parties: DocumentParties) -> str:
    """A statement of account."""
    wording = DocumentWording(parties.buyer.language)
    return TEMPLATES.get_template("statement.html").render(
        statement=statement,
        reference_of=format_payment_reference,
        **_common(wording, parties, wording("statement"), ""),
    )


def format_payment_reference(number: str) -> str:
    """Format what a payment of an invoice names: the structured reference, or a number that is too long for one."""
    reference = build_creditor_reference(number)
    return group_by_four(reference) if reference else number


def _common(wording: DocumentWording, parties: DocumentParties, title: str, number: str) -> dict[str, object]:
    before, between, after = wording("page", page="\0", pages="\0").split("\0")
    pages = f"{_css(before)} counter(page) {_css(between)} counter(pages) {_css(after)}"
    return {
        "w": wording,
        "title": title,
        "number": number,
        "foot": Markup(_css(f"{title} {number}".strip())),
        "pages": Markup(pages),
        "seller": parties.seller,
        "iban": group_by_four(parties.seller.iban),
        "buyer": parties.buyer,
        "footer": parties.seller.get_document_footer(wording.babel_locale.language),
    }


def _css(text: str) -> str:
    """Text as a string of CSS within HTML: whatever is not a letter or digit is escaped."""
    return '"' + "".join(character if character.isalnum() else f"\\{ord(character):x} " for character in text) + '"'
