"""The course of one account's invoices, through everything that is real."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

from deploy.local.stack import Stack
from sandbox import checks, topics
from sandbox.driver import SandboxDriver
from sandbox.replay import BillingProfile, register_account_with_subscription


async def now(driver: SandboxDriver) -> datetime:
    """The stack's business time."""
    return datetime.fromisoformat((await driver.get("clock", "/v1/clock"))["now"])


async def live_until(driver: SandboxDriver, instant: datetime) -> None:
    """Live through everything that falls due up to an instant."""
    await driver.run(lambda *_: None, until=instant)


async def issue(driver: SandboxDriver, account_id: str, subscription_id: str, due: date) -> str:
    """An invoice of 100 USD for a subscription."""
    amount = {"amount_minor": 10_000, "currency": "USD"}
    line = {"description": "Subscription", "amount": amount, "subscription_id": subscription_id}
    body = {"account_id": account_id, "lines": [line], "due_date": due.isoformat()}
    return str((await driver.post("invoicing", "/v1/invoices", body))["id"])


async def pay(driver: SandboxDriver, account_id: str, invoice_id: str) -> dict[str, Any]:
    """The whole amount for an invoice."""
    amount = {"amount_minor": 10_000, "currency": "USD"}
    body = {"account_id": account_id, "amount": amount, "invoice_id": invoice_id}
    return await driver.post("invoicing", "/v1/payments", body)


async def late_account(driver: SandboxDriver) -> tuple[str, str, str, date]:
    """A new account with one subscription and an invoice due in ten days."""
    today = (await now(driver)).date()
    account_id, subscription_id = await register_account_with_subscription(
        driver, f"late-{uuid4()}", today, BillingProfile()
    )
    due = today + timedelta(days=10)
    return account_id, subscription_id, await issue(driver, account_id, subscription_id, due), due


def at(day: date, days: int, hour: int = 9) -> datetime:
    """An hour of a day counted from another."""
    return datetime.combine(day + timedelta(days=days), datetime.min.time(), UTC).replace(hour=hour)


async def vendor_has(stack: Stack, account_reference: str) -> dict[str, Any]:
    """The vendor's record of the subscription of an account."""
    records = await checks.fetch_vendor_record(stack)
    return next(record for record in records if record["subscription"] == f"subscription-{account_reference}")


async def live_through_suspension(stack: Stack, driver: SandboxDriver) -> None:
    """Let an invoice become overdue, its subscription be suspended, and given back when it is paid."""
    account_id, subscription_id, invoice_id, due = await late_account(driver)
    reference = (await driver.get("invoicing", f"/v1/accounts/{account_id}"))["external_reference"]
    before = (await vendor_has(stack, reference))["renewal"]
    await live_until(driver, at(due, 20))
    assert (await driver.get("entitlements", f"/v1/access/{subscription_id}"))["allowed"] is True
    await live_until(driver, at(due, 21))
    standing = await driver.get("collections", f"/v1/accounts/{account_id}/standing")
    assert standing["state"] == "suspended"
    assert standing["suspensions"][0]["invoice_ids"] == [invoice_id]
    access = await driver.get("entitlements", f"/v1/access/{subscription_id}")
    assert (access["allowed"], [hold["reason"] for hold in access["holds"]]) == (False, ["non_payment"])
    suspended = await vendor_has(stack, reference)
    assert suspended["status"] == "suspended"
    assert suspended["renewal"] != before
    await pay(driver, account_id, invoice_id)
    await driver.monitor.wait_until_settled()
    back = await vendor_has(stack, reference)
    assert (back["status"], back["renewal"]) == ("active", before)
    standing = await driver.get("collections", f"/v1/accounts/{account_id}/standing")
    assert standing["state"] == "good_standing"
    assert [notice["template"] for notice in reversed(standing["notices"])] == [
        "upcoming",
        "reminder_1",
        "reminder_2",
        "final_notice",
        "suspended",
        "restored",
    ]
    assert await clean(stack) == {}


async def clean(stack: Stack) -> dict[str, list[str]]:
    """The checks that find something."""
    findings = await checks.list_stack_findings(stack, await topics.read_all_events(stack.kafka_access))
    return {name: wrong for name, wrong in findings.items() if wrong}
