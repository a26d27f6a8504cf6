"""The outbox: events wait here, in the transaction of the fact, until the relay has published them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol

import asyncpg
import orjson

from shared.base import clock
from shared.base.telemetry import get_traceparent
from shared.events import Event
from shared.events.base import get_event_source
from shared.persistence.audit import AuditedAct
from shared.persistence.bulk_rows import Jsonb, RowParameters
from shared.pure.errors import Refusal
from shared.pure.ids import new_text_id

MAX_EVENT_BYTES = 512 * 1024
"""Kafka's default limit is 1 MiB a message; half of it leaves room for headers and growth."""


class EventTooLarge(Refusal):
    """A request that would make an event above the size limit."""

    code = "event_too_large"
    status = 422


class EventCause(Protocol):
    """Fields of an event about the event or request that it goes back to."""

    @property
    def id(self) -> str: ...
    @property
    def traceparent(self) -> str: ...
    @property
    def act(self) -> AuditedAct | None: ...


class OutboxRow(NamedTuple):
    """One event as it waits: its headers are those of the CloudEvents binding for Kafka, in binary mode."""

    subject: str
    type: str
    headers: Jsonb
    data: str


def build_outbox_row(event: Event, *, sequence: int, unit_now: datetime, cause: EventCause) -> OutboxRow:
    """The outbox row of an event that occurred at `unit_now`. Raises EventTooLarge."""
    payload = event.model_dump_json()
    if len(payload.encode()) > MAX_EVENT_BYTES:
        raise EventTooLarge(f"{type(event).__name__} would have {len(payload)} bytes")
    subject = event.subject()
    own = build_own_headers(subject, sequence)
    return OutboxRow(subject, event.type(), _headers(type(event), unit_now, cause, own), payload)


def build_own_headers(subject: str, sequence: int) -> dict[str, str]:
    """Build the headers by which an event differs from others of its unit.

    `BUILD_OWN_HEADERS` does it for one event of each of many subjects.
    """
    return {"ce_id": new_text_id(), "ce_subject": subject, "ce_sequence": str(sequence)}


def _headers(event: type[Event], unit_now: datetime, cause: EventCause, own: Mapping[str, str]) -> str:
    """The headers that all events of a kind in one unit have, and an event's own, as JSON."""
    headers = {
        "ce_specversion": "1.0",
        "ce_source": get_event_source(event.producer),
        "ce_type": event.type(),
        "ce_time": unit_now.isoformat(),
        "ce_recordedtime": clock.read_system_clock().isoformat(),
        "ce_causationid": cause.id,
        "content-type": "application/json",
        **own,
    }
    if within := cause.traceparent or get_traceparent():
        headers["traceparent"] = within
    if cause.act:  # who and why stand in the audit, and nowhere else
        headers["ce_actionid"] = str(cause.act.id)
    return orjson.dumps(headers).decode()


_ROWS = RowParameters(OutboxRow, first=3)
_WRITE = f"""
WITH moved AS (
    UPDATE streams SET sequence = new.sequence
    FROM unnest($1::text[], $2::bigint[]) AS new (subject, sequence)
    WHERE streams.subject = new.subject
)
INSERT INTO outbox ({_ROWS.columns})
SELECT {_ROWS.columns} FROM unnest({_ROWS.typed_arrays}) WITH ORDINALITY AS event ({_ROWS.columns}, place)
ORDER BY place
"""


async def write_outbox_rows(
    connection: asyncpg.Connection, rows: Sequence[OutboxRow], sequences: Mapping[str, int]
) -> None:
    """Write the rows in their order and note the sequences that they used; the streams are locked."""
    subjects = {row.subject for row in rows}
    await connection.execute(
        _WRITE, list(subjects), [sequences[subject] for subject in subjects], *_ROWS.split_columns(rows)
    )


BUILD_OWN_HEADERS = """jsonb_build_object('ce_id', gen_random_uuid(), 'ce_subject', subject,
        'ce_sequence', sequence::text)"""
"""`build_own_headers`, from a row's subject and sequence."""
# Subjects as an array, whose streams are looked up: joined alone, all streams would be read.
_WRITE_EACH = f"""
WITH told AS ({{told}}), moved AS (
    UPDATE streams SET sequence = sequence + 1 FROM told
    WHERE streams.subject = ANY(ARRAY(SELECT subject FROM told)) AND streams.subject = told.subject
    RETURNING streams.subject, streams.sequence
), written AS (
    INSERT INTO outbox (subject, type, headers, data)
    SELECT subject, $1, $2::jsonb || {BUILD_OWN_HEADERS}, data
    FROM told JOIN moved USING (subject) ORDER BY subject
    RETURNING octet_length(data) AS bytes
)
SELECT (SELECT max(bytes) FROM written) AS longest, array_agg(subject) AS subjects, array_agg(sequence) AS sequences
FROM moved
"""


async def write_event_for_each(
    connection: asyncpg.Connection,
    event: type[Event],
    payload_query: str,
    arguments: Sequence[object],
    *,
    unit_now: datetime,
    cause: EventCause,
) -> dict[str, int]:
    """Write one event for each of many subjects, whose streams are locked; their sequences.

    `payload_query` is a query of (subject, data), data as the event's model would write it, with parameters from $3 on.
    Raises EventTooLarge.
    """
    common = _headers(event, unit_now, cause, {})
    written = await connection.fetchrow(_WRITE_EACH.format(told=payload_query), event.type(), common, *arguments)
    if written["longest"] is not None and written["longest"] > MAX_EVENT_BYTES:
        raise EventTooLarge(f"{event.__name__} would have {written['longest']} bytes")
    return dict(zip(written["subjects"] or [], written["sequences"] or [], strict=True))
