"""The reader of the page has what the product has, though it is killed and every message comes again."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaProducer

from deploy.local.stack import Stack
from sandbox.driver import SandboxDriver
from sandbox.replay import BillingProfile, register_account_with_subscription
from shared.events import get_topic
from shared.process.service import NAMES
from tests.end_to_end.backbone.loops import records
from tests.end_to_end.integrating.reader import Reader, reading

pytestmark = pytest.mark.xdist_group("stack")

USD = "USD"
NOTHING = {"owed": (USD, 0, 0, 0), "stage": None, "suspended": set[str](), "disputes": set[str]()}


class Customer:
    """An account with one subscription, and one invoice of 100 USD."""

    def __init__(self, driver: SandboxDriver, account_id: str, subscription_id: str) -> None:
        self._driver = driver
        self.account_id = account_id
        self.subscription_id = subscription_id
        self.invoice_id = ""

    async def issue_invoice(self, due: date) -> None:
        amount = {"amount_minor": 10_000, "currency": USD}
        line = {"description": "Subscription", "amount": amount, "subscription_id": self.subscription_id}
        body = {"account_id": self.account_id, "lines": [line], "due_date": due.isoformat()}
        self.invoice_id = (await self._driver.post("invoicing", "/v1/invoices", body))["id"]

    async def pays(self) -> None:
        amount = {"amount_minor": 10_000, "currency": USD}
        body = {"account_id": self.account_id, "amount": amount, "invoice_id": self.invoice_id}
        await self._driver.post("invoicing", "/v1/payments", body)

    async def disputes(self, amount_minor: int) -> str:
        lines = [{"line": 1, "amount_minor": amount_minor}]
        body = {"account_id": self.account_id, "invoice_id": self.invoice_id, "currency": USD, "lines": lines}
        return str((await self._driver.post("escalation", "/v1/disputes", body))["id"])

    async def standing(self) -> dict[str, Any]:
        """Get the standing of the account from the product, in the reader's form."""
        balance = await self._driver.get("invoicing", f"/v1/invoices/{self.invoice_id}/balance")
        product_standing = await self._driver.get("collections", f"/v1/accounts/{self.account_id}/standing")
        open_ones = await self._driver.get("escalation", f"/v1/disputes?account_id={self.account_id}&state=opened")
        overdue = sum(item["amounts"]["open_minor"] for item in product_standing["items"] if item["overdue_at"])
        return {
            "owed": (balance["currency"], balance["open_minor"], balance["disputed_minor"], overdue),
            "stage": next((case["stage"] for case in product_standing["cases"] if case["closed_at"] is None), None),
            "suspended": {
                suspension["subscription_id"]
                for suspension in product_standing["suspensions"]
                if suspension["state"] == "effective"
            },
            "disputes": {dispute["id"] for dispute in open_ones["items"]},
        }


async def customers(driver: SandboxDriver, today: date, count: int) -> list[Customer]:
    return [
        Customer(driver, *await register_account_with_subscription(driver, f"told-{uuid4()}", today, BillingProfile()))
        for _ in range(count)
    ]


async def live_until(driver: SandboxDriver, day: date) -> None:
    """Live through everything up to the noon of a day."""
    await driver.run(lambda *_: None, until=datetime.fromisoformat(f"{day}T12:00:00Z"))


async def say_again(broker: str, own: Sequence[Customer]) -> int:
    """Put every message about these accounts on its topic once more; how many they were."""
    keys, said = {customer.account_id.encode() for customer in own}, 0
    async with AIOKafkaProducer(bootstrap_servers=broker) as producer:
        for topic in map(get_topic, NAMES):
            for record in await records(broker, topic):
                if record.key in keys:
                    await producer.send_and_wait(
                        topic, key=record.key, value=record.value, headers=list(record.headers)
                    )
                    said += 1
    return said


async def test_it_agrees_with_the_product(stack: Stack, driver: SandboxDriver, tmp_path: Path) -> None:
    today = datetime.fromisoformat((await driver.get("clock", "/v1/clock"))["now"]).date()
    due = today + timedelta(days=5)
    with reading(tmp_path, stack.kafka) as reader:
        late, back, unsure, sorry = own = await customers(driver, today, 4)
        for customer, days in ((late, 0), (back, 0), (unsure, 60), (sorry, 60)):
            await customer.issue_invoice(due + timedelta(days=days))
        _fall_over(reader)
        dispute, mistake = await unsure.disputes(4_000), await sorry.disputes(500)
        await live_until(driver, due + timedelta(days=15))
        reader.kill()
        assert await say_again(stack.kafka, own) > 20
        reader.start()
        await live_until(driver, due + timedelta(days=22))
        _fall_over(reader)
        await back.pays()
        await driver.post("escalation", f"/v1/disputes/{mistake}:withdraw", {"reason": "found it"})
        await driver.monitor.wait_until_settled()
        await reader.caught_up()
        standings = reader.standing(customer.account_id for customer in own)
    assert standings == {customer.account_id: await customer.standing() for customer in own}
    assert standings == {
        late.account_id: NOTHING
        | {"owed": (USD, 10_000, 0, 10_000), "stage": "suspend", "suspended": {late.subscription_id}},
        back.account_id: NOTHING,
        unsure.account_id: NOTHING | {"owed": (USD, 10_000, 4_000, 0), "disputes": {dispute}},
        sorry.account_id: NOTHING | {"owed": (USD, 10_000, 0, 0)},
    }
    await late.pays()  # the stack is left with nobody suspended
    await driver.monitor.wait_until_settled()


def _fall_over(reader: Reader) -> None:
    """Killed wherever it is just now, and started again."""
    reader.kill()
    reader.start()
