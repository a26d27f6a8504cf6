"""What invoicing told: which accounts and invoices there are."""

from uuid import UUID

from shared.database import Unit


async def save_account(unit: Unit, account_id: UUID, currency: str) -> None:
    """An account exists."""
    await unit.connection.execute(
        "INSERT INTO accounts (account_id, currency) VALUES ($1, $2) ON CONFLICT DO NOTHING", account_id, currency
    )


async def save_invoice(unit: Unit, invoice_id: UUID, account_id: UUID, number: str, currency: str) -> None:
    """An invoice exists."""
    await unit.connection.execute(
        "INSERT INTO invoices (invoice_id, account_id, number, currency) VALUES ($1, $2, $3, $4)"
        " ON CONFLICT DO NOTHING",
        invoice_id,
        account_id,
        number,
        currency,
    )


async def invoice(unit: Unit, invoice_id: UUID) -> tuple[UUID, str] | None:
    """The account and currency of an invoice; None while it is not known here."""
    row = await unit.connection.fetchrow("SELECT account_id, currency FROM invoices WHERE invoice_id = $1", invoice_id)
    return (row["account_id"], row["currency"]) if row else None
