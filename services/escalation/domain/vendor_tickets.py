"""Tickets at the vendor: their states, when their answers are due, and which notes are new. With the vendor's port."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from typing import ClassVar, Protocol
from uuid import UUID

from services.escalation.domain.clocks import DAY, DEFAULT_CALENDAR, ResponseTarget
from shared.pure.errors import Refusal


class TicketStatus(StrEnum):
    """Where a ticket is; the last three are the vendor's."""

    PREPARED = "prepared"
    """It waits for a person who submits it."""
    DISCARDED = "discarded"
    OPEN = "open"
    ATTENTION_NEEDED = "attention_needed"
    """The vendor waits for us."""
    CLOSED = "closed"
    """At the vendor; whether the problem is solved a person says."""


_AT_VENDOR = (TicketStatus.OPEN, TicketStatus.ATTENTION_NEEDED, TicketStatus.CLOSED)
TICKET_ALLOWED: Mapping[TicketStatus, frozenset[TicketStatus]] = {
    TicketStatus.PREPARED: frozenset({TicketStatus.OPEN, TicketStatus.DISCARDED}),
    TicketStatus.DISCARDED: frozenset(),
    **{status: frozenset(_AT_VENDOR) - {status} for status in _AT_VENDOR},
}
UNSOLVED = frozenset({TicketStatus.PREPARED, TicketStatus.OPEN, TicketStatus.ATTENTION_NEEDED})
"""Statuses of a ticket that is shown as open."""
READING_INTERVAL = timedelta(minutes=15)
"""Business time between two looks at a ticket at the vendor."""
SLOW_READING_INTERVAL = timedelta(days=1)
"""The same for a ticket that is closed there, and for one that the vendor does not show us."""
VENDOR_CALENDAR = DEFAULT_CALENDAR
"""Hours of the vendor's support in other languages than English."""
_FIRST_ANSWER_MINUTES: Mapping[str, int] = {"A": 2 * 60, "B": 4 * 60, "C": 8 * 60}


class TicketNotAtVendor(Refusal):
    """The ticket is not at the vendor: it was not submitted, or was discarded."""

    code: ClassVar[str] = "not_at_vendor"


@dataclass(frozen=True, slots=True)
class VendorTicketNote:
    """A note as the vendor shows it."""

    author: str
    written_at: datetime | None
    content: str

    @property
    def note_fingerprint(self) -> str:
        """The mark by which it is the same note when it is read again."""
        instant = "" if self.written_at is None else self.written_at.isoformat()
        return sha256(f"{instant}\n{self.content}".encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class VendorTicketView:
    """A ticket as the vendor shows it."""

    status: TicketStatus
    severity: str | None
    notes: tuple[VendorTicketNote, ...]


class TicketRefusedByVendor(Exception):
    """The vendor does not show the ticket, or takes no note of it, for good; with its code."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class VendorSupportDesk(Protocol):
    """The vendor's support, as far as it is reached without a person. Each raises TicketRefusedByVendor, RetryLater."""

    async def fetch_vendor_ticket(self, number: str) -> VendorTicketView:
        """Read a ticket."""
        ...

    async def add_vendor_note(self, number: str, content: str, request_id: UUID) -> None:
        """Add a note to a ticket; a repeated request has the same id."""
        ...


def choose_vendor_response_target(kind: str, severity: str | None, language: str) -> ResponseTarget:
    """Choose how long the vendor may take for its first answer: by severity, else one business day."""
    if kind != "technical" or severity is None:
        return DAY
    return ResponseTarget(minutes=_FIRST_ANSWER_MINUTES[severity], is_round_the_clock=language == "en")


def choose_ticket_reading_interval(status: TicketStatus, *, is_hidden: bool) -> timedelta:
    """Choose how long a ticket is not looked at after it was."""
    return SLOW_READING_INTERVAL if is_hidden or status is TicketStatus.CLOSED else READING_INTERVAL


@dataclass(frozen=True, slots=True)
class KnownTicketNote:
    """A note that the thread has: ours, or one that was read before, which has a fingerprint."""

    entry_id: UUID
    is_ours: bool
    content: str
    fingerprint: str | None


@dataclass(frozen=True, slots=True)
class SortedTicketNotes:
    """Notes that are new, and ours that were recognised among the vendor's."""

    new: tuple[VendorTicketNote, ...]
    recognised: tuple[tuple[KnownTicketNote, VendorTicketNote], ...]


def sort_ticket_notes(seen: Iterable[VendorTicketNote], former: Sequence[KnownTicketNote]) -> SortedTicketNotes:
    """Sort out which notes are new. Each of ours is recognised once, by its words: the vendor names its own user."""
    fingerprints = {note.fingerprint for note in former}
    ours = [note for note in former if note.is_ours and note.fingerprint is None]
    new: list[VendorTicketNote] = []
    recognised: list[tuple[KnownTicketNote, VendorTicketNote]] = []
    for note in seen:
        if note.note_fingerprint in fingerprints:
            continue
        fingerprints.add(note.note_fingerprint)
        own = next((candidate for candidate in ours if _is_same_text(candidate.content, note.content)), None)
        if own is None:
            new.append(note)
        else:
            ours.remove(own)
            recognised.append((own, note))
    return SortedTicketNotes(tuple(new), tuple(recognised))


def _is_same_text(text: str, other: str) -> bool:
    return text.split() == other.split()
