"""Accounts and invoices of invoicing, as far as they are needed here."""

from uuid import UUID

from shared.events.invoicing import AccountRegistered
from shared.persistence.database import Unit
from shared.pure.errors import NotFound


async def save_account_copy(unit: Unit, event: AccountRegistered) -> None:
    """Save an account as it is now, and compute its clocks anew if another legal entity supports it."""
    former = await unit.connection.fetchval("SELECT legal_entity FROM accounts WHERE account_id = $1", event.account_id)
    await unit.connection.execute(
        """
        INSERT INTO accounts (account_id, currency, legal_entity, support_level) VALUES ($1, $2, $3, $4)
        ON CONFLICT (account_id) DO UPDATE SET legal_entity = EXCLUDED.legal_entity,
            support_level = EXCLUDED.support_level
        """,
        event.account_id,
        event.currency,
        event.legal_entity,
        event.support_level,
    )
    if former != event.legal_entity:
        query = "INSERT INTO moved_calendars (account_id, due_at) VALUES ($1, $2) ON CONFLICT DO NOTHING"
        await unit.connection.execute(query, event.account_id, unit.now)


async def check_account_exists(unit: Unit, account_id: UUID) -> None:
    """Refuse an account that there is not. Raises NotFound."""
    if not await unit.connection.fetchval("SELECT true FROM accounts WHERE account_id = $1", account_id):
        raise NotFound(f"there is no account {account_id}")


async def save_invoice_copy(unit: Unit, invoice_id: UUID, account_id: UUID, number: str, currency: str) -> None:
    """Save that an invoice exists."""
    await unit.connection.execute(
        "INSERT INTO invoices (invoice_id, account_id, number, currency) VALUES ($1, $2, $3, $4)"
        " ON CONFLICT DO NOTHING",
        invoice_id,
        account_id,
        number,
        currency,
    )


async def find_invoice_copy(unit: Unit, invoice_id: UUID) -> tuple[UUID, str] | None:
    """Find the account and currency of an invoice; None while it is not known here."""
    row = await unit.connection.fetchrow("SELECT account_id, currency FROM invoices WHERE invoice_id = $1", invoice_id)
    return (row["account_id"], row["currency"]) if row else None
