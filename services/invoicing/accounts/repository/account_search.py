"""Accounts by what people know of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlmodel import col, select

from services.invoicing.accounts.tables.account_tables import AccountRow
from shared.persistence.database import Unit

_LAST_CHARACTER = "\U0010ffff"


@dataclass(frozen=True, slots=True)
class AccountSearchCriteria:
    """Criteria of the accounts that are wanted; None is any. Names by their beginning, e-mails without case."""

    name: str | None = None
    email: str | None = None
    external_reference: str | None = None
    vendor_customer_id: str | None = None
    legal_entity: str | None = None

    def list_account_conditions(self) -> list[tuple[str, Any]]:
        """List the conditions that are asked for, each with one value for its `{}`."""
        beyond = None if self.name is None else self.name + _LAST_CHARACTER
        conditions = (
            ('lower(name) COLLATE "C" >= lower({})', self.name),
            ('lower(name) COLLATE "C" < lower({})', beyond),
            ("lower(billing_email) = lower({})", self.email),
            ("external_reference = {}", self.external_reference),
            ("vendor_customer_ids @> ARRAY[{}::text]", self.vendor_customer_id),
            ("legal_entity = {}", self.legal_entity),
        )
        return [(condition, value) for condition, value in conditions if value is not None]


def build_account_search(criteria: AccountSearchCriteria, after: UUID | None, limit: int) -> tuple[str, list[Any]]:
    """Build the query of the ids of a page, in their order, and its arguments; it names only what is asked for."""
    conditions = criteria.list_account_conditions()
    if after is not None:
        conditions.append(("id > {}", after))
    clauses = [condition.format(f"${place}") for place, (condition, _) in enumerate(conditions, 1)]
    where = f"WHERE {' AND '.join(clauses)} " if clauses else ""
    query = f"SELECT id FROM accounts {where}ORDER BY id LIMIT ${len(conditions) + 1}"
    return query, [*(value for _, value in conditions), limit]


async def search_accounts(
    unit: Unit, criteria: AccountSearchCriteria, after: UUID | None, limit: int
) -> Sequence[AccountRow]:
    """Find accounts in the order of their ids, after this one."""
    query, arguments = build_account_search(criteria, after, limit)
    ids = [row["id"] for row in await unit.connection.fetch(query, *arguments)]
    rows = select(AccountRow).where(col(AccountRow.id).in_(ids)).order_by(text("id"))
    return (await unit.session.exec(rows)).all()
