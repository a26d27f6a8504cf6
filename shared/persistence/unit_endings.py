"""The statement that ends a unit: it writes events, entries of the audit and answers to keys.

Each of them is a set of rows, and mostly a small one: to send three statements costs more than to execute them.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import asyncpg

from shared.persistence.audit import AuditEntry
from shared.persistence.bulk_rows import Integer, RowParameters
from shared.persistence.outbox import OutboxRow


class KeptAnswer(NamedTuple):
    """The answer to a key that the unit has taken, as JSON, and its status."""

    caller: str
    route: str
    key: str
    status: Integer
    answer: str


_ANSWERS = RowParameters(KeptAnswer, first=3)
_ENTRIES = RowParameters(AuditEntry, first=_ANSWERS.next)
_EVENTS = RowParameters(OutboxRow, first=_ENTRIES.next)
_WRITE = f"""
WITH moved AS (
    UPDATE streams SET sequence = new.sequence
    FROM unnest($1::text[], $2::bigint[]) AS new (subject, sequence)
    WHERE streams.subject = new.subject
), answered AS (
    UPDATE idempotency i SET status = n.status, answer = n.answer
    FROM unnest({_ANSWERS.typed_arrays}) AS n ({_ANSWERS.columns})
    WHERE (i.caller, i.route, i.key) = (n.caller, n.route, n.key)
), audited AS (
    INSERT INTO audit_entries ({_ENTRIES.columns})
    SELECT id, occurred_at, actor, action, account_id, object_type, object_id, cause_id, before::jsonb, after::jsonb,
        personal::jsonb
    FROM unnest({_ENTRIES.typed_arrays}) AS entry ({_ENTRIES.columns})
)
INSERT INTO outbox ({_EVENTS.columns})
SELECT {_EVENTS.columns} FROM unnest({_EVENTS.typed_arrays}) WITH ORDINALITY AS event ({_EVENTS.columns}, place)
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
        *_ANSWERS.split_columns(answers),
        *_ENTRIES.split_columns(entries),
        *_EVENTS.split_columns(events),
    )
