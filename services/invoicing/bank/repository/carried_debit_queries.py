"""Queries of direct debits as bank statements carry them."""

from collections.abc import Sequence
from uuid import UUID

import asyncpg

from services.invoicing.bank.domain.carried_debit import DebitNamedByBankEntry
from services.invoicing.bank.tables import NORMAL_NUMBER
from services.invoicing.payments.domain.debit_states import DebitState
from shared.persistence.database import Unit

_CARRIED = f"""
SELECT d.*, a.name, EXISTS (SELECT FROM bank_entries b WHERE b.payment_id = d.payment_id) AS has_entry
FROM debits d JOIN accounts a ON a.id = d.account_id
WHERE d.account_id = $1 AND {NORMAL_NUMBER.format("d.reference")} = ANY($2::text[]) ORDER BY d.id
"""


def build_debit_of_entry(row: asyncpg.Record) -> DebitNamedByBankEntry:
    """Build a debit whose reference an entry carries from its row."""
    return DebitNamedByBankEntry(
        id=row["id"],
        account_id=row["account_id"],
        name=row["name"],
        invoice_id=row["invoice_id"],
        amount=row["amount_minor"],
        currency=row["currency"],
        state=DebitState(row["state"]),
        has_entry=row["has_entry"],
    )


async def list_debits_by_references(
    unit: Unit, account_id: UUID, numbers: Sequence[str]
) -> list[DebitNamedByBankEntry]:
    """List the debits of an account whose reference is among these numbers."""
    return [build_debit_of_entry(row) for row in await unit.connection.fetch(_CARRIED, account_id, numbers)]
