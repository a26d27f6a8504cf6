"""A story of the demo's support desk about the vendor: a technical case that only the vendor can solve."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sandbox.billing_support import describe_thread
from sandbox.driver import SandboxDriver

NUMBER = "615101234567890"
CHANNEL = {
    "kind": "portal",
    "company": "Goodstanding GmbH",
    "contact_name": "Service desk",
    "contact_email": "desk@goodstanding.example",
    "contact_phone": "+49 30 901820",
    "countries": ["DE"],
    "reason": "direct partner",
}
RESOURCE = {
    "reference": "kb-4712",
    "kind": "solution",
    "title": "Messages arrive late",
    "content": "Look at the queue of the tenant, then at service health.",
    "language": "en",
    "products": ["Mail"],
}


@dataclass
class VendorStory:
    """A technical case by the book: service health, an attempt, a resource, a ticket, the vendor's answer, the end."""

    case_id: str = ""
    ticket_id: str = ""

    def plan_actions(self, driver: SandboxDriver, since: datetime) -> None:
        """Plan the steps from an instant on."""
        steps = (
            (0, self.open_case),
            (1, self.prepare_handover),
            (2, self.hand_over),
            (3, self.answer_at_vendor),
            (5, self.answer_vendor),
            (7, self.close_at_vendor),
            (9, self.confirm_solution),
        )
        for hours, step in steps:
            driver.at(since + timedelta(hours=hours), step)

    async def open_case(self, driver: SandboxDriver) -> None:
        """Open the case of a customer whose legal entity reaches the vendor by its portal."""
        (account,) = (await driver.get("invoicing", "/v1/accounts?limit=1"))["items"]
        await driver.put("escalation", f"/v1/vendor-channels/{account['legal_entity']}", CHANNEL)
        case = {
            "kind": "technical",
            "severity": "B",
            "account_id": account["id"],
            "subject": "Messages arrive hours late",
            "product": "Mail",
        }
        self.case_id = (await driver.post("escalation", "/v1/cases", case))["id"]
        await driver.post("escalation", f"{self._path}:start", {"reason": "looking into it"})

    async def prepare_handover(self, driver: SandboxDriver) -> None:
        """Do what has to be done before the vendor is asked."""
        resource = await driver.post("escalation", "/v1/support-resources", RESOURCE)
        steps = (
            ("contacts", {"channel": "phone", "about_outcome": False, "comment": "we look into it now"}),
            ("health-checks", {"result": "no_incident"}),
            ("attempts", {"action": "assigned the licence anew", "result": "did_not_help"}),
            ("consulted-resources", {"resource_id": resource["id"], "result": "did_not_help"}),
        )
        for place, body in steps:
            await driver.post("escalation", f"{self._path}/{place}", body)

    async def hand_over(self, driver: SandboxDriver) -> None:
        """Prepare the ticket, open it in the vendor's portal, and record its number."""
        body = {
            "title": "Messages arrive hours late",
            "description": "Since 08:00 UTC messages wait in the queue of the tenant.",
            "category": "bug",
        }
        self.ticket_id = (await driver.post("escalation", f"{self._path}/vendor-tickets", body))["id"]
        await driver.put("vendor", f"/sandbox/servicerequests/{NUMBER}", {"title": body["title"]})
        await driver.post("escalation", f"/v1/vendor-tickets/{self.ticket_id}:submit", {"number": NUMBER})

    async def answer_at_vendor(self, driver: SandboxDriver) -> None:
        """Let the vendor's people ask something, which makes it our turn."""
        await driver.post("vendor", f"/sandbox/servicerequests/{NUMBER}/notes", {"text": "Which connector is it?"})
        await driver.put("vendor", f"/sandbox/servicerequests/{NUMBER}", {"status": "attention_needed"})

    async def answer_vendor(self, driver: SandboxDriver) -> None:
        """Answer the vendor."""
        note = {"content": "The inbound one."}
        await driver.post("escalation", f"/v1/vendor-tickets/{self.ticket_id}/notes", note)

    async def close_at_vendor(self, driver: SandboxDriver) -> None:
        """Let the vendor's people close the request, which resolves nothing by itself."""
        await driver.post("vendor", f"/sandbox/servicerequests/{NUMBER}/notes", {"text": "The queue was restarted."})
        await driver.put("vendor", f"/sandbox/servicerequests/{NUMBER}", {"status": "closed"})

    async def confirm_solution(self, driver: SandboxDriver) -> None:
        """Say that it helped, and know the outcome; whoever closes the loops of the week tells the customer."""
        confirmed = {"solved": True, "reason": "messages arrive at once"}
        await driver.post("escalation", f"/v1/vendor-tickets/{self.ticket_id}:confirm-solution", confirmed)
        outcome = {"outcome": "the vendor restarted a queue", "reason": "messages arrive at once"}
        await driver.post("escalation", f"{self._path}:resolve", outcome)

    async def tell(self, driver: SandboxDriver) -> list[str]:
        """Tell the story from the thread of its case alone."""
        entries = (await driver.get("escalation", f"{self._path}/entries"))["items"]
        return describe_thread(await driver.get("escalation", self._path), entries)

    @property
    def _path(self) -> str:
        return f"/v1/cases/{self.case_id}"
