"""A hand on the vendor simulator, for the contract of the adapters of its support."""

from pathlib import Path

import httpx2

from sandbox.vendor_simulator.faults import Clock
from sandbox.vendor_simulator.incidents import VendorIncident
from sandbox.vendor_simulator.service_requests import (
    RequestSeed,
    RequestSeverity,
    RequestStatus,
    VendorServiceRequest,
    annotate_request,
    open_request,
)
from sandbox.vendor_simulator.store import VendorStore
from sandbox.vendor_simulator.vendor import Vendor
from services.escalation.adapters.incidents import VendorIncidents
from services.escalation.adapters.service_requests import VendorServiceRequests
from services.escalation.domain.service_health import ServiceHealth
from services.escalation.domain.vendor_tickets import TicketStatus, VendorSupportDesk
from tests.component.escalation.vendor_support_contract import BEGAN_AT, ENDED_AT, WRITTEN_AT
from tests.component.vendor_support import Wire

STATUSES: dict[TicketStatus, RequestStatus] = {
    TicketStatus.OPEN: "open",
    TicketStatus.CLOSED: "closed",
    TicketStatus.ATTENTION_NEEDED: "attention_needed",
}
SEVERITIES: dict[str, RequestSeverity] = {"A": "critical", "B": "moderate", "C": "minimal"}
PARTNER = "Partner user"


class SimulatedSupportHand:
    """The simulator behind a client of its own; `writes_numbers` as it answers now and then."""

    number = "1234567"

    def __init__(self, file: Path, *, writes_numbers: bool = False) -> None:
        self.vendor = Vendor(VendorStore(file))
        self.vendor.clock = Clock(WRITTEN_AT)
        self._wire = Wire(self.vendor)
        self._http = httpx2.AsyncClient(transport=self._wire, base_url="http://vendor")
        self._seed = RequestSeed(writes_numbers=writes_numbers)
        self._put_ticket(self._seed)

    def open_desk(self) -> VendorSupportDesk:
        return VendorServiceRequests(self._http)

    def open_health(self) -> ServiceHealth:
        return VendorIncidents(self._http)

    def set_ticket(self, status: TicketStatus, severity: str) -> None:
        state = {"status": STATUSES[status], "severity": SEVERITIES[severity]}
        self._put_ticket(self._seed.model_copy(update=state))

    def write_note(self, author: str, content: str) -> None:
        self.vendor.store.save_changes(annotate_request(self._ticket, author, content, WRITTEN_AT))

    def list_partner_notes(self) -> list[str]:
        return [note.text for note in self._ticket.notes if note.created_by_name == PARTNER]

    def hide_ticket(self) -> None:
        self._put_ticket(self._seed.model_copy(update={"is_visible": False}))

    def set_incident(self, reference: str, content: str, *, is_over: bool) -> None:
        ended = {"status": "resolved", "endDate": f"{ENDED_AT:%Y-%m-%dT%H:%M:%S}"} if is_over else {}
        shown = {
            "id": reference,
            "services": ["Exchange"],
            "startDate": f"{BEGAN_AT:%Y-%m-%dT%H:%M:%S}",
            "updates": [{"text": "It began."}, {"text": content}],
        }
        self.vendor.store.save_changes(VendorIncident.model_validate(shown | ended))

    def fail_next_call(self) -> None:
        self._wire.faults.append("before")

    def answer_nonsense(self) -> None:
        self._wire.faults.append(httpx2.Response(200, content=b"<html>Please sign in.</html>"))

    def refuse_next_call(self) -> str:
        self._wire.faults.append(httpx2.Response(404, json={"code": 404}))
        return "404"

    @property
    def _ticket(self) -> VendorServiceRequest:
        return self.vendor.store.requests[self.number]

    def _put_ticket(self, seed: RequestSeed) -> None:
        former = self.vendor.store.requests.get(self.number)
        self.vendor.store.save_changes(open_request(self.number, seed, WRITTEN_AT, former))
