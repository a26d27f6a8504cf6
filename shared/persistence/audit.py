"""The audit: who changed what by which request or command, as one entry that is only appended.

A request's cause carries its `Act`; the use case says what it changed (`Unit.record`, or `Unit.record_nothing`), and
the unit writes the entries of all its requests in one statement just before it commits. What a machine does by itself
has no act, and leaves no entry. `personal` holds what people wrote and what tells of them; it alone can be emptied.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any, NamedTuple, Protocol
from uuid import UUID

import orjson

from shared.pure.ids import new_id

Values = Mapping[str, Any]
"""Fields of an object by name."""

PLAIN_TEXTS = frozenset(
    {
        "channel",
        "country",
        "currency",
        "date_format",
        "decimal_separator",
        "decision",
        "delimiter",
        "encoding",
        "fixed_currency",
        "kind",
        "language",
        "legal_entity",
        "rates",
        "reason_code",
        "role",
        "state",
        "subdivision",
        "support_level",
        "tax_calculator",
        "tax_status",
        "time_zone",
        "vendor_customer_ids",
    }
)
"""Fields whose text is a code and tells of nobody. The text of any other field may, and is personal."""


class RequestNotAudited(Exception):
    """A request was accepted, and nothing said what it changed: a defect, and its unit is undone."""


@dataclass(frozen=True, slots=True)
class AuditedAct:
    """Act of a caller by one request, or a person with one command; the id is its entry's."""

    actor: str
    action: str
    """A stable code, such as `payment.record`."""
    reason: str | None = None
    id: UUID = field(default_factory=new_id)


class ActingCause(Protocol):
    """Cause of an entry: the request or command that it goes back to."""

    @property
    def id(self) -> str: ...
    @property
    def act(self) -> AuditedAct | None: ...


@dataclass(frozen=True, slots=True)
class AuditedChange:
    """Change of one object, or its making (without `before` and `after`); both may have fields that stayed."""

    object_type: str
    object_id: object
    account_id: UUID | None = None
    before: Values | None = None
    after: Values | None = None


class AuditEntry(NamedTuple):
    """A row of `audit_entries`; the last three are JSON."""

    id: UUID
    occurred_at: datetime
    actor: str
    action: str
    account_id: UUID | None
    object_type: str
    object_id: str
    cause_id: str
    before: str | None
    after: str | None
    personal: str


def build_audit_entry(cause: ActingCause, act: AuditedAct, now: datetime, change: AuditedChange) -> AuditEntry:
    """Build the entry of a request that changed this at `now`."""
    before, after, personal = split_personal_values(change.before, change.after)
    if act.reason is not None:
        personal["reason"] = act.reason
    return AuditEntry(
        act.id,
        now,
        act.actor,
        act.action,
        change.account_id,
        change.object_type,
        str(change.object_id),
        cause.id,
        _as_json(before),
        _as_json(after),
        _as_json(personal) or "{}",
    )


def split_personal_values(
    before: Values | None, after: Values | None
) -> tuple[Values | None, Values | None, dict[str, Any]]:
    """Split what changed into what is plain (before, after) and what is personal (under the same two names).

    A field is plain if both of its values are. Without `before` and `after` there is nothing of either.
    """
    if before is None and after is None:
        return None, None, {}
    former, present = before or {}, after or {}
    changed = [name for name in {**former, **present} if not _is_equal(former.get(name), present.get(name))]
    plain = {name for name in changed if _is_plain(name, former.get(name)) and _is_plain(name, present.get(name))}
    personal = [name for name in changed if name not in plain]
    words = {
        side: {name: values[name] for name in personal if name in values}
        for side, values in (("before", former), ("after", present))
    }
    return (
        {name: former[name] for name in changed if name in plain and name in former},
        {name: present[name] for name in changed if name in plain and name in present},
        {side: values for side, values in words.items() if values},
    )


def _is_equal(value: object, other: object) -> bool:
    """Whether two values are the same in JSON: a tuple is a list there."""
    if isinstance(value, list | tuple) and isinstance(other, list | tuple):
        return list(value) == list(other)
    return value == other


def _is_plain(name: str, value: object) -> bool:
    if name in PLAIN_TEXTS or isinstance(value, bool | int | float | Decimal | date | UUID | Enum | None):
        return True
    if isinstance(value, str):
        return False
    if isinstance(value, Mapping):
        return all(_is_plain(str(key), item) for key, item in value.items())
    return isinstance(value, Sequence) and all(_is_plain(name, item) for item in value)


def _as_json(values: Values | None) -> str | None:
    return (
        None if values is None else orjson.dumps(values, default=_write_value, option=orjson.OPT_NON_STR_KEYS).decode()
    )


def _write_value(value: object) -> object:
    """A value that JSON has no form for, as what it is written as."""
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, UUID):  # the driver has a kind of its own
        return str(value)
    raise TypeError(f"{type(value).__name__} has no form in JSON")


class Audit:
    """Changes of the requests of one unit so far."""

    def __init__(self) -> None:
        self._entries: dict[str, AuditEntry | None] = {}
        """By the cause's id; None for a request that changed nothing."""

    def record(self, cause: ActingCause, now: datetime, change: AuditedChange | None) -> None:
        """Note what a request changed, or that it changed nothing. Raises RequestNotAudited for a second time."""
        if cause.act is None:
            return
        if cause.id in self._entries:
            raise RequestNotAudited(f"{cause.act.action} is recorded twice: a request has one entry")
        self._entries[cause.id] = None if change is None else build_audit_entry(cause, cause.act, now, change)

    def check(self, cause: ActingCause) -> None:
        """Raise RequestNotAudited if nothing said what an accepted request changed."""
        if cause.act is not None and cause.id not in self._entries:
            raise RequestNotAudited(f"nothing said what {cause.act.action} changed")

    def entries(self) -> list[AuditEntry]:
        """The entries to be written."""
        return [entry for entry in self._entries.values() if entry is not None]

    def count_entries(self) -> int:
        """How many requests have said so far what they changed."""
        return len(self._entries)

    def undo_entries_since(self, mark: int) -> None:
        """Forget what was noted after a mark: it is undone."""
        for cause_id in list(self._entries)[mark:]:
            del self._entries[cause_id]
