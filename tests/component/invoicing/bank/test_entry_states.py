"""Entries of a statement come in with the states that the domain chooses."""

from itertools import product

from services.invoicing.bank.domain.entry_matching import choose_entry_state
from services.invoicing.bank.domain.statements.statement_entries import BankEntryKind
from services.invoicing.bank.repository.bank_matching_queries import CHOOSE_ENTRY_STATE
from tests.builders import Database


async def test_every_kind_comes_in_as_the_domain_says(database: Database) -> None:
    entries = list(product(BankEntryKind, (True, False)))
    rows = await database.rows(
        f"SELECT {CHOOSE_ENTRY_STATE} AS state FROM unnest($1::text[], $2::bool[]) WITH ORDINALITY"
        " AS n (kind, is_certain, place) CROSS JOIN LATERAL (SELECT CASE WHEN n.is_certain THEN 1 END AS id) AS c"
        " ORDER BY place",
        [kind.value for kind, _ in entries],
        [is_certain for _, is_certain in entries],
    )
    assert [row["state"] for row in rows] == [
        choose_entry_state(kind, is_certain=is_certain) for kind, is_certain in entries
    ]
