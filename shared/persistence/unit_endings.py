"""The statement that ends a unit: it writes events, entries of the audit and answers to keys.

Each of them is a set of rows, and mostly a small one: to send three statements costs more than to execute them.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import asyncpg

from shared.persistence.audit import AuditEntry
from shared.persistence.outbox import OutboxRow


class KeptAnswer(NamedTuple):
    """The answer to a key that the unit has taken, as JSON, and its status."""

    caller: str
    route: str
    key: str
    status: int
    answer: str


_WRITE = """
WITH moved AS (
    UPDATE streams SET sequence = new.sequence
    FROM unnest($1::text[], $2::bigint[]) AS new (subject, sequence)
    WHERE streams.subject = new.subject
), answered AS (
    UPDATE idempotency i SET status = n.status, answer = n.answer
    FROM unnest($3::text[], $4::text[], $5::text[], $6::int[], $7::text[]) AS n (caller, route, key, status, answer)
    WHERE (i.caller, i.route, i.key) = (n.caller, n.route, n.key)
), audited AS (
    INSERT INTO audit_entries
        (id, occurred_at, actor, action, account_id, object_type, object_id, cause_id, before, after, personal)
    SELECT id, occurred_at, actor, action, account_id, object_type, object_id, cause_id, before::jsonb, after::jsonb,
        personal::jsonb
    FROM unnest($8::uuid[], $9::timestamptz[], $10::text[], $11::text[], $12::uuid[], $13::text[], $14::text[],
        $15::text[], $16::text[], $17::text[], $18::text[]) AS entry
        (id, occurred_at, actor, action, account_id, object_type, object_id, cause_id, before, after, personal)
)
INSERT INTO outbox (subject, type, headers, data)
SELECT subject, type, headers, data
FROM unnest($19::text[], $20::text[], $21::jsonb[], $22::text[]) WITH ORDINALITY
    AS event (subject, type, headers, data, place)
ORDER BY place
"""


async def write_unit_ending(
    connection: asyncpg.Connection,
    events: Sequence[OutboxRow],
    sequences: Mapping[str, int],
    entries: Sequence[AuditEntry],
    answers: Sequence[KeptAnswer],
) -> None:
    """Write events in their order with the sequences that they used, entries and answers; the streams are locked."""
    subjects = {event.subject for event in events}
    await connection.execute(
        _WRITE,
        list(subjects),
        [sequences[subject] for subject in subjects],
        *_columns(answers, KeptAnswer),
        *_columns(entries, AuditEntry),
        *_columns(events, OutboxRow),
    )


def _columns(rows: Iterable[tuple[object, ...]], kind: type[tuple[object, ...]]) -> list[tuple[object, ...]]:
    """Turn rows into columns; without rows, into as many empty ones as the kind has."""
    return list(zip(*rows, strict=True)) or [()] * len(kind._fields)  # type: ignore[attr-defined]
