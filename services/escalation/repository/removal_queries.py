"""Words of people are removed, set-based: of closed cases, of mails of no case, and of what one person wrote or got.

What a statement needs from others stands before it: the audit is emptied by the ids that the others have.
"""

from collections.abc import Mapping, Sequence
from uuid import UUID

import asyncpg

from services.escalation.domain.removals import KEPT_DETAILS, REMOVED
from services.escalation.tables import RetentionPeriodRow
from shared.persistence.audit_queries import erase_values_by_type
from shared.persistence.database import Unit
from shared.web import idempotency

IS_RETENTION_OVER = "{0} <= $1::timestamptz - make_interval(days => (SELECT days FROM retention_period))"
"""`is_retention_over` of the domain at $1; to be formatted with the column since when words are kept."""
DUE_CASES = f"""
SELECT coalesce(account_id, id)::text FROM cases
WHERE {IS_RETENTION_OVER.format("words_since")} AND unread_answers = 0
ORDER BY words_since
"""
DUE_MAILS = f"""
SELECT id::text FROM inbound_mails WHERE case_id IS NULL AND removed_at IS NULL
    AND {IS_RETENTION_OVER.format("received_at")}
ORDER BY received_at
"""
DUE_BOUNCES = """
SELECT bounce_id::text FROM other_bounces WHERE received_at <= $1::timestamptz - interval '90 days'
ORDER BY received_at
"""

_CASES_OF_SUBJECTS = f"""
SELECT id FROM cases
WHERE {IS_RETENTION_OVER.format("words_since")} AND unread_answers = 0
    AND coalesce(account_id, id) = ANY ($2)
ORDER BY words_since LIMIT $3
"""
_WITH_MERGED = "SELECT id FROM cases WHERE id = ANY ($1) OR merged_into = ANY ($1)"

_EMPTY_ENTRIES = """
UPDATE entries SET content = '', removed_at = $2, details = coalesce(
    (SELECT jsonb_object_agg(key, value) FROM jsonb_each(details) WHERE key = ANY ($3)), '{{}}')
WHERE {column} = ANY ($1) AND removed_at IS NULL RETURNING id
"""
_EMPTY_MAILS = """
UPDATE inbound_mails SET sender = NULL, subject = '', content = '', message_id = NULL, removed_at = $2,
    details = jsonb_build_object('is_cut', details -> 'is_cut', 'files', '[]'::jsonb, 'refused_files', '[]'::jsonb)
WHERE {column} = ANY ($1) AND removed_at IS NULL RETURNING id
"""
_EMPTY_FILES = """
UPDATE attachments SET name = '', removed_at = $2 WHERE {column} = ANY ($1) AND removed_at IS NULL RETURNING id
"""
_DELETE_CHUNKS = "DELETE FROM attachment_chunks WHERE attachment_id = ANY ($1)"
_DELETE_WORDS = "DELETE FROM case_words WHERE text_id = ANY ($1)"

_OF_CASES = (
    "DELETE FROM case_words WHERE case_id = ANY ($1)",
    "UPDATE case_mails SET in_reply_to = NULL WHERE case_id = ANY ($1) AND in_reply_to IS NOT NULL",
    """
    UPDATE dispute_amendments SET reason = $2
    WHERE dispute_id IN (SELECT id FROM disputes WHERE case_id = ANY ($1))
    """,
    """
    UPDATE ticket_notes SET content = ''
    WHERE ticket_id IN (SELECT id FROM vendor_tickets WHERE case_id = ANY ($1))
    """,
)
_OBJECTS_OF_CASES: Mapping[str, str] = {
    "dispute": """
    UPDATE disputes SET comment = NULL, ended_reason = CASE WHEN ended_reason IS NOT NULL THEN $2 END
    WHERE case_id = ANY ($1) RETURNING id
    """,
    "service_credit": """
    UPDATE service_credits SET evidence = '{}', ended_reason = CASE WHEN ended_reason IS NOT NULL THEN $2 END
    WHERE case_id = ANY ($1) RETURNING id
    """,
    "vendor_ticket": """
    UPDATE vendor_tickets SET title = $2, description = $2, entries = '[]', decisions = '[]',
        solved_reason = CASE WHEN solved_reason IS NOT NULL THEN $2 END
    WHERE case_id = ANY ($1) RETURNING id
    """,
    "case": """
    UPDATE cases SET subject = $2, description = NULL, outcome = CASE WHEN outcome IS NOT NULL THEN $2 END,
        no_customer_affected = CASE WHEN no_customer_affected IS NOT NULL THEN $2 END, version = version + 1
    WHERE id = ANY ($1) RETURNING id
    """,
}
_EMPTY_COPIES = """
UPDATE vendor_tickets t SET entries = (
    SELECT jsonb_agg(CASE WHEN (c.entry ->> 'id')::uuid = ANY ($1) THEN c.entry || '{"content": ""}' ELSE c.entry END
        ORDER BY c.place)
    FROM jsonb_array_elements(t.entries) WITH ORDINALITY AS c (entry, place))
WHERE t.case_id IN (
    SELECT unnest(ARRAY[c.id, c.merged_into]) FROM entries e JOIN cases c ON c.id = e.case_id WHERE e.id = ANY ($1))
    AND EXISTS (SELECT FROM jsonb_array_elements(t.entries) AS c (entry) WHERE (c.entry ->> 'id')::uuid = ANY ($1))
RETURNING t.id
"""
"""Tickets have copies of the entries that somebody chose for the vendor."""
ANSWERS_WITHOUT_WORDS = ("POST /v1/inbound-mails",)
"""Routes whose answers stay: a relay that hands a mail over again is told what became of it."""
_MARK_CASES = "UPDATE cases SET words_since = NULL, words_removed_at = $2 WHERE id = ANY ($1)"


async def remove_words_of_cases(unit: Unit, subjects: Sequence[UUID], limit: int) -> None:
    """Remove the words of closed cases of these subjects, which are locked, with those of cases merged into them."""
    rows = await unit.connection.fetch(_CASES_OF_SUBJECTS, unit.now, subjects, limit)
    case_ids = [row["id"] for row in await unit.connection.fetch(_WITH_MERGED, [row["id"] for row in rows])]
    for statement in _OF_CASES:
        arguments = [case_ids, REMOVED] if "$2" in statement else [case_ids]
        await unit.connection.execute(statement, *arguments)
    emptied = [*case_ids]
    for object_type, statement in _OBJECTS_OF_CASES.items():
        changed = await unit.connection.fetch(statement, case_ids, REMOVED)
        emptied += [row["id"] for row in changed]
        await erase_values_by_type(unit, [object_type], [row["id"] for row in changed])
    emptied += await _empty_entries(unit, "case_id", case_ids)
    mail_ids = await _empty_mails(unit, "case_id", case_ids)
    emptied += mail_ids
    emptied += await _empty_files(unit, "case_id", case_ids)
    await _empty_files(unit, "inbound_mail_id", mail_ids)
    await idempotency.delete_first_answers(unit, emptied, ANSWERS_WITHOUT_WORDS)
    await unit.connection.execute(_MARK_CASES, case_ids, unit.now)


async def remove_mail_words(unit: Unit, mail_ids: Sequence[UUID], entry_ids: Sequence[UUID]) -> None:
    """Remove what these mails say and bring, and the entries that have their words; whoever they are of is locked."""
    emptied = await _empty_entries(unit, "id", entry_ids)
    await unit.connection.execute(_DELETE_WORDS, entry_ids)
    emptied += await _empty_mails(unit, "id", mail_ids)
    emptied += [row["id"] for row in await unit.connection.fetch(_EMPTY_COPIES, entry_ids)]
    await _empty_files(unit, "inbound_mail_id", mail_ids)
    await idempotency.delete_first_answers(unit, emptied, ANSWERS_WITHOUT_WORDS)


async def _empty_entries(unit: Unit, column: str, ids: Sequence[UUID]) -> list[UUID]:
    rows = await unit.connection.fetch(_EMPTY_ENTRIES.format(column=column), ids, unit.now, sorted(KEPT_DETAILS))
    entry_ids = [row["id"] for row in rows]
    await erase_values_by_type(unit, ["case_entry", "contact", "message"], entry_ids)
    return entry_ids


async def _empty_mails(unit: Unit, column: str, ids: Sequence[UUID]) -> list[UUID]:
    rows = await unit.connection.fetch(_EMPTY_MAILS.format(column=column), ids, unit.now)
    mail_ids = [row["id"] for row in rows]
    await erase_values_by_type(unit, ["inbound_mail"], mail_ids)
    return mail_ids


async def _empty_files(unit: Unit, column: str, ids: Sequence[UUID]) -> list[UUID]:
    rows = await unit.connection.fetch(_EMPTY_FILES.format(column=column), ids, unit.now)
    file_ids = [row["id"] for row in rows]
    await unit.connection.execute(_DELETE_CHUNKS, file_ids)
    await erase_values_by_type(unit, ["attachment"], file_ids)
    return file_ids


async def delete_other_bounces(unit: Unit, bounce_ids: Sequence[UUID]) -> None:
    """Delete the bounces of mails that are of no case."""
    await unit.connection.execute("DELETE FROM other_bounces WHERE bounce_id = ANY ($1)", bounce_ids)


async def lock_unclaimed_mails(unit: Unit, mail_ids: Sequence[UUID]) -> list[UUID]:
    """Lock those of these mails that joined no case meanwhile."""
    query = """
        SELECT id FROM inbound_mails WHERE id = ANY ($1) AND case_id IS NULL AND removed_at IS NULL
        ORDER BY id FOR UPDATE
    """
    return [row["id"] for row in await unit.connection.fetch(query, mail_ids)]


async def lock_inbound_mails(unit: Unit, mail_ids: Sequence[UUID]) -> None:
    """Lock mails that came in, so that none of them joins a case meanwhile."""
    await unit.connection.execute("SELECT FROM inbound_mails WHERE id = ANY ($1) ORDER BY id FOR UPDATE", mail_ids)


async def get_case_retention_period(unit: Unit) -> RetentionPeriodRow:
    """Get for how long words are kept."""
    row = await unit.session.get(RetentionPeriodRow, 1, populate_existing=True, with_for_update=not unit.is_reading)
    assert row is not None, "the migration has put it there"
    return row


async def save_case_retention_period(unit: Unit, row: RetentionPeriodRow) -> None:
    """Write for how long words are kept."""
    unit.session.add(row)
    await unit.session.flush()


_MAILS_OF_PERSON = """
SELECT entry_id AS id, 'out' AS direction, case_id, entry_id, account_id FROM case_mails
WHERE contact_person_id = $1 AND entry_id > $3
    AND ($5 OR EXISTS (SELECT FROM entries e WHERE e.id = entry_id AND e.removed_at IS NULL))
ORDER BY entry_id LIMIT $4
"""
_MAILS_BY = """
SELECT m.id, 'in' AS direction, m.case_id, m.entry_id, c.account_id
FROM inbound_mails m LEFT JOIN cases c ON c.id = m.case_id
WHERE m.{condition} AND m.id > $3 AND ($5 OR m.removed_at IS NULL) ORDER BY m.id LIMIT $4
"""
_FIND_MAILS = f"""
SELECT * FROM (({_MAILS_OF_PERSON}) UNION ({_MAILS_BY.format(condition="contact_person_id = $1")})
    UNION ({_MAILS_BY.format(condition="sender = ANY ($2)")})) AS mails
ORDER BY id LIMIT $4
"""
"""Mails that a person got or wrote, and those of these senders; $5: those that were removed, too."""
_EXPORT = f"""
SELECT f.id, f.direction, f.case_id, f.entry_id, coalesce(i.received_at, o.queued_at) AS passed_at, i.sender,
    i.subject, coalesce(nullif(i.content, ''), e.content, '') AS content, coalesce(e.removed_at, i.removed_at) AS
    removed_at, ARRAY(SELECT a.id FROM attachments a WHERE a.inbound_mail_id = i.id ORDER BY a.id) AS attachment_ids
FROM ({_FIND_MAILS}) AS f LEFT JOIN entries e ON e.id = f.entry_id
LEFT JOIN case_mails o ON f.direction = 'out' AND o.entry_id = f.id
LEFT JOIN inbound_mails i ON f.direction = 'in' AND i.id = f.id ORDER BY f.id
"""
FIRST_ID = UUID(int=0)


async def list_remaining_mails(
    unit: Unit, contact_person_id: UUID | None, senders: Sequence[str], limit: int
) -> list[asyncpg.Record]:
    """List the mails with words that a person got or wrote, and those of these senders, the oldest first."""
    return await unit.connection.fetch(  # type: ignore[no-any-return]
        _FIND_MAILS, contact_person_id, senders, FIRST_ID, limit, False
    )


async def list_correspondence_of_person(
    unit: Unit, contact_person_id: UUID, senders: Sequence[str], after: UUID | None, limit: int
) -> list[asyncpg.Record]:
    """List what a person got and wrote, and what these senders wrote, in the order of its ids."""
    return await unit.connection.fetch(  # type: ignore[no-any-return]
        _EXPORT, contact_person_id, senders, after or FIRST_ID, limit, True
    )
