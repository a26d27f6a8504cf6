"""The vendor's service health over REST."""

import httpx2
from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.alias_generators import to_camel

from services.escalation.adapters.service_requests import PASSING
from services.escalation.adapters.vendor_dates import VendorDate
from services.escalation.domain.service_health import Incident, ServiceHealthRefused
from shared.pure.errors import RetryLater
from shared.pure.hidden_characters import remove_hidden_characters
from shared.pure.ids import new_id

MAX_INCIDENTS = 500
"""How many incidents of an answer are read: the vendor shows the newest first."""
MAX_TITLE_CHARS = 200
MAX_CONTENT_CHARS = 20_000


class _Camel(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


class _Update(_Camel):
    created_date: VendorDate = None
    text: str


class _Incident(_Camel):
    id: str
    title: str
    services: list[str]
    regions: list[str] = []
    status: str
    start_date: VendorDate = None
    end_date: VendorDate = None
    updates: list[_Update] = []


class _Page(BaseModel):
    items: list[_Incident]


class VendorIncidents:
    """The vendor's page of incidents. What may pass raises RetryLater, what will not ServiceHealthRefused."""

    def __init__(self, http: httpx2.AsyncClient) -> None:
        self._http = http

    async def list_incidents(self) -> tuple[Incident, ...]:
        """List the incidents that go on, and those that have ended of late."""
        headers = {"MS-RequestId": str(new_id()), "MS-CorrelationId": str(new_id())}
        try:
            answer = await self._http.get("/v1/servicehealth/incidents", headers=headers)
        except httpx2.TransportError as error:
            raise RetryLater(f"the vendor cannot be reached: {type(error).__name__}") from error
        if answer.status_code >= 500 or answer.status_code in PASSING:
            raise RetryLater(f"the vendor answers {answer.status_code}")
        if answer.status_code >= 400:
            raise ServiceHealthRefused(str(answer.status_code))
        try:
            page = _Page.model_validate_json(answer.content)
        except ValidationError as error:
            raise RetryLater("the vendor's answer is no list of incidents") from error
        return tuple(_read_incident(incident) for incident in page.items[:MAX_INCIDENTS])


def _read_incident(shown: _Incident) -> Incident:
    content = shown.updates[-1].text if shown.updates else shown.title
    return Incident(
        reference=remove_hidden_characters(shown.id)[:60],
        title=remove_hidden_characters(shown.title)[:MAX_TITLE_CHARS],
        content=remove_hidden_characters(content.replace("\r\n", "\n"))[:MAX_CONTENT_CHARS],
        services=tuple(remove_hidden_characters(name)[:MAX_TITLE_CHARS] for name in shown.services[:100]),
        regions=tuple(remove_hidden_characters(name)[:MAX_TITLE_CHARS] for name in shown.regions[:100]),
        status="resolved" if shown.status.lower() in ("resolved", "servicerestored") else "active",
        began_at=shown.start_date,
        ended_at=shown.end_date,
    )
