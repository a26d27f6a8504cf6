"""The streams: one row for each subject of this service, with the sequence of its last event.

The row is the subject's lock: whoever changes facts about an account holds it until commit, so the
order of sequence numbers is the order of facts, and a sequence has no gap.
"""

from collections.abc import Collection, Iterable
from datetime import datetime

import asyncpg

_LOCK = """
SELECT subject, sequence FROM streams WHERE subject = ANY($1::text[])
ORDER BY subject FOR NO KEY UPDATE
"""
_CREATE = """
INSERT INTO streams (subject, sequence)
SELECT subject, 0 FROM unnest($1::text[]) AS subject ORDER BY subject
ON CONFLICT (subject) DO NOTHING
"""


async def lock_subject_streams(connection: asyncpg.Connection, subjects: Iterable[str]) -> dict[str, int]:
    """Lock the rows of these subjects, in order; returns their sequences. New subjects begin at 0."""
    wanted = sorted(set(subjects))
    rows = await connection.fetch(_LOCK, wanted)
    if len(rows) < len(wanted):
        await connection.execute(_CREATE, wanted)
        rows = await connection.fetch(_LOCK, wanted)
    return {row["subject"]: row["sequence"] for row in rows}


_CLAIM = """
SELECT subject, sequence FROM streams WHERE subject = ANY(ARRAY({due} LIMIT $3)) AND subject <> ALL($4::text[])
LIMIT $2 FOR NO KEY UPDATE SKIP LOCKED
"""
WINDOW = 4
"""Among how many due rows a claim looks first, as a multiple of what it wants: not among all that there are."""


async def claim_due_subjects(
    connection: asyncpg.Connection, due: str, now: datetime, limit: int, passed_over: Collection[str] = ()
) -> dict[str, int]:
    """Lock accounts that `due` selects at $1 = now, skipping those that are passed over or in others' hands.

    It waits for nobody, so that the order in which it locks can be any. Where others hold everything at the front,
    it looks at all that is due.
    """
    query = _CLAIM.format(due=due)
    window, excluded = limit * WINDOW, list(passed_over)
    rows = await connection.fetch(query, now, limit, window, excluded)
    if not rows:
        rows = await connection.fetch(query, now, limit, None, excluded)
    return {row["subject"]: row["sequence"] for row in rows}
