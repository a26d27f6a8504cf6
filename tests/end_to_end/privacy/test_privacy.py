"""A replay through everything that is real, with whatever may go wrong: nobody is named where others read."""

import os
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import asyncpg
import httpx2
import pytest

from deploy.local.stack import Stack
from sandbox import topics
from sandbox.demo import close_case_loops
from sandbox.driver import SandboxDriver
from sandbox.generated import generate_year_of_invoices
from sandbox.ledger import LedgerInvoice
from sandbox.replay import BillingProfile, LedgerWorld
from shared.process.service import NAMES
from tests.builders import Client, account, invoice
from tests.end_to_end.lifecycle.course import now
from tests.end_to_end.privacy import people
from tests.end_to_end.privacy.people import REGISTERED, SAID

pytestmark = pytest.mark.xdist_group("stack")
SEED, DAYS = 3, 45
PAYERS = ("account-06", "account-08", "account-26", "account-25", "account-39")
"""Of the generated ledger: slow, disputing, and such as pay late; the last of them when access is gone."""
SUSPENDED = timedelta(days=23)
"""After the due date."""
CLUMSY = b'{"name": "Peregrina", '
"""No JSON."""


def ledger(start: date) -> list[LedgerInvoice]:
    """The first invoices of some customers of a generated year."""
    return [
        replace(
            invoice,
            customer=f"{REGISTERED}{PAYERS.index(invoice.customer)}",
            number=f"{REGISTERED}{invoice.number}",
            settled=invoice.due + SUSPENDED if invoice.customer == PAYERS[-1] else invoice.settled,
        )
        for invoice in generate_year_of_invoices(SEED, start).invoices
        if invoice.customer in PAYERS and invoice.issued < start + timedelta(days=28)
    ]


@asynccontextmanager
async def clients(stack: Stack) -> AsyncIterator[dict[str, Client]]:
    """A caller of each service."""
    async with AsyncExitStack() as open_:
        yield {
            name: Client(
                await open_.enter_async_context(httpx2.AsyncClient(base_url=stack.url(name), timeout=20)),
                stack.token(name),
            )
            for name in NAMES
        }


async def be_refused(callers: dict[str, Client]) -> None:
    """Name people in requests that are wrong in every way."""
    invoicing, escalation = callers["invoicing"], callers["escalation"]
    good = account(name=people.name(1), billing_email=people.email(1), external_reference=f"{REGISTERED}1")
    for bad in ({"terms_days": -1}, {"currency": people.name(1)}, {people.email(1): 1}, {"name": "Peregrina\0"}):
        assert (await invoicing.post("/v1/accounts", good | bad)).status_code == 422
    headers = invoicing.headers | {"idempotency-key": people.email(1)}
    assert (await invoicing.http.post("/v1/accounts", content=CLUMSY, headers=headers)).status_code in (400, 422)
    assert (await invoicing.get("/v1/accounts", external_reference=people.email(1))).status_code == 422
    assert (await invoicing.get(f"/v1/accounts/{people.email(1)}")).status_code == 422
    assert (await invoicing.get(f"/v1/{people.email(1)}")).status_code == 404
    assert (await escalation.post("/v1/cases", {"kind": SAID, "subject": SAID})).status_code == 422
    assert (await escalation.post("/v1/disputes", {"comment": SAID, "lines": []})).status_code == 422
    assert (await callers["entitlements"].post("/v1/holds", {"reason": SAID, "owner": SAID})).status_code == 422
    assert (await callers["collections"].post("/v1/policies", {"document": people.name(1)})).status_code == 422
    for caller in callers.values():
        stolen = {"authorization": f"{caller.headers['authorization']}x"}
        assert (await caller.http.get("/v1/guard", headers=stolen)).status_code in (401, 404)


async def break_it(stack: Stack, invoicing: Client) -> None:
    """A defect that shows in the database: a constraint that a row with a person's name violates; and a duplicate."""
    reference = f"{REGISTERED}0"
    twice = account(name=people.name(0), billing_email=people.email(0), external_reference=reference)
    assert (await invoicing.post("/v1/accounts", twice)).status_code == 409
    owner = await asyncpg.connect(stack.database_url("owner"))
    try:
        await owner.execute("ALTER TABLE invoicing.accounts ADD CONSTRAINT broken CHECK (terms_days <> 77) NOT VALID")
        body = account(name=people.name(0), billing_email=people.email(0), terms_days=77)
        assert (await invoicing.post("/v1/accounts", body)).status_code == 500
    finally:
        await owner.execute("ALTER TABLE invoicing.accounts DROP CONSTRAINT broken")
        await owner.close()


async def complain(callers: dict[str, Client], account_id: str, subscription_id: str) -> None:
    """Say what people say, which is written down: about a dispute, a case, a contact and a hold."""
    issued = await callers["invoicing"].create("/v1/invoices", invoice(account_id, 500))
    escalation, lines = callers["escalation"], [{"line": 1, "amount_minor": 500}]
    body = {"account_id": account_id, "invoice_id": issued["id"], "currency": "EUR", "lines": lines, "comment": SAID}
    dispute = await escalation.create("/v1/disputes", body)
    await escalation.create(f"/v1/disputes/{dispute['id']}:uphold", {"reason": SAID})
    body = {"kind": "billing_question", "subject": SAID}
    path = f"/v1/cases/{(await escalation.create('/v1/cases', body))['id']}"
    contact = {"channel": "phone", "about_outcome": False, "comment": SAID}
    await escalation.create(f"{path}/contacts", contact)
    await escalation.create(f"{path}:resolve", {"outcome": SAID, "reason": SAID})
    await escalation.create(f"{path}:close", {"reason": SAID, "no_customer_affected": SAID})
    body = {"subscription_id": subscription_id, "reason": "admin", "owner": "risk", "comment": SAID}
    hold = (await callers["entitlements"].create("/v1/holds", body))["hold_id"]
    await callers["entitlements"].create(f"/v1/holds/{hold}:release", {"reason": SAID})


async def faults(stack: Stack, driver: SandboxDriver) -> None:
    """The mail hop refuses some of the mails, the vendor is away or wants none of it, processes die."""
    async with httpx2.AsyncClient(timeout=20) as http:
        for number, reply in enumerate((550, 451, 550)):
            fault = {"recipient": people.email(number), "reply": reply}
            (await http.post(stack.url("mailbox") + "/v1/faults", json=fault)).raise_for_status()
        for number, kind in ((2, "500"), (3, "409")):
            fault = {"subscription": f"subscription-{REGISTERED}{number}", "fault": kind, "operation": "PATCH"}
            (await http.post(stack.url("vendor") + "/sandbox/faults", json=fault)).raise_for_status()
    for name in ("collections", "entitlements"):
        os.kill(stack.get_program_pid(name), signal.SIGKILL)


@pytest.fixture(scope="module")
async def lived(stack: Stack, driver: SandboxDriver) -> Stack:
    """A stack on which some weeks of these people were lived through."""
    start = ((await now(driver)).replace(day=1) + timedelta(days=32)).date().replace(day=1)
    customers = [f"{REGISTERED}{number}" for number in range(len(PAYERS))]
    world = LedgerWorld(ledger(start), dict.fromkeys(customers, BillingProfile("EUR", "UTC", "GS-DE")))
    noon = datetime.combine(start, time(12), UTC)
    await world.register(driver)
    async with clients(stack) as callers:
        for number in range(len(PAYERS)):
            await people.name_account(callers["invoicing"], world.account(f"{REGISTERED}{number}"), number)
        world.plan_actions(driver)
        driver.at(noon, lambda _: be_refused(callers))
        driver.at(noon, lambda _: break_it(stack, callers["invoicing"]))
        driver.at(noon, lambda _: complain(callers, *world._accounts[customers[4]]))
        driver.at(noon + timedelta(days=2), lambda fault_driver: faults(stack, fault_driver))
        driver.at(noon + timedelta(days=DAYS - 1), close_case_loops)
        await driver.run(lambda *_: None, until=noon + timedelta(days=DAYS))
    return stack


async def test_the_story_has_all_that_may_tell(lived: Stack) -> None:
    """So that nothing is not found only because nothing was there."""
    log = people.logs(lived)
    seen = {str(span["name"]) for span in people.spans(log.values())}
    assert {"intent send_notice", "intent reserve_amounts", "intent sync_vendor"} <= seen
    assert "handle goodstanding.invoicing.AccountRegistered.v1" in seen
    assert b"request broke" in log["invoicing.log"]
    assert b'violates check constraint "broken"' in log["postgres.log"]
    names = {event.name for event in await topics.read_all_events(lived.kafka_access)}
    assert {"AccountChanged", "NoticeFailed", "SubscriptionSuspended", "DisputeResolved", "CaseClosed"} <= names
    async with httpx2.AsyncClient(timeout=20) as http:
        for number in range(len(PAYERS)):
            response = await http.get(f"{lived.url('mailbox')}/v1/messages", params={"to": people.email(number)})
            assert f"Dear {people.name(number)}" in response.json()["messages"][-1]["text"]


async def test_nobody_is_named_on_a_topic(lived: Stack, driver: SandboxDriver) -> None:
    assert people.leaks(await people.messages(lived), people.secrets(lived, driver)) == []


async def test_nobody_is_named_in_a_log_or_a_span(lived: Stack, driver: SandboxDriver) -> None:
    assert people.leaks(people.logs(lived), people.secrets(lived, driver)) == []
