"""Mails that came in, and whose they may be."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import orjson
from sqlmodel import col, select

from services.escalation.tables import CaseRow, InboundMailRow
from shared.persistence.bulk_rows import Jsonb, RowParameters
from shared.persistence.database import Unit
from shared.pure.errors import NotFound


class NewInboundMail(NamedTuple):
    """A row of `inbound_mails` that joined no case yet."""

    id: UUID
    mail_key: str
    digest: str
    is_first: bool
    message_id: str | None
    state: str
    reason: str | None
    sender: str | None
    subject: str
    content: str
    details: Jsonb
    received_at: datetime


_NEW = RowParameters(NewInboundMail)
_INSERT = f"""
INSERT INTO inbound_mails ({_NEW.columns}) VALUES ({_NEW.values}) ON CONFLICT DO NOTHING RETURNING true
"""


async def insert_inbound_mail(unit: Unit, row: InboundMailRow) -> bool:
    """Insert a mail that joined no case yet, unless its key is here; whether it was inserted."""
    mail = _NEW.pick_row(row)._replace(details=orjson.dumps(row.details).decode())
    return bool(await unit.connection.fetchval(_INSERT, *mail))


async def get_inbound_mail_row(unit: Unit, mail_id: UUID) -> InboundMailRow:
    """Get a mail as it is in the database now. Raises NotFound."""
    row = await unit.session.get(InboundMailRow, mail_id, populate_existing=True)
    if row is None:
        raise NotFound(f"there is no inbound mail {mail_id}")
    return row


async def find_identical_mail(unit: Unit, mail_key: str, digest: str) -> InboundMailRow | None:
    """Find the same mail, with the same content."""
    query = select(InboundMailRow).where(InboundMailRow.mail_key == mail_key, InboundMailRow.digest == digest)
    return (await unit.session.exec(query)).first()


async def save_inbound_mail(unit: Unit, row: InboundMailRow) -> None:
    """Write what became of a mail."""
    unit.session.add(row)
    await unit.session.flush()


async def list_inbound_mail_rows(
    unit: Unit, state: str | None, case_id: UUID | None, after: UUID | None, limit: int
) -> Sequence[InboundMailRow]:
    """List mails in the order in which they came."""
    query = select(InboundMailRow)
    if state is not None:
        query = query.where(InboundMailRow.state == state)
    if case_id is not None:
        query = query.where(InboundMailRow.case_id == case_id)
    if after is not None:
        query = query.where(col(InboundMailRow.id) > after)
    return (await unit.session.exec(query.order_by(col(InboundMailRow.id)).limit(limit))).all()


_CASES_OF_ADDRESSES = """
SELECT coalesce(c.merged_into, c.id) AS id FROM case_addresses a JOIN cases c ON c.id = a.case_id
WHERE a.token = ANY ($1) ORDER BY c.id LIMIT $2
"""
_CASES_OF_MAILS = """
SELECT coalesce(c.merged_into, c.id) AS id FROM case_mails m JOIN cases c ON c.id = m.case_id
WHERE m.secret = ANY ($1) ORDER BY m.entry_id LIMIT $2
"""
MAX_NAMED_CASES = 20
"""How many cases a mail names at most; further ones count for nothing."""


async def list_cases_of_addresses(unit: Unit, tokens: Collection[str]) -> list[CaseRow]:
    """List the cases that go on with what comes to the addresses with these secrets, the oldest first."""
    return await _list_cases(unit, _CASES_OF_ADDRESSES, tokens)


async def list_cases_of_mails(unit: Unit, secrets: Collection[str]) -> list[CaseRow]:
    """List the cases that go on with the answers of machines to mails with these secrets."""
    return await _list_cases(unit, _CASES_OF_MAILS, secrets)


async def _list_cases(unit: Unit, query: str, secrets: Collection[str]) -> list[CaseRow]:
    rows = await unit.connection.fetch(query, sorted(secrets), MAX_NAMED_CASES)
    case_ids = dict.fromkeys(row["id"] for row in rows)
    cases = [await unit.session.get(CaseRow, case_id, populate_existing=True) for case_id in case_ids]
    return [case for case in cases if case is not None]


async def find_bounced_case_mail(unit: Unit, secrets: Collection[str]) -> tuple[UUID, UUID] | None:
    """Find the mail of ours with one of these secrets, and its account."""
    query = "SELECT entry_id, account_id FROM case_mails WHERE secret = ANY ($1) ORDER BY entry_id LIMIT 1"
    row = await unit.connection.fetchrow(query, sorted(secrets))
    return (row["entry_id"], row["account_id"]) if row else None


async def insert_other_bounce(unit: Unit, bounce_id: UUID, code: str) -> bool:
    """Insert the bounce of a mail that is of no case, unless it is here; whether it was inserted."""
    query = """
        INSERT INTO other_bounces (bounce_id, code, received_at) VALUES ($1, $2, $3)
        ON CONFLICT DO NOTHING RETURNING true
    """
    return bool(await unit.connection.fetchval(query, bounce_id, code, unit.now))


async def find_last_customer_message(unit: Unit, case_id: UUID) -> str | None:
    """Find the Message-ID of the last mail of the customer that joined a case; none that a machine wrote."""
    query = """
        SELECT message_id FROM inbound_mails
        WHERE case_id = $1 AND message_id IS NOT NULL AND state = 'joined' AND NOT details ? 'vendor_ticket'
        ORDER BY entry_id DESC LIMIT 1
    """
    message_id: str | None = await unit.connection.fetchval(query, case_id)
    return message_id


async def redirect_mails_of_case(unit: Unit, case_id: UUID, target_id: UUID) -> None:
    """Let the mails of a case be those of the one that it was merged into."""
    await unit.connection.execute("UPDATE inbound_mails SET case_id = $2 WHERE case_id = $1", case_id, target_id)


async def mark_case_mails_read(unit: Unit, case_id: UUID, last_entry_id: UUID) -> int:
    """Mark the mails of a case as read, up to an entry; how many are unread then."""
    query = """
        UPDATE inbound_mails SET read_at = $3 WHERE case_id = $1 AND entry_id <= $2 AND read_at IS NULL
    """
    await unit.connection.execute(query, case_id, last_entry_id, unit.now)
    unread = "SELECT count(*) FROM inbound_mails WHERE case_id = $1 AND read_at IS NULL"
    return int(await unit.connection.fetchval(unread, case_id))


async def lock_inbound_mail(unit: Unit, mail_id: UUID) -> None:
    """Lock a mail, so that one person decides about it."""
    await unit.connection.execute("SELECT FROM inbound_mails WHERE id = $1 FOR UPDATE", mail_id)
