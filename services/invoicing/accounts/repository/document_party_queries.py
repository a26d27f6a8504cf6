"""Who a document is from and to: us and the customer, as they were when it was issued."""

from datetime import datetime
from uuid import UUID

from pydantic import TypeAdapter

from services.invoicing.accounts.domain.document_parties import DocumentBuyer, DocumentParties, DocumentSeller
from services.invoicing.accounts.repository import account_queries, legal_entity_queries
from services.invoicing.accounts.tables.account_tables import AccountRow
from services.invoicing.accounts.tables.legal_entity_tables import LegalEntityRow
from shared.persistence.database import Unit

BUYER, SELLER, PARTIES = TypeAdapter(DocumentBuyer), TypeAdapter(DocumentSeller), TypeAdapter(DocumentParties)

_FORMER_BUYER = """
SELECT buyer FROM former_buyers WHERE account_id = $1 AND until > $2 ORDER BY until, version LIMIT 1
"""
_FORMER_SELLER = """
SELECT seller FROM former_sellers WHERE legal_entity = $1 AND until > $2 ORDER BY until, version LIMIT 1
"""


async def get_document_buyer(unit: Unit, account_id: UUID, at: datetime) -> DocumentBuyer:
    """An account as documents named it at an instant; what was changed at that very instant counts. Raises NotFound."""
    former = await unit.connection.fetchval(_FORMER_BUYER, account_id, at)
    return BUYER.validate_python(former) if former else _buyer(await account_queries.get_account(unit, account_id))


async def find_document_seller(unit: Unit, legal_entity: str, at: datetime) -> DocumentSeller | None:
    """A legal entity as its documents named it at an instant, or as soon as something was known of it."""
    former = await unit.connection.fetchval(_FORMER_SELLER, legal_entity, at)
    if former:
        return SELLER.validate_python(former)
    row = await legal_entity_queries.find_legal_entity(unit, legal_entity)
    return _seller(row) if row else None


async def save_former_buyer(unit: Unit, row: AccountRow) -> None:
    """An account is about to be changed: keep what documents say of it up to now."""
    await unit.connection.execute(
        "INSERT INTO former_buyers (account_id, version, until, buyer) VALUES ($1, $2, $3, $4)",
        row.id,
        row.version,
        unit.now,
        BUYER.dump_json(_buyer(row)).decode(),
    )


async def save_former_seller(unit: Unit, row: LegalEntityRow) -> None:
    """The data of a legal entity are about to be changed: keep what its documents say up to now."""
    await unit.connection.execute(
        "INSERT INTO former_sellers (legal_entity, version, until, seller) VALUES ($1, $2, $3, $4)",
        row.code,
        row.version,
        unit.now,
        SELLER.dump_json(_seller(row)).decode(),
    )


def _buyer(row: AccountRow) -> DocumentBuyer:
    return DocumentBuyer(
        row.name,
        tuple(row.address or ()),
        row.country,
        row.tax_id,
        row.tax_status,
        row.language,
        row.time_zone,
        row.external_reference,
    )


def _seller(row: LegalEntityRow) -> DocumentSeller:
    return DocumentSeller(
        row.name,
        tuple(row.address),
        row.tax_id,
        row.register_number,
        row.bank_name,
        row.iban,
        row.bic,
        row.footer,
        dict(row.footers or {}),
    )


async def find_document_parties(unit: Unit, document_id: UUID) -> DocumentParties | None:
    """Who a document is from and to, once it was drawn up."""
    kept = await unit.connection.fetchval("SELECT parties FROM document_parties WHERE document_id = $1", document_id)
    return PARTIES.validate_python(kept) if kept else None


async def save_document_parties(
    unit: Unit, document_id: UUID, account_id: UUID, kept: DocumentParties
) -> DocumentParties:
    """Keep who a document is from and to, unless somebody was faster; what is kept."""
    await unit.connection.execute(
        "INSERT INTO document_parties (document_id, account_id, parties, drawn_up_at) VALUES ($1, $2, $3, $4)"
        " ON CONFLICT DO NOTHING",
        document_id,
        account_id,
        PARTIES.dump_json(kept).decode(),
        unit.now,
    )
    return await find_document_parties(unit, document_id) or kept
