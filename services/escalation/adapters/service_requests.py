"""The vendor's support over REST: a service request is read, and gets notes. It cannot be opened there."""

from typing import Any
from urllib.parse import quote
from uuid import UUID

import httpx2
import orjson
from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.alias_generators import to_camel

from services.escalation.adapters.vendor_dates import VendorDate
from services.escalation.domain.vendor_tickets import (
    TicketRefusedByVendor,
    TicketStatus,
    VendorTicketNote,
    VendorTicketView,
)
from shared.pure.errors import RetryLater
from shared.pure.hidden_characters import remove_hidden_characters
from shared.pure.ids import new_id

MAX_NOTE_CHARS = 20_000
MAX_NOTES = 1000
"""How many notes of a service request are read: the newest."""
PASSING = frozenset({401, 403, 408, 409, 412, 429})
"""Refusals that say nothing of the ticket: our credentials, or a bad moment."""
STATUSES = {
    "open": TicketStatus.OPEN,
    "1": TicketStatus.OPEN,
    "closed": TicketStatus.CLOSED,
    "2": TicketStatus.CLOSED,
    "attention_needed": TicketStatus.ATTENTION_NEEDED,
    "attentionneeded": TicketStatus.ATTENTION_NEEDED,
    "3": TicketStatus.ATTENTION_NEEDED,
}
SEVERITIES = {"critical": "A", "1": "A", "moderate": "B", "2": "B", "minimal": "C", "3": "C"}


class _Camel(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


class _Note(_Camel):
    created_by_name: str | None = None
    created_date: VendorDate = None
    text: str | None = None


class _ServiceRequest(_Camel):
    status: str | int
    severity: str | int | None = None
    notes: list[_Note] | None = None


class VendorServiceRequests:
    """The vendor's desk of service requests. What may pass raises RetryLater, what will not TicketRefusedByVendor."""

    def __init__(self, http: httpx2.AsyncClient) -> None:
        self._http = http

    async def fetch_vendor_ticket(self, number: str) -> VendorTicketView:
        """Read a service request."""
        return _read_ticket(await self._call("GET", number, new_id()))

    async def add_vendor_note(self, number: str, content: str, request_id: UUID) -> None:
        """Add a note to a service request."""
        await self._call("PATCH", number, request_id, orjson.dumps({"NewNote": {"text": content}}))

    async def _call(self, method: str, number: str, request_id: UUID, body: bytes | None = None) -> httpx2.Response:
        headers = {"MS-RequestId": str(request_id), "MS-CorrelationId": str(new_id())}
        headers |= {"Content-Type": "application/json"} if body else {}
        try:
            answer = await self._http.request(
                method, f"/v1/servicerequests/{quote(number, safe='')}", content=body, headers=headers
            )
        except httpx2.TransportError as error:
            raise RetryLater(f"the vendor cannot be reached: {type(error).__name__}") from error
        if answer.status_code >= 500 or answer.status_code in PASSING:
            raise RetryLater(f"the vendor answers {answer.status_code}")
        if answer.status_code >= 400:
            raise TicketRefusedByVendor(str(answer.status_code))
        return answer


def _read_ticket(answer: httpx2.Response) -> VendorTicketView:
    """Read the vendor's answer. Raises RetryLater if it is no service request."""
    try:
        request = _ServiceRequest.model_validate_json(answer.content)
        status = STATUSES[_fold(request.status)]
    except (ValidationError, KeyError) as error:
        raise RetryLater("the vendor's answer is no service request") from error
    severity = SEVERITIES.get(_fold(request.severity))
    notes = [note for note in request.notes or () if note.text][-MAX_NOTES:]
    return VendorTicketView(status, severity, tuple(map(_read_note, notes)))


def _fold(code: Any) -> str:
    return str(code).strip().lower()


def _read_note(note: _Note) -> VendorTicketNote:
    content = remove_hidden_characters((note.text or "").replace("\r\n", "\n"))[:MAX_NOTE_CHARS]
    return VendorTicketNote(remove_hidden_characters(note.created_by_name or "")[:200], note.created_date, content)
