"""One case of the demo's year: a customer's mail stands still, and support helps, to the closed loop."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sandbox.driver import SandboxDriver

RESOURCE = {
    "reference": "kb-4711",
    "kind": "knowledge_base",
    "title": "Mail flow stops after a change of DNS records",
    "content": "Check the MX record first: it has to name the tenant's own host.",
    "language": "en",
    "products": ["Mail"],
}


@dataclass
class SupportCase:
    """A technical case that is opened, answered, waits for the customer, and is resolved by what a resource says."""

    case_id: str = ""

    def plan_actions(self, driver: SandboxDriver, opened_at: datetime) -> None:
        """Plan the steps of the case from an instant on."""
        steps = (self.open_case, self.answer, self.ask_customer, self.consult_resources, self.resolve)
        for hours, step in zip((0, 1, 2, 26, 27), steps, strict=True):
            driver.at(opened_at + timedelta(hours=hours), step)

    async def open_case(self, driver: SandboxDriver) -> None:
        """Open the case for a customer, whose words it has."""
        (account,) = (await driver.get("invoicing", "/v1/accounts?limit=1"))["items"]
        await driver.post("escalation", "/v1/support-resources", RESOURCE)
        case = {
            "kind": "technical",
            "severity": "B",
            "account_id": account["id"],
            "subject": "Mail flow stands still",
            "description": "No messages since the records of the domain were changed.",
            "product": "Mail",
        }
        self.case_id = (await driver.post("escalation", "/v1/cases", case))["id"]

    async def answer(self, driver: SandboxDriver) -> None:
        """Give the first answer, which ends its clock."""
        await driver.post("escalation", f"{self._path}:start", {"reason": "looking into it"})
        answer = {"channel": "phone", "about_outcome": False, "comment": "we look into it now"}
        await driver.post("escalation", f"{self._path}/contacts", answer)

    async def ask_customer(self, driver: SandboxDriver) -> None:
        """Wait for the customer, which lets the clock of the next word stand."""
        waiting = {"waiting_for": "customer", "reason": "asked which records were changed"}
        await driver.post("escalation", f"{self._path}:wait", waiting)

    async def consult_resources(self, driver: SandboxDriver) -> None:
        """Go on with what is suggested, and record that it helped."""
        await driver.post("escalation", f"{self._path}:start", {"reason": "the customer sent the records"})
        (suggested, *_) = (await driver.get("escalation", f"{self._path}/suggestions"))["items"]
        helped = {"resource_id": suggested["id"], "result": "helped", "note": "the MX record named another host"}
        await driver.post("escalation", f"{self._path}/consulted-resources", helped)

    async def resolve(self, driver: SandboxDriver) -> None:
        """Know the outcome; whoever closes the loops of the week tells the customer."""
        outcome = {"outcome": "the MX record is put right", "reason": "messages arrive again"}
        await driver.post("escalation", f"{self._path}:resolve", outcome)

    async def read(self, driver: SandboxDriver) -> tuple[dict[str, Any], list[dict[str, Any]], list[dict[str, Any]]]:
        """Read the case, the entries of its thread, and its clocks."""
        entries = (await driver.get("escalation", f"{self._path}/entries"))["items"]
        clocks = (await driver.get("escalation", f"{self._path}/clocks"))["clocks"]
        return await driver.get("escalation", self._path), entries, clocks

    @property
    def _path(self) -> str:
        return f"/v1/cases/{self.case_id}"


def tell_case_story(
    case: Mapping[str, Any], entries: Sequence[Mapping[str, Any]], clocks: Sequence[Mapping[str, Any]]
) -> list[str]:
    """Tell the story of a case from its thread and its clocks alone."""
    lines = [f"Case {case['number']}: {case['subject']} (severity {case['severity']}, {case['product']})"]
    lines.append(f"  {show_instant(case['opened_at'])}  opened")
    for entry in entries:
        step = entry["details"].get("to") or entry["details"].get("result") or entry["channel"] or entry["kind"]
        lines.append(f"  {show_instant(entry['entered_at'])}  {step}: {entry['content']}")
    for clock in clocks:
        ending = "missed" if clock["missed_at"] else "in time"
        due = f"was due on {show_instant(clock['due_at'])}: {ending}" if clock["due_at"] else "waits for the customer"
        lines.append(f"  The {clock['which']} answer (run {clock['run']}) {due}.")
    return lines


def show_instant(instant: str) -> str:
    """Show an instant to the minute."""
    return instant[:16].replace("T", " ")
