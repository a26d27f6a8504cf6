"""The contract of the vendor's support desk and of its service health, as checks over their ports and a hand on it.

Adapters keep the contract when `CONTRACT` passes with a hand of their vendor, or of a simulator that has the vendor's
traps. A check gets a fresh hand. It speaks of the vendor only in the words of the ports.
"""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Protocol
from uuid import uuid4

import pytest

from services.escalation.domain.service_health import Incident, ServiceHealth, ServiceHealthRefused
from services.escalation.domain.vendor_tickets import (
    TicketRefusedByVendor,
    TicketStatus,
    VendorSupportDesk,
    VendorTicketNote,
)
from shared.pure.errors import RetryLater

WRITTEN_AT = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
BEGAN_AT, ENDED_AT = datetime(2026, 3, 2, 7, tzinfo=UTC), datetime(2026, 3, 2, 11, tzinfo=UTC)


class VendorSupportHand(Protocol):
    """A hand on the vendor's support. It has one ticket, which is open, with severity B and without a note."""

    @property
    def number(self) -> str:
        """Number of the ticket."""
        ...

    def open_desk(self) -> VendorSupportDesk:
        """Open the desk, as another process would."""
        ...

    def open_health(self) -> ServiceHealth:
        """Open the page of incidents, as another process would."""
        ...

    def set_ticket(self, status: TicketStatus, severity: str) -> None:
        """Leave the ticket with a status and a severity (A, B or C), as the vendor's people do."""
        ...

    def write_note(self, author: str, content: str) -> None:
        """Let the vendor's people write a note at WRITTEN_AT."""
        ...

    def list_partner_notes(self) -> list[str]:
        """List the texts of the notes that came over the port, as the vendor has them."""
        ...

    def hide_ticket(self) -> None:
        """Have the vendor not show the ticket to us, though it is there."""
        ...

    def set_incident(self, reference: str, content: str, *, is_over: bool) -> None:
        """Have an incident of Exchange in Europe begin at BEGAN_AT, and end at ENDED_AT if it is over."""
        ...

    def fail_next_call(self) -> None:
        """Have the next call fail in a way that may pass."""
        ...

    def answer_nonsense(self) -> None:
        """Have the next call be answered with what is no answer."""
        ...

    def refuse_next_call(self) -> str:
        """Have the next call be refused for good; return the code."""
        ...


async def check_status_and_severity(hand: VendorSupportHand) -> None:
    for status, severity in (
        (TicketStatus.OPEN, "A"),
        (TicketStatus.ATTENTION_NEEDED, "B"),
        (TicketStatus.CLOSED, "C"),
    ):
        hand.set_ticket(status, severity)
        ticket = await hand.open_desk().fetch_vendor_ticket(hand.number)
        assert (ticket.status, ticket.severity, ticket.notes) == (status, severity, ())


async def check_notes_are_read(hand: VendorSupportHand) -> None:
    hand.write_note("Ada", "Please send\r\nthe headers.")
    hand.write_note("Grace", "A hidden\u200b character.")
    assert (await hand.open_desk().fetch_vendor_ticket(hand.number)).notes == (
        VendorTicketNote("Ada", WRITTEN_AT, "Please send\nthe headers."),
        VendorTicketNote("Grace", WRITTEN_AT, "A hidden character."),
    )


async def check_long_notes_cut(hand: VendorSupportHand) -> None:
    hand.write_note("Ada" * 1000, "x" * 100_000)
    (note,) = (await hand.open_desk().fetch_vendor_ticket(hand.number)).notes
    assert len(note.author) <= 200
    assert 0 < len(note.content) < 100_000


async def check_our_note_arrives(hand: VendorSupportHand) -> None:
    await hand.open_desk().add_vendor_note(hand.number, "The headers:\n1 < 2 & „so“", uuid4())
    assert hand.list_partner_notes() == ["The headers:\n1 < 2 & „so“"]
    (note,) = (await hand.open_desk().fetch_vendor_ticket(hand.number)).notes
    assert note.content == "The headers:\n1 < 2 & „so“"


async def check_hidden_ticket(hand: VendorSupportHand) -> None:
    hand.hide_ticket()
    with pytest.raises(TicketRefusedByVendor) as refused:
        await hand.open_desk().fetch_vendor_ticket(hand.number)
    assert refused.value.code
    with pytest.raises(TicketRefusedByVendor):
        await hand.open_desk().add_vendor_note(hand.number, "any news?", uuid4())


async def check_desk_away(hand: VendorSupportHand) -> None:
    for spoil in (hand.fail_next_call, hand.answer_nonsense):
        spoil()
        with pytest.raises(RetryLater):
            await hand.open_desk().fetch_vendor_ticket(hand.number)
    hand.fail_next_call()
    with pytest.raises(RetryLater):
        await hand.open_desk().add_vendor_note(hand.number, "any news?", uuid4())
    assert hand.list_partner_notes() == []


async def check_incidents_are_read(hand: VendorSupportHand) -> None:
    assert await hand.open_health().list_incidents() == ()
    hand.set_incident("EX-1", "Mail\r\nwaits.", is_over=False)
    hand.set_incident("EX-2", "It is over\u200b.", is_over=True)
    incidents = await hand.open_health().list_incidents()
    assert {incident.reference: incident for incident in incidents} == {
        "EX-1": Incident("EX-1", "Mail is late", "Mail\nwaits.", ("Exchange",), ("Europe",), "active", BEGAN_AT, None),
        "EX-2": Incident(
            "EX-2", "Mail is late", "It is over.", ("Exchange",), ("Europe",), "resolved", BEGAN_AT, ENDED_AT
        ),
    }


async def check_health_away(hand: VendorSupportHand) -> None:
    for spoil in (hand.fail_next_call, hand.answer_nonsense):
        spoil()
        with pytest.raises(RetryLater):
            await hand.open_health().list_incidents()


async def check_health_refused(hand: VendorSupportHand) -> None:
    code = hand.refuse_next_call()
    with pytest.raises(ServiceHealthRefused) as refused:
        await hand.open_health().list_incidents()
    assert refused.value.code == code


CONTRACT: dict[str, Callable[[VendorSupportHand], Awaitable[None]]] = {
    name.removeprefix("check_"): check for name, check in list(globals().items()) if name.startswith("check_")
}


async def list_broken_checks(make_hand: Callable[[], VendorSupportHand]) -> list[str]:
    """List the checks of the contract that the adapters of this vendor break."""
    broken = []
    for name, check in CONTRACT.items():
        try:
            await check(make_hand())
        except (AssertionError, pytest.fail.Exception, TicketRefusedByVendor, ServiceHealthRefused, RetryLater):
            broken.append(name)
    return broken
