"""Stories of the demo's support desk about money: a dispute upheld in part, a service credit, a fraud case."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sandbox.driver import SandboxDriver
from sandbox.replay import BillingProfile, register_account_with_subscription
from sandbox.support import show_instant

CUSTOMER = BillingProfile("EUR", "Europe/Berlin", "GS-DE")
TOTAL_MINOR, DISPUTED_MINOR, AMENDED_MINOR, APPROVED_MINOR = 60_000, 20_000, 30_000, 12_000
GRANTED_MINOR = 5_000


@dataclass
class BillingStories:
    """A month of one customer: each story is a case, from its opening to its closed loop."""

    account_id: str = ""
    subscription_id: str = ""
    invoice_id: str = ""
    dispute_id: str = ""
    service_credit_id: str = ""
    hold_id: str = ""
    case_ids: list[str] = field(default_factory=list)

    def plan_actions(self, driver: SandboxDriver, since: datetime) -> None:
        """Plan the steps from an instant on."""
        steps = (
            (0, self.register_customer),
            (1, self.open_dispute),
            (25, self.amend_dispute),
            (49, self.uphold_in_part),
            (52, self.pay_rest),
            (73, self.open_service_credit),
            (97, self.request_service_credit),
            (170, self.pass_on),
            (200, self.hold_for_fraud),
            (206, self.end_fraud),
        )
        for hours, step in steps:
            driver.at(since + timedelta(hours=hours), step)

    async def register_customer(self, driver: SandboxDriver) -> None:
        """Register a customer with a subscription, and invoice it by hand."""
        today = datetime.fromisoformat((await driver.get("clock", "/v1/clock"))["now"]).date()
        self.account_id, self.subscription_id = await register_account_with_subscription(
            driver, "support-desk", today, CUSTOMER
        )
        line = {"description": "Set-up", "amount": {"amount_minor": TOTAL_MINOR, "currency": "EUR"}}
        invoice = {"account_id": self.account_id, "lines": [line]}
        self.invoice_id = (await driver.post("invoicing", "/v1/invoices", invoice))["id"]

    async def open_dispute(self, driver: SandboxDriver) -> None:
        """Dispute a part of the invoice on behalf of the customer."""
        lines = [{"line": 1, "amount_minor": DISPUTED_MINOR, "reason_code": "quantity"}]
        body = {"account_id": self.account_id, "invoice_id": self.invoice_id, "currency": "EUR", "lines": lines}
        opened = await driver.post("escalation", "/v1/disputes", body)
        self.dispute_id = opened["id"]
        self.case_ids.append(opened["case_id"])

    async def amend_dispute(self, driver: SandboxDriver) -> None:
        """Dispute more, since the customer has counted again."""
        lines = [{"line": 1, "amount_minor": AMENDED_MINOR, "reason_code": "quantity"}]
        body = {"lines": lines, "reason": "the customer counted three days more"}
        await driver.post("escalation", f"/v1/disputes/{self.dispute_id}:amend", body)

    async def uphold_in_part(self, driver: SandboxDriver) -> None:
        """Approve a part, which is credited; the rest is owed again."""
        await driver.post("escalation", f"/v1/disputes/{self.dispute_id}:review", {})
        lines = [{"line": 1, "approved_minor": APPROVED_MINOR}]
        body = {"lines": lines, "reason": "two days were not worked"}
        await driver.post("escalation", f"/v1/disputes/{self.dispute_id}:uphold", body)

    async def pay_rest(self, driver: SandboxDriver) -> None:
        """Pay what is owed now."""
        amount = {"amount_minor": TOTAL_MINOR - APPROVED_MINOR, "currency": "EUR"}
        await driver.post("invoicing", "/v1/payments", {"account_id": self.account_id, "amount": amount})

    async def open_service_credit(self, driver: SandboxDriver) -> None:
        """Ask for a credit, since the vendor had given wrong information."""
        today = datetime.fromisoformat((await driver.get("clock", "/v1/clock"))["now"]).date()
        body = {
            "account_id": self.account_id,
            "type_code": "vendor_error",
            "subscription_id": self.subscription_id,
            "counts_since": today.isoformat(),
            "currency": "EUR",
            "expected_minor": GRANTED_MINOR,
            "description": "The vendor's price list named another price.",
        }
        opened = await driver.post("escalation", "/v1/service-credits", body)
        self.service_credit_id = opened["id"]
        self.case_ids.append(opened["case_id"])

    async def request_service_credit(self, driver: SandboxDriver) -> None:
        """Add what the vendor wants to see, and record that it was asked."""
        path, ticket = f"/v1/service-credits/{self.service_credit_id}", "2604020010000417"
        await driver.post("escalation", f"{path}/evidence", {"code": "ticket", "content": ticket})
        await driver.post("escalation", f"{path}:request", {"vendor_reference": ticket})

    async def pass_on(self, driver: SandboxDriver) -> None:
        """Pass on to the customer what the vendor grants, and know the outcome."""
        path = f"/v1/service-credits/{self.service_credit_id}"
        grant = {"granted_minor": GRANTED_MINOR, "reason": "the vendor's answer"}
        await driver.post("escalation", f"{path}:grant", grant)
        lines = [{"line": 1, "amount_minor": GRANTED_MINOR}]
        credit = {"invoice_id": self.invoice_id, "lines": lines, "reason_code": "goodwill", "reason": "passed on"}
        await driver.post("invoicing", "/v1/credit-notes", credit)
        notes = (await driver.get("invoicing", f"/v1/credit-notes?account_id={self.account_id}"))["items"]
        note_id = next(note["id"] for note in notes if note["dispute_id"] is None)
        await driver.post("escalation", f"{path}:pass-on", {"credit_note_id": note_id})
        outcome = {"outcome": "the vendor's credit was passed on", "reason": "the credit note is issued"}
        await driver.post("escalation", f"/v1/cases/{self.case_ids[1]}:resolve", outcome)

    async def hold_for_fraud(self, driver: SandboxDriver) -> None:
        """Hold access for fraud, which opens a case by itself."""
        hold = {"subscription_id": self.subscription_id, "reason": "fraud", "owner": "risk"}
        self.hold_id = (await driver.post("entitlements", "/v1/holds", hold))["hold_id"]

    async def end_fraud(self, driver: SandboxDriver) -> None:
        """Give access back, since the customer was the victim, and know the outcome."""
        cases = (await driver.get("escalation", f"/v1/cases?kind=fraud&account_id={self.account_id}"))["items"]
        self.case_ids.append(cases[0]["id"])
        await driver.release_fraud_hold(self.hold_id, "the passwords are new")
        outcome = {"outcome": "somebody had broken in; access is back", "reason": "the passwords are new"}
        await driver.post("escalation", f"/v1/cases/{self.case_ids[-1]}:resolve", outcome)

    async def tell(self, driver: SandboxDriver) -> list[str]:
        """Tell the stories from the threads of their cases alone."""
        lines = []
        for case_id in self.case_ids:
            case = await driver.get("escalation", f"/v1/cases/{case_id}")
            entries = (await driver.get("escalation", f"/v1/cases/{case_id}/entries"))["items"]
            lines += describe_thread(case, entries)
        return lines


def describe_thread(case: Mapping[str, Any], entries: Sequence[Mapping[str, Any]]) -> list[str]:
    """Tell what happened in a case, from its thread."""
    lines = [f"Case {case['number']}: {case['subject']}", f"  {show_instant(case['opened_at'])}  opened"]
    for entry in entries:
        details = ", ".join(f"{name} {_write(value)}" for name, value in entry["details"].items() if not _is_id(value))
        lines.append(f"  {show_instant(entry['entered_at'])}  {entry['kind']}: {entry['content'] or details}")
    return lines


def _is_id(value: object) -> bool:
    return isinstance(value, str) and value.count("-") == 4 and len(value) == 36


def _write(value: object) -> str:
    return f"from {value['from']} to {value['to']}" if isinstance(value, dict) and "from" in value else str(value)
