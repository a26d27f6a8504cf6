"""Service requests as the vendor keeps them: opened by people in the portal, read and given notes over the API."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from sandbox.vendor_simulator.subscription import VendorRefusal

NEVER = "0001-01-01T00:00:00"
RequestStatus = Literal["open", "closed", "attention_needed"]
RequestSeverity = Literal["critical", "moderate", "minimal"]
STATUS_NUMBERS: dict[RequestStatus, int] = {"open": 1, "closed": 2, "attention_needed": 3}
SEVERITY_NUMBERS: dict[RequestSeverity, int] = {"critical": 1, "moderate": 2, "minimal": 3}


class _Camel(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


class RequestNote(_Camel):
    """A note of a service request, by the partner or by the vendor."""

    created_by_name: str
    created_date: str
    text: str


class RequestSeed(BaseModel):
    """A service request as somebody opens it in the portal, or as the vendor's people leave it."""

    model_config = ConfigDict(extra="forbid")

    title: str = "Mail is late"
    status: RequestStatus = "open"
    severity: RequestSeverity = "moderate"
    is_visible: bool = True
    """Whether the API's user created it: nobody else sees it."""
    writes_numbers: bool = False
    """Whether status and severity are answered as numbers."""


class VendorNote(BaseModel):
    """Note of the vendor's people in a service request."""

    model_config = ConfigDict(extra="forbid")

    text: str
    name: str = "Support engineer"


class VendorServiceRequest(RequestSeed):
    """A service request with its notes."""

    id: str
    created_date: str
    last_modified_date: str = NEVER
    last_closed_date: str = NEVER
    notes: list[RequestNote] = Field(default_factory=list)

    def build_request_resource(self) -> dict[str, Any]:
        """Show the resource as the API does."""
        status: str | int = STATUS_NUMBERS[self.status] if self.writes_numbers else self.status
        severity: str | int = SEVERITY_NUMBERS[self.severity] if self.writes_numbers else self.severity
        return {
            "id": self.id,
            "title": self.title,
            "status": status,
            "severity": severity,
            "createdDate": self.created_date,
            "lastModifiedDate": self.last_modified_date,
            "lastClosedDate": self.last_closed_date,
            "notes": [note.model_dump(by_alias=True) for note in self.notes],
            "attributes": {"objectType": "ServiceRequest"},
        }


def open_request(
    number: str, seed: RequestSeed, now: datetime, former: VendorServiceRequest | None
) -> VendorServiceRequest:
    """Open a service request, or leave an open one in another state; its notes stay."""
    if not number.isdecimal():
        raise VendorRefusal(400, 2001, "the id of a service request is a string of digits")
    written = now.replace(tzinfo=None).isoformat(timespec="seconds")
    kept = {"created_date": written} if former is None else {"created_date": former.created_date, "notes": former.notes}
    closed = {"last_closed_date": written} if seed.status == "closed" else {}
    return VendorServiceRequest(id=number, last_modified_date=written, **dict(seed), **kept, **closed)


def annotate_request(request: VendorServiceRequest, name: str, text: str, now: datetime) -> VendorServiceRequest:
    """Add a note to a service request."""
    note = RequestNote(created_by_name=name, created_date=now.replace(tzinfo=None).isoformat(), text=text)
    return request.model_copy(update={"notes": [*request.notes, note], "last_modified_date": note.created_date})


def patch_request(request: VendorServiceRequest, body: object, now: datetime) -> VendorServiceRequest:
    """Change a service request as a PATCH says: only what it names. Raises VendorRefusal."""
    if not isinstance(body, dict):
        raise VendorRefusal(400, 2001, "the body is no object")
    note = body.get("NewNote", body.get("newNote"))
    if note is None:
        return request
    text = note.get("text", note.get("Text")) if isinstance(note, dict) else None
    if not isinstance(text, str) or not text:
        raise VendorRefusal(400, 2001, "NewNote has no text")
    return annotate_request(request, "Partner user", text, now)
