"""A file's entries come in by COPY, and candidates for all of them are found in a few statements.

All of it is set-based, in temporary tables of the connection that are emptied when the unit ends.
"""

from collections.abc import AsyncIterable, Mapping, Sequence
from datetime import date
from typing import NamedTuple
from uuid import UUID

import asyncpg

from services.invoicing.bank.domain.carried_debit import DebitNamedByBankEntry
from services.invoicing.bank.domain.entry_matching import WRONG, BankMatch, BankMatchCandidate, ReceivedBankEntry
from services.invoicing.bank.domain.statements.statement_entries import BankEntryKind
from services.invoicing.bank.repository.carried_debit_queries import build_debit_of_entry
from services.invoicing.bank.tables import NORMAL_NAME, NORMAL_NUMBER
from shared.persistence.database import Unit

_TEMPORARY = """
CREATE TEMPORARY TABLE IF NOT EXISTS incoming_entries (
    place int, id uuid, bank_account text, entry_key text, kind text, is_credit boolean, amount bigint, currency text,
    booked_on date, payer text, text text, reference text, ids text[],
    return_reason text, grams text[], is_doubtful boolean
) ON COMMIT DELETE ROWS;
CREATE TEMPORARY TABLE IF NOT EXISTS incoming_former_keys (
    place int, bank_account text, entry_key text, payer text, text text
) ON COMMIT DELETE ROWS;
CREATE TEMPORARY TABLE IF NOT EXISTS incoming_repeats (place int, id uuid, entry_id uuid) ON COMMIT DELETE ROWS;
CREATE TEMPORARY TABLE IF NOT EXISTS incoming_numbers (id uuid, gram text) ON COMMIT DELETE ROWS;
CREATE TEMPORARY TABLE IF NOT EXISTS incoming_candidates (id uuid, account_id uuid, invoice_id uuid, by text)
ON COMMIT DELETE ROWS;
CREATE TEMPORARY TABLE IF NOT EXISTS incoming_facts (
    place int, id uuid, kind text, amount bigint, currency text, payer text, is_doubtful boolean, account_id uuid,
    name text, account_currency text, account_open bigint, invoice_id uuid, invoice_open bigint, by_number boolean,
    by_reference boolean, by_wrong_reference boolean, has_debit boolean
) ON COMMIT DELETE ROWS;
CREATE TEMPORARY TABLE IF NOT EXISTS incoming_debits (place int, id uuid, debit_id uuid) ON COMMIT DELETE ROWS;
CREATE INDEX IF NOT EXISTS incoming_facts_place ON incoming_facts (place);
CREATE TEMPORARY TABLE IF NOT EXISTS incoming_certain (id uuid, account_id uuid, invoice_id uuid, debit_id uuid)
ON COMMIT DELETE ROWS;
CREATE TEMPORARY TABLE IF NOT EXISTS incoming_proposals (
    entry_id uuid, rank int, account_id uuid, invoice_id uuid, score int, reasons text[]
) ON COMMIT DELETE ROWS;
TRUNCATE incoming_entries, incoming_numbers, incoming_candidates, incoming_facts, incoming_certain, incoming_proposals,
    incoming_former_keys, incoming_repeats, incoming_debits
"""


class IncomingBankEntry(NamedTuple):
    """An entry as it comes in: a row of `incoming_entries`."""

    place: int
    id: UUID
    bank_account: str
    entry_key: str
    kind: str
    is_credit: bool
    amount: int
    currency: str
    booked_on: date
    payer: str | None
    text: str
    reference: str
    ids: list[str]
    return_reason: str | None
    grams: list[str]
    is_doubtful: bool = False


IncomingFormerKey = tuple[int, str, str, str | None, str]
"""A former key of an entry that comes in: place, bank account, key, payer, text."""


async def stage_bank_entries(
    unit: Unit, entries: AsyncIterable[IncomingBankEntry], former_keys: Sequence[IncomingFormerKey] = ()
) -> None:
    """Copy the entries of a file into temporary tables of this connection.

    `former_keys` is read when all entries are copied, so that reading them may fill it.
    """
    await unit.connection.execute(_TEMPORARY)
    await unit.connection.copy_records_to_table("incoming_entries", records=entries, columns=IncomingBankEntry._fields)
    await unit.connection.copy_records_to_table("incoming_former_keys", records=former_keys)


COMMON = 5
"""What more than so many share (an amount, a name) tells none of them from the others."""

_NUMBERS = "INSERT INTO incoming_numbers SELECT id, unnest(grams) FROM incoming_entries WHERE kind <> 'debit'"
_BY_NUMBER = f"""
INSERT INTO incoming_candidates SELECT n.id, i.account_id, i.id, $1
FROM incoming_numbers n JOIN invoices i ON {NORMAL_NUMBER.format("i.number")} = n.gram
"""
_BY_WRONG_REFERENCE = f"""
INSERT INTO incoming_candidates SELECT n.id, i.account_id, i.id, $1
FROM incoming_numbers n JOIN invoices i ON {NORMAL_NUMBER.format("i.number")} = substr(n.gram, length($2::text) + 1)
WHERE starts_with(n.gram, $2)
"""
_BY_REFERENCE = f"""
INSERT INTO incoming_candidates SELECT n.id, i.account_id, i.id, $1
FROM incoming_numbers n JOIN invoices i
    ON {NORMAL_NUMBER.format("i.external_reference")} = n.gram AND i.external_reference IS NOT NULL
"""
_BY_AMOUNT = """
WITH wanted AS (
    SELECT DISTINCT amount, currency FROM incoming_entries WHERE kind <> 'debit'
), rare AS (
    SELECT w.amount, w.currency, array_agg(s.invoice_id) AS invoice_ids
    FROM wanted w
    JOIN invoice_states s ON s.open_minor = w.amount AND s.open_minor > 0
    JOIN invoices i ON i.id = s.invoice_id AND i.currency = w.currency
    GROUP BY w.amount, w.currency HAVING count(*) <= $2
)
INSERT INTO incoming_candidates SELECT n.id, s.account_id, s.invoice_id, $1
FROM incoming_entries n JOIN rare r ON r.amount = n.amount AND r.currency = n.currency AND n.kind <> 'debit'
JOIN invoice_states s ON s.invoice_id = ANY(r.invoice_ids)
"""
_BY_TOTAL = """
WITH totals AS (
    SELECT account_id, sum(open_minor) AS total FROM invoice_states WHERE open_minor > 0
    GROUP BY account_id HAVING count(*) > 1
), rare AS (
    SELECT t.total, a.currency, array_agg(a.id) AS account_ids
    FROM totals t JOIN accounts a ON a.id = t.account_id
    WHERE t.total IN (SELECT amount FROM incoming_entries)
    GROUP BY t.total, a.currency HAVING count(*) <= $2
)
INSERT INTO incoming_candidates SELECT n.id, unnest(r.account_ids), NULL, $1
FROM incoming_entries n JOIN rare r ON r.total = n.amount AND r.currency = n.currency AND n.kind <> 'debit'
"""
_BY_NAME = f"""
WITH payers AS (
    SELECT id, amount, {NORMAL_NAME.format("payer")} AS normal FROM incoming_entries
    WHERE payer IS NOT NULL AND kind <> 'debit'
), rare AS (
    SELECT {NORMAL_NAME.format("a.name")} AS normal, array_agg(a.id) AS account_ids FROM accounts a
    WHERE {NORMAL_NAME.format("a.name")} IN (SELECT normal FROM payers WHERE normal <> '')
    GROUP BY 1 HAVING count(*) <= $2
), named AS (
    SELECT p.id, p.amount, unnest(r.account_ids) AS account_id FROM payers p JOIN rare r ON r.normal = p.normal
)
INSERT INTO incoming_candidates SELECT n.id, n.account_id, s.invoice_id, $1
FROM named n LEFT JOIN LATERAL (
    SELECT invoice_id FROM invoice_states WHERE account_id = n.account_id AND open_minor > 0
    ORDER BY open_minor = n.amount DESC, invoice_id LIMIT 3
) s ON true
"""
_FACTS = """
WITH found AS (
    SELECT id, account_id, invoice_id, bool_or(by = 'number') AS by_number, bool_or(by = 'reference') AS by_reference,
        bool_or(by = 'wrong_reference') AS by_wrong_reference
    FROM incoming_candidates GROUP BY id, account_id, invoice_id
), totals AS (
    SELECT account_id, sum(open_minor)::bigint AS total FROM invoice_states
    WHERE open_minor > 0 AND account_id IN (SELECT account_id FROM found) GROUP BY account_id
)
INSERT INTO incoming_facts
SELECT n.place, n.id, n.kind, n.amount, n.currency, n.payer, n.is_doubtful, a.id, a.name, a.currency,
    coalesce(t.total, 0),
    f.invoice_id, coalesce(s.open_minor, 0), f.by_number, f.by_reference, f.by_wrong_reference,
    EXISTS (SELECT FROM debits d WHERE d.invoice_id = f.invoice_id AND d.state = 'initiated')
FROM found f
JOIN incoming_entries n ON n.id = f.id
JOIN accounts a ON a.id = f.account_id
LEFT JOIN totals t ON t.account_id = f.account_id
LEFT JOIN invoice_states s ON s.invoice_id = f.invoice_id
"""


_BY_DEBIT = f"""
INSERT INTO incoming_debits SELECT DISTINCT e.place, e.id, d.id
FROM incoming_numbers n JOIN debits d ON {NORMAL_NUMBER.format("d.reference")} = n.gram
JOIN incoming_entries e ON e.id = n.id
"""
_LAST = """
SELECT coalesce(max(place), 0) FROM (SELECT place FROM incoming_facts UNION ALL SELECT place FROM incoming_debits) AS p
"""


async def stage_bank_match_candidates(unit: Unit) -> int:
    """Find candidates for all entries that have come in; up to which place there are any."""
    run = unit.connection.execute
    await run(_NUMBERS)
    await run("ANALYZE incoming_entries, incoming_numbers")
    await run(_BY_NUMBER, "number")
    await run(_BY_REFERENCE, "reference")
    await run(_BY_WRONG_REFERENCE, "wrong_reference", WRONG)
    await run(_BY_DEBIT)
    for query, by in ((_BY_AMOUNT, "amount"), (_BY_TOTAL, "total"), (_BY_NAME, "name")):
        await run(query, by, COMMON)
    await run("ANALYZE incoming_candidates")
    await run(_FACTS)
    await run("ANALYZE incoming_facts")
    return await unit.connection.fetchval(_LAST)  # type: ignore[no-any-return]


_SOME = "SELECT * FROM incoming_facts WHERE place > $1 AND place <= $2 ORDER BY place, account_id, invoice_id"

_SOME_DEBITS = """
SELECT n.id AS entry_id, n.kind, n.amount, n.currency, n.payer, coalesce(n.is_doubtful, false) AS is_doubtful, d.*,
    a.name, EXISTS (SELECT FROM bank_entries b WHERE b.payment_id = d.payment_id) AS has_entry
FROM incoming_debits i JOIN incoming_entries n ON n.id = i.id JOIN debits d ON d.id = i.debit_id
JOIN accounts a ON a.id = d.account_id
WHERE i.place > $1 AND i.place <= $2 ORDER BY i.place, d.account_id, d.id
"""


class BankMatchEvidence(NamedTuple):
    """An entry with its candidates, and the debits whose reference it carries."""

    receipt: ReceivedBankEntry
    candidates: list[BankMatchCandidate]
    debits: list[DebitNamedByBankEntry]


async def map_bank_match_evidence(unit: Unit, after: int, upto: int) -> dict[UUID, BankMatchEvidence]:
    """The entries of these places that have candidates or carry debits, with these."""
    evidence_by_entry: dict[UUID, BankMatchEvidence] = {}
    for row in await unit.connection.fetch(_SOME, after, upto):
        candidate = BankMatchCandidate(
            account_id=row["account_id"],
            name=row["name"],
            currency=row["account_currency"],
            account_open=row["account_open"],
            invoice_id=row["invoice_id"],
            invoice_open=row["invoice_open"],
            by_number=row["by_number"],
            by_reference=row["by_reference"],
            by_wrong_reference=row["by_wrong_reference"],
            has_debit=row["has_debit"],
        )
        evidence_by_entry.setdefault(row["id"], BankMatchEvidence(_receipt(row), [], [])).candidates.append(candidate)
    for row in await unit.connection.fetch(_SOME_DEBITS, after, upto):
        evidence_by_entry.setdefault(row["entry_id"], BankMatchEvidence(_receipt(row), [], [])).debits.append(
            build_debit_of_entry(row)
        )
    return evidence_by_entry


def _receipt(row: asyncpg.Record) -> ReceivedBankEntry:
    return ReceivedBankEntry(
        BankEntryKind(row["kind"]), row["amount"], row["currency"], row["payer"], row["is_doubtful"]
    )


async def stage_bank_match_results(unit: Unit, verdicts: Mapping[UUID, BankMatch]) -> None:
    """Note what was found out about entries that have come in."""
    certain = [
        (id_, verdict.certain.account_id, verdict.certain.invoice_id, verdict.debit_id)
        for id_, verdict in verdicts.items()
        if verdict.certain is not None
    ]
    proposed = [
        (
            id_,
            rank,
            proposal.candidate.account_id,
            proposal.candidate.invoice_id,
            proposal.score,
            list(proposal.reasons),
        )
        for id_, verdict in verdicts.items()
        for rank, proposal in enumerate(verdict.proposals, 1)
    ]
    await unit.connection.copy_records_to_table("incoming_certain", records=certain)
    await unit.connection.copy_records_to_table("incoming_proposals", records=proposed)


CHOOSE_ENTRY_STATE = "CASE WHEN c.id IS NOT NULL THEN 'certain' WHEN n.kind = 'debit' THEN 'kept' ELSE 'unmatched' END"
"""`choose_entry_state` of the domain, of `incoming_entries n` and, if it is certain, its `incoming_certain c`."""
_COUNT = f"""
SELECT {CHOOSE_ENTRY_STATE} AS state,
    count(*) AS entries
FROM incoming_entries n LEFT JOIN incoming_certain c ON c.id = n.id GROUP BY 1
"""


async def count_bank_match_outcomes(unit: Unit) -> dict[str, int]:
    """How many of the entries that have come in are to be in which state."""
    return {row["state"]: row["entries"] for row in await unit.connection.fetch(_COUNT)}
