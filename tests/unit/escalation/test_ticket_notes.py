"""Notes of tickets are taken once, and ours are recognised once each; dates and codes are the vendor's."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import httpx2
import pytest

from services.escalation.adapters.service_requests import VendorServiceRequests
from services.escalation.domain.clocks import DAY, ResponseTarget
from services.escalation.domain.handovers import (
    REQUIREMENTS,
    HandoverRequirement,
    TechnicalProblemCategory,
    VendorHandoverFacts,
    list_missing_handover_steps,
)
from services.escalation.domain.vendor_tickets import (
    KnownTicketNote,
    TicketRefusedByVendor,
    TicketStatus,
    VendorTicketNote,
    choose_ticket_reading_interval,
    choose_vendor_response_target,
    sort_ticket_notes,
)
from shared.pure.errors import RetryLater

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


def note(content: str, minute: int = 0) -> VendorTicketNote:
    return VendorTicketNote("somebody", NOW.replace(minute=minute), content)


def test_a_note_is_the_same_by_its_date_and_words() -> None:
    first, later = note("thank you"), note("thank you", 5)
    taken = KnownTicketNote(UUID(int=1), False, "thank you", first.note_fingerprint)
    renamed = VendorTicketNote("another name", first.written_at, first.content)
    assert sort_ticket_notes([renamed, later, later], [taken]).new == (later,)


def test_each_of_ours_is_recognised_once() -> None:
    ours = [KnownTicketNote(UUID(int=number), True, "any  news?\n", None) for number in (1, 2)]
    seen = [note("any news?", minute) for minute in (1, 2, 3)]
    sorted_notes = sort_ticket_notes(seen, ours)
    assert [own.entry_id.int for own, _ in sorted_notes.recognised] == [1, 2]
    assert sorted_notes.new == (seen[2],), "so the vendor says it, too"


def test_one_of_ours_that_was_recognised_is_no_other_note() -> None:
    first, later = note("any news?"), note("any news?", 5)
    recognised = KnownTicketNote(UUID(int=1), True, "any news?", first.note_fingerprint)
    assert sort_ticket_notes([first, later], [recognised]).new == (later,)


@pytest.mark.parametrize(
    ("kind", "severity", "language", "target"),
    [
        ("technical", "A", "en", ResponseTarget(minutes=120, is_round_the_clock=True)),
        ("technical", "B", "de", ResponseTarget(minutes=240)),
        ("technical", "C", "en", ResponseTarget(minutes=480, is_round_the_clock=True)),
        ("technical", None, "en", DAY),
        ("billing_question", None, "en", DAY),
        ("dispute", "A", "en", DAY),
    ],
)
def test_the_vendor_answers_by_severity_round_the_clock_in_english(
    kind: str, severity: str | None, language: str, target: ResponseTarget
) -> None:
    assert choose_vendor_response_target(kind, severity, language) == target


def test_a_ticket_that_is_closed_or_hidden_is_read_once_a_day() -> None:
    quarter, day = timedelta(minutes=15), timedelta(days=1)
    assert choose_ticket_reading_interval(TicketStatus.OPEN, is_hidden=False) == quarter
    assert choose_ticket_reading_interval(TicketStatus.OPEN, is_hidden=True) == day
    assert choose_ticket_reading_interval(TicketStatus.CLOSED, is_hidden=False) == day


def test_a_refusal_has_the_code_of_the_vendor() -> None:
    refused = TicketRefusedByVendor("403")
    assert (refused.code, str(refused)) == ("403", "403")


async def read(answer: httpx2.Response) -> tuple[TicketStatus, str | None, datetime | None]:
    transport = httpx2.MockTransport(lambda _: answer)
    async with httpx2.AsyncClient(transport=transport, base_url="http://vendor") as http:
        ticket = await VendorServiceRequests(http).fetch_vendor_ticket("17")
        return ticket.status, ticket.severity, ticket.notes[0].written_at


@pytest.mark.parametrize(
    ("status", "severity", "date", "read_as"),
    [
        ("open", "critical", "2026-03-02T09:00:00Z", (TicketStatus.OPEN, "A", NOW)),
        ("Attention_Needed", "2", "2026-03-02T10:00:00+01:00", (TicketStatus.ATTENTION_NEEDED, "B", NOW)),
        (2, 3, "2026-03-02T09:00:00.0000000", (TicketStatus.CLOSED, "C", NOW)),
        ("3", None, "0001-01-01T00:00:00", (TicketStatus.ATTENTION_NEEDED, None, None)),
    ],
)
async def test_codes_are_words_or_numbers_and_some_dates_are_never(
    status: object, severity: object, date: str, read_as: object
) -> None:
    notes = [{"createdByName": "x", "createdDate": date, "text": "y"}, {"text": None}]
    answer = httpx2.Response(200, json={"status": status, "severity": severity, "notes": notes, "new": 1})
    assert await read(answer) == read_as


@pytest.mark.parametrize(
    "body", [b"", b"[]", b'{"status": "asleep"}', b'{"status": 1, "notes": [{"createdDate": "x"}]}']
)
async def test_an_answer_that_is_no_ticket_may_pass(body: bytes) -> None:
    with pytest.raises(RetryLater):
        await read(httpx2.Response(200, content=body))


def test_each_kind_has_its_conditions() -> None:
    assert list_missing_handover_steps(VendorHandoverFacts("fraud")) == ()
    assert list_missing_handover_steps(VendorHandoverFacts("task")) == (HandoverRequirement.COMPARED_LINE,)
    assert list_missing_handover_steps(VendorHandoverFacts("dispute", has_line=True)) == ()
    assert list_missing_handover_steps(VendorHandoverFacts("dispute", no_line_reason="terms")) == ()
    ready = VendorHandoverFacts("technical", "incident_over", True, True, TechnicalProblemCategory.BUG)
    assert list_missing_handover_steps(ready) == ()
    assert list_missing_handover_steps(VendorHandoverFacts("technical", "incident")) == (
        HandoverRequirement.INCIDENT_END,
        HandoverRequirement.ATTEMPT,
        HandoverRequirement.CONSULTED_RESOURCE,
        HandoverRequirement.CATEGORY,
    )
    everything = set(REQUIREMENTS["technical"])
    assert list_missing_handover_steps(VendorHandoverFacts("technical"), everything) == ()
