"""One account's way from an invoice to suspension and back, through everything that is real."""

from datetime import timedelta

import asyncpg
import pytest

from deploy.local.stack import Stack
from sandbox import checks, topics
from sandbox.driver import Refused, SandboxDriver
from sandbox.idle import SystemNotSettled
from tests.end_to_end.lifecycle.course import at, clean, late_account, live_through_suspension, live_until, now, pay

pytestmark = pytest.mark.xdist_group("stack")


async def test_suspended_for_an_overdue_invoice_and_given_back_when_paid(stack: Stack, driver: SandboxDriver) -> None:
    await live_through_suspension(stack, driver)


async def test_a_disputed_invoice_stops_the_clock_and_upheld_it_is_credited(
    stack: Stack, driver: SandboxDriver
) -> None:
    account_id, _, invoice_id, due = await late_account(driver)
    await live_until(driver, at(due, 8, 12))
    lines = [{"line": 1, "amount_minor": 10_000}]
    body = {"account_id": account_id, "invoice_id": invoice_id, "currency": "USD", "lines": lines}
    dispute = await driver.post("escalation", "/v1/disputes", body)
    await live_until(driver, at(due, 40))
    item = (await driver.get("collections", f"/v1/accounts/{account_id}/standing"))["items"][0]
    assert (item["amounts"]["dunnable_minor"], item["position"], item["paused_days"]) == (0, 8, 32)
    assert item["next"] is None
    await driver.post("escalation", f"/v1/disputes/{dispute['id']}:uphold", {"reason": "billed twice"})
    await driver.monitor.wait_until_settled()
    balance = await driver.get("invoicing", f"/v1/invoices/{invoice_id}/balance")
    assert (balance["open_minor"], balance["credited_minor"]) == (0, 10_000)
    assert (await driver.get("collections", f"/v1/accounts/{account_id}/standing"))["state"] == "good_standing"
    case = await driver.get("escalation", f"/v1/cases/{dispute['case_id']}")
    assert case["state"] == "resolved"
    path = f"/v1/cases/{case['id']}"
    with pytest.raises(Refused, match="customer_not_told"):
        await driver.post("escalation", f"{path}:close", {"reason": "done"})
    contact = {"channel": "email", "about_outcome": True, "comment": "told of the credit note"}
    await driver.post("escalation", f"{path}/contacts", contact)
    await driver.post("escalation", f"{path}:close", {"reason": "done"})
    await driver.monitor.wait_until_settled()
    assert await clean(stack) == {}


async def test_a_reversed_payment_suspends_only_after_a_new_final_notice(stack: Stack, driver: SandboxDriver) -> None:
    account_id, subscription_id, invoice_id, due = await late_account(driver)
    await live_until(driver, at(due, 18))
    payment = await pay(driver, account_id, invoice_id)
    await driver.monitor.wait_until_settled()
    await live_until(driver, at(due, 25, 12))
    await driver.post("invoicing", f"/v1/payments/{payment['id']}:reverse", {"reason": "debit returned"})
    await live_until(driver, at(due, 32))
    standing = await driver.get("collections", f"/v1/accounts/{account_id}/standing")
    item = standing["items"][0]
    assert (item["round"], item["stage"], item["steps"][0]["outcome"]) == (2, "final_notice", "skipped")
    assert (await driver.get("entitlements", f"/v1/access/{subscription_id}"))["allowed"] is True
    await live_until(driver, at(due, 33))
    assert (await driver.get("entitlements", f"/v1/access/{subscription_id}"))["allowed"] is False
    await pay(driver, account_id, invoice_id)
    await driver.monitor.wait_until_settled()
    assert await clean(stack) == {}


CORRUPTIONS: dict[checks.Check, str] = {
    checks.check_balances_equal: (
        "UPDATE invoicing.line_balances SET paid_minor = 0 WHERE (invoice_id, line) ="
        " (SELECT invoice_id, line FROM invoicing.line_balances WHERE paid_minor > 0 LIMIT 1)"
    ),
    checks.check_access_as_wanted: (
        "UPDATE entitlements.holds SET released_at = NULL, ended_at = NULL, effective_at = NULL"
        " WHERE id = (SELECT id FROM entitlements.holds WHERE released_at IS NOT NULL LIMIT 1)"
    ),
    checks.check_suspensions_noticed: (
        "DELETE FROM collections.steps_taken WHERE step = 'final_notice' AND invoice_id IN"
        " (SELECT invoice_id FROM collections.suspension_causes LIMIT 1)"
    ),
    checks.check_holds_have_debt: (
        "UPDATE entitlements.holds SET released_at = NULL, ended_at = NULL, effective_at = NULL"
        " WHERE id = (SELECT id FROM entitlements.holds h WHERE released_at IS NOT NULL AND reason = 'non_payment'"
        " AND NOT EXISTS (SELECT FROM invoicing.audit_balances b WHERE b.invoice_id = ANY(h.invoice_ids)"
        " AND b.open_minor > 0) LIMIT 1)"
    ),
    checks.check_loops_closed: "DELETE FROM escalation.entries",
    checks.check_event_sequences: (
        "UPDATE collections.watermarks SET sequence = sequence - 1 WHERE (topic, subject) ="
        " (SELECT topic, subject FROM collections.watermarks LIMIT 1)"
    ),
    checks.check_ledger_balances: (
        "DELETE FROM invoicing.ledger_entries WHERE id ="
        " (SELECT id FROM invoicing.ledger_entries WHERE code = 'receivables' LIMIT 1)"
    ),
    checks.check_nothing_failed: (
        "INSERT INTO escalation.failed_work VALUES"
        " (gen_random_uuid(), 'intent', 'reserve_amounts', 's', NULL, 'KeyError', now())"
    ),
    checks.check_nothing_parked: (
        "INSERT INTO escalation.parked VALUES ('invoicing.events', 's', 1, 'e', 't', '{}', '', 'broken', now(), false)"
    ),
}


@pytest.fixture(scope="package")
async def lived(stack: Stack, driver: SandboxDriver) -> Stack:
    """A stack on which something was suspended and given back, and a case was closed."""
    account_id, _, invoice_id, due = await late_account(driver)
    await live_until(driver, at(due, 21))
    await pay(driver, account_id, invoice_id)
    case = await driver.post("escalation", "/v1/cases", {"kind": "billing_question", "subject": "what is this?"})
    path = f"/v1/cases/{case['id']}"
    await driver.post("escalation", f"{path}:resolve", {"outcome": "explained", "reason": "asked"})
    contact = {"channel": "phone", "about_outcome": True, "comment": "explained"}
    await driver.post("escalation", f"{path}/contacts", contact)
    await driver.post("escalation", f"{path}:close", {"reason": "told"})
    await driver.monitor.wait_until_settled()
    return stack


@pytest.mark.parametrize("check", CORRUPTIONS, ids=lambda check: check.__name__)
async def test_each_check_finds_a_corrupted_row(lived: Stack, check: checks.Check) -> None:
    """In a transaction that is rolled back, so that the stack stays as it is."""
    vendor, events = await checks.fetch_vendor_record(lived), await topics.read_all_events(lived.kafka_access)
    owner = await asyncpg.connect(lived.database_url("owner"))
    try:
        assert await check(owner, vendor, events) == []
        transaction = owner.transaction()
        await transaction.start()
        assert (await owner.execute(CORRUPTIONS[check])).split()[-1] != "0"
        findings = await check(owner, vendor, events)
        await transaction.rollback()
    finally:
        await owner.close()
    assert len(findings) >= 1


async def test_a_system_that_does_not_settle_says_what_it_waits_for(stack: Stack, driver: SandboxDriver) -> None:
    await driver.monitor.wait_until_settled()
    owner = await asyncpg.connect(stack.database_url("owner"))
    try:
        await owner.execute("INSERT INTO escalation.streams VALUES ('stuck', 1) ON CONFLICT DO NOTHING")
        await owner.execute(
            "INSERT INTO escalation.intents (id, kind, account_id, key, payload, state, due_at, attempts, traceparent,"
            " created_at, leased_until) SELECT gen_random_uuid(), 'reserve_amounts', gen_random_uuid(), 'stuck-key',"
            " '{}', 'pending', now, 1, '', now, 'infinity' FROM clock.clock"
        )
        with pytest.raises(SystemNotSettled, match="escalation intent reserve_amounts stuck-key"):
            await driver.monitor.wait_until_settled(within=0.3)
    finally:
        await owner.execute("DELETE FROM escalation.intents WHERE key = 'stuck-key'")
        await owner.execute("DELETE FROM escalation.streams WHERE subject = 'stuck'")
        await owner.close()
    await driver.monitor.wait_until_settled()


async def test_the_clock_never_runs_backwards(driver: SandboxDriver) -> None:
    before = await now(driver)
    with pytest.raises(Refused, match="409"):
        await driver.put("clock", "/v1/clock", {"now": (before - timedelta(seconds=1)).isoformat()})
    assert await now(driver) == before
