"""Events of other services that need a person open one task or case for each cause; a task concerns no customer."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from deploy.local.tokens import SigningKeyPair
from services.escalation.domain.differences import is_reconciliation_difference_large
from shared.events import Event
from shared.events.collections import NoticeBounced, NoticeFailed, TerminationRequested
from shared.events.entitlements import EntitlementEnded, HoldPlaced, SuspensionRefusedByVendor, VendorSyncFailed
from shared.events.invoicing import DocumentFailed, ReconciliationCompleted, VendorDifferenceDecided
from shared.events.invoicing.vendor import ReconciliationTotal
from shared.persistence.database import Unit
from shared.process.runtime import Runtime
from tests.builders import Client, Database, hear, message, running

ACCOUNT, SUBSCRIPTION, SUSPENSION, HOLD = (UUID(int=n) for n in range(1, 5))
VENDOR_INVOICE, DIFFERENCE, RECONCILIATION, INVOICE = (UUID(int=n) for n in range(5, 9))


@dataclass
class World:
    """Escalation without any other service."""

    runtime: Runtime
    client: Client

    async def cases(self) -> list[dict[str, Any]]:
        """List the cases that are open."""
        page: dict[str, Any] = await self.client.got("/v1/cases", state="new")
        return list(page["items"])


@pytest.fixture
async def world(database: Database, keys: SigningKeyPair, jwks_file: Path) -> AsyncIterator[World]:
    async with running("escalation", database, keys, jwks_file) as (runtime, client):
        yield World(runtime, client)


def termination(suspension_id: UUID | None = SUSPENSION) -> TerminationRequested:
    return TerminationRequested(
        account_id=ACCOUNT,
        suspension_id=suspension_id,
        policy_version=1,
        step="terminate",
        invoice_ids=(INVOICE,),
        subscription_ids=(SUBSCRIPTION,),
    )


def notice_failed() -> NoticeFailed:
    cause = "550 nobody@customer.example"
    return NoticeFailed(
        account_id=ACCOUNT, notice_id=uuid4(), kind="steps", template="reminder_1", items=(), cause=cause
    )


def notice_bounced() -> NoticeBounced:
    return NoticeBounced(
        account_id=ACCOUNT, notice_id=uuid4(), kind="steps", template="reminder_1", items=(), code="5.1.1"
    )


def document_failed() -> DocumentFailed:
    return DocumentFailed(
        account_id=ACCOUNT, delivery_id=uuid4(), document_type="invoice", document_id=INVOICE, cause="550"
    )


def reconciliation(difference_minor: int, verdict: str = "price_difference") -> ReconciliationCompleted:
    total = ReconciliationTotal(
        verdict=verdict, comparisons=1, lines=1, billed_minor=50_000 + difference_minor, expected_minor=50_000
    )
    return ReconciliationCompleted(
        vendor_invoice_id=VENDOR_INVOICE,
        reconciliation_id=RECONCILIATION,
        replaced_reconciliation_id=None,
        number="G012345",
        currency="EUR",
        file_sha256="0" * 64,
        status="differences",
        lines=1,
        totals=(total,),
    )


def make_decided(decision: str) -> VendorDifferenceDecided:
    return VendorDifferenceDecided(
        vendor_invoice_id=VENDOR_INVOICE,
        difference_id=DIFFERENCE,
        account_id=ACCOUNT,
        subscription_id=SUBSCRIPTION,
        verdict="price_difference",
        decision=decision,
        difference_minor=1200,
        currency="EUR",
    )


def make_ended(ended_on: date) -> EntitlementEnded:
    term_end = date(2027, 3, 1)
    return EntitlementEnded(account_id=ACCOUNT, subscription_id=SUBSCRIPTION, ended_on=ended_on, term_end=term_end)


def make_placed(reason: Any) -> HoldPlaced:
    suspension_id = SUSPENSION if reason == "non_payment" else None
    return HoldPlaced(
        account_id=ACCOUNT,
        subscription_id=SUBSCRIPTION,
        hold_id=HOLD,
        hold_reason=reason,
        suspension_id=suspension_id,
        invoice_ids=(),
    )


NEEDS_A_PERSON: dict[str, tuple[Callable[[], Event], str, bool]] = {
    "termination": (termination, "task", True),
    "termination without a suspension": (lambda: termination(None), "task", True),
    "notice failed": (notice_failed, "task", True),
    "document failed": (document_failed, "task", True),
    "vendor difference": (lambda: reconciliation(10_000), "task", False),
    "vendor difference, less": (lambda: reconciliation(-10_000), "task", False),
    "difference to dispute": (lambda: make_decided("dispute_with_vendor"), "task", True),
    "notice that came back": (notice_bounced, "task", True),
    "ended before the term": (lambda: make_ended(date(2026, 4, 1)), "task", True),
    "fraud hold": (lambda: make_placed("fraud"), "fraud", True),
}
"""By name: the event, the kind of the case that it opens, and whether that is about the account."""


@pytest.mark.parametrize("name", NEEDS_A_PERSON)
async def test_an_event_that_needs_a_person_opens_one_case_for_its_cause(world: World, name: str) -> None:
    make, kind, is_of_account = NEEDS_A_PERSON[name]
    await hear(world.runtime, make(), sequence=1)
    await hear(world.runtime, make(), sequence=2)
    (case,) = await world.cases()
    assert (case["kind"], case["account_id"]) == (kind, str(ACCOUNT) if is_of_account else None)
    assert "customer.example" not in case["subject"]


async def test_a_customer_who_gets_neither_notices_nor_invoices_is_one_task(world: World) -> None:
    await hear(world.runtime, document_failed(), sequence=1)
    await hear(world.runtime, notice_failed(), sequence=1)
    await hear(world.runtime, notice_bounced(), sequence=3)
    (case,) = await world.cases()
    assert case["subject"] == "invoices cannot be delivered: find out how this customer is reached"


@pytest.mark.parametrize("name", NEEDS_A_PERSON)
async def test_an_event_of_the_past_opens_none(world: World, name: str) -> None:
    event = NEEDS_A_PERSON[name][0]()

    async def apply(unit: Unit) -> None:
        await unit.lock_subjects(event.subject())
        await world.runtime.service.handlers.handle_event(unit, replace(message(event, 1, unit.now), is_past=True))

    await world.runtime.units.run(apply)
    assert await world.cases() == []


@pytest.mark.parametrize(
    "event",
    [
        reconciliation(9_999),
        reconciliation(-9_999),
        reconciliation(20_000, "within_tolerance"),
        make_decided("accept"),
        make_decided("bill_customer"),
        make_ended(date(2027, 3, 1)),
        make_placed("customer_request"),
        make_placed("non_payment"),
        SuspensionRefusedByVendor(
            account_id=ACCOUNT,
            subscription_id=SUBSCRIPTION,
            suspension_id=SUSPENSION,
            vendor_code="subscription_ended",
        ),
    ],
    ids=lambda event: type(event).__name__,
)
async def test_what_needs_nobody_opens_nothing(world: World, event: Event) -> None:
    await hear(world.runtime, event)
    assert await world.cases() == []


async def test_a_refused_renewal_says_what_the_vendor_refuses(world: World) -> None:
    await hear(
        world.runtime,
        VendorSyncFailed(
            account_id=ACCOUNT, subscription_id=SUBSCRIPTION, wanted_state="auto_renew_off", vendor_code="800040"
        ),
    )
    (case,) = await world.cases()
    assert case["subject"] == "the vendor refuses to switch off auto-renew of a subscription that ends (800040)"


async def test_a_task_is_closed_without_a_contact_and_opens_anew_for_its_cause(world: World) -> None:
    await hear(world.runtime, termination())
    (case,) = await world.cases()
    path = f"/v1/cases/{case['id']}"
    await world.client.create(f"{path}:resolve", {"outcome": "kept suspended", "reason": "they will pay"})
    closed = await world.client.create(f"{path}:close", {"reason": "done"})
    assert closed["state"] == "closed"
    await hear(world.runtime, termination(), sequence=2)
    assert len(await world.cases()) == 1


async def test_a_cause_whose_case_was_merged_opens_no_other_until_that_is_resolved(world: World) -> None:
    await hear(world.runtime, termination())
    (case,) = await world.cases()
    body = {"kind": "task", "account_id": str(ACCOUNT), "subject": "talk to them"}
    target_id = (await world.client.create("/v1/cases", body))["id"]
    await world.client.create(
        f"/v1/cases/{case['id']}:merge", {"into_case_id": target_id, "reason": "one talk for both"}
    )
    await hear(world.runtime, termination(), sequence=2)
    assert [waiting["id"] for waiting in await world.cases()] == [target_id]
    await world.client.create(f"/v1/cases/{target_id}:resolve", {"outcome": "they pay", "reason": "talked"})
    await hear(world.runtime, termination(), sequence=3)
    (again,) = await world.cases()
    assert again["cause"] == case["cause"]


async def test_what_a_task_is_about_is_linked(world: World) -> None:
    await hear(world.runtime, termination())
    (case,) = await world.cases()
    links = (await world.client.got(f"/v1/cases/{case['id']}"))["links"]
    assert {(link["kind"], link["target_id"], link["added_by"]) for link in links} == {
        ("invoice", str(INVOICE), None),
        ("suspension", str(SUSPENSION), None),
    }


async def test_a_case_of_a_customer_still_needs_the_contact(world: World) -> None:
    await hear(world.runtime, make_placed("fraud"))
    (case,) = await world.cases()
    path = f"/v1/cases/{case['id']}"
    await world.client.create(f"{path}:resolve", {"outcome": "an error", "reason": "checked"})
    refused = await world.client.post(f"{path}:close", {"reason": "done"})
    assert (refused.status_code, refused.json()["code"]) == (409, "customer_not_told")


@pytest.mark.parametrize(("currency", "limit_minor"), [("EUR", 10_000), ("JPY", 100), ("KWD", 100_000)])
def test_the_limit_is_in_units_of_the_currency(currency: str, limit_minor: int) -> None:
    assert is_reconciliation_difference_large([("price_difference", limit_minor)], currency)
    assert not is_reconciliation_difference_large([("price_difference", limit_minor - 1)], currency)
    assert is_reconciliation_difference_large([("price_difference", limit_minor - 1), ("no_customer", -1)], currency)
