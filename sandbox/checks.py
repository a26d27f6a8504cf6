"""End-state checks, by code of their own: what must hold once the system has settled.

They read the audit views that each service offers to the `monitor` role, the vendor's own record and the
topics; each check answers with a sentence for everything that is wrong.
"""

from collections import defaultdict
from collections.abc import Callable, Coroutine, Sequence
from datetime import timedelta
from typing import Any, Protocol
from zoneinfo import ZoneInfo

import asyncpg
import httpx2

from sandbox.topics import PublishedEvent
from shared.base.connections.access import DatabaseAccess
from shared.base.connections.database import connect_database
from shared.base.connections.tls import TlsFiles
from shared.process.service import NAMES
from shared.pure.calendar import get_local_date

FIGURES = ("access_mismatches", "parked", "sequence_gaps", "open_minor", "other_findings")
"""The figures of the report that must be 0; only a ledger that is settled in full has nothing open."""


class RunningStack(Protocol):
    """A stack that runs."""

    def url(self, name: str) -> str: ...
    def database_access(self, role: str) -> DatabaseAccess: ...
    @property
    def tls(self) -> TlsFiles: ...


Check = Callable[[asyncpg.Connection, list[dict[str, Any]], Sequence[PublishedEvent]], Coroutine[Any, Any, list[str]]]

_UNEQUAL = """
SELECT coalesce(i.invoice_id, c.invoice_id) AS id, i.open_minor, c.open_minor AS heard FROM invoicing.audit_balances i
FULL JOIN collections.audit_balances c USING (invoice_id)
WHERE (i.open_minor, i.disputed_minor, i.in_flight_minor)
    IS DISTINCT FROM (c.open_minor, c.disputed_minor, c.in_flight_minor)
"""


async def check_balances_equal(monitor: asyncpg.Connection, _: object, __: object) -> list[str]:
    """Invoicing and collections agree about every invoice: open, disputed, in flight."""
    rows = await monitor.fetch(_UNEQUAL)
    return [f"invoice {row['id']}: invoicing has {row['open_minor']}, collections {row['heard']} open" for row in rows]


async def check_access_as_wanted(monitor: asyncpg.Connection, vendor: list[dict[str, Any]], _: object) -> list[str]:
    """Each subscription is at the vendor as it is wanted: an active one renews as before, an ended one not at all."""
    at_vendor = {(subscription["customer"], subscription["subscription"]): subscription for subscription in vendor}
    wrong = []
    for row in await monitor.fetch("SELECT * FROM entitlements.audit_access"):
        vendor_record = at_vendor.get((row["vendor_customer_id"], row["vendor_subscription_id"]))
        name = row["vendor_subscription_id"]
        if vendor_record is None:
            wrong.append(f"{name}: unknown at the vendor")
        elif not vendor_record["status"] == row["wanted"] == (row["actual"] or "active"):
            wrong.append(
                f"{name}: wanted {row['wanted']}, seen {row['actual']}, {vendor_record['status']} at the vendor"
            )
        elif row["is_ended"]:
            if vendor_record["renewal"]["autoRenewEnabled"]:
                wrong.append(f"{name}: has ended, and auto-renew is on")
        elif (
            vendor_record["status"] == "active" and vendor_record["renewal"] != vendor_record["renewalBeforeSuspension"]
        ):
            wrong.append(
                f"{name}: renewal is {vendor_record['renewal']}, was {vendor_record['renewalBeforeSuspension']}"
            )
    return wrong


async def check_suspensions_noticed(
    monitor: asyncpg.Connection, _: object, events: Sequence[PublishedEvent]
) -> list[str]:
    """No suspension was requested without the notices that its policy requires, delivered in time, in its round."""
    policies = {e.payload["policy_version"]: e.payload["document"] for e in events if e.name == "PolicyPublished"}
    zones = {e.subject: ZoneInfo(e.payload["time_zone"]) for e in events if e.name == "AccountRegistered"}
    notices: dict[tuple[str, int, str], list[Any]] = defaultdict(list)
    for row in await monitor.fetch("SELECT * FROM collections.audit_steps WHERE delivered_at IS NOT NULL"):
        notices[str(row["invoice_id"]), row["round"], row["stands_for"]].append(row["delivered_at"])
    wrong = []
    for row in await monitor.fetch("SELECT * FROM collections.audit_suspensions"):
        zone, invoice = zones[str(row["account_id"])], str(row["invoice_id"])
        step = next(
            policy_step
            for policy_step in policies[row["policy_version"]]["steps"]
            if policy_step["name"] == row["step"]
        )
        for required in step["requires"]:
            latest = get_local_date(row["caused_at"], zone) - timedelta(days=required["days_before"])
            sent = notices[invoice, row["round"], required["notice"]]
            if not any(get_local_date(at, zone) <= latest for at in sent):
                wrong.append(f"suspension {row['id']} for invoice {invoice}: no {required['notice']} by {latest}")
    return wrong


_HELD = """
SELECT h.hold_id, h.subscription_id FROM entitlements.audit_holds h
WHERE h.reason = 'non_payment' AND NOT EXISTS (
    SELECT FROM invoicing.audit_balances b WHERE b.invoice_id = ANY(h.invoice_ids) AND b.open_minor > 0
)
"""


async def check_holds_have_debt(monitor: asyncpg.Connection, _: object, __: object) -> list[str]:
    """No hold for non-payment stands whose invoices have nothing open."""
    rows = await monitor.fetch(_HELD)
    return [f"hold {row['hold_id']} on {row['subscription_id']}: nothing is owed" for row in rows]


_NOT_TOLD = """
SELECT case_id FROM escalation.audit_cases
WHERE state = 'closed' AND kind <> 'task' AND no_customer_affected IS NULL
    AND (informed_sequence IS NULL OR informed_sequence <= outcome_sequence)
"""


async def check_loops_closed(monitor: asyncpg.Connection, _: object, __: object) -> list[str]:
    """No case is closed before the customer was told the outcome, or a person said why none is affected."""
    return [f"case {row['case_id']} is closed, the customer was not told" for row in await monitor.fetch(_NOT_TOLD)]


async def check_event_sequences(monitor: asyncpg.Connection, _: object, events: Sequence[PublishedEvent]) -> list[str]:
    """Each subject's events count up without a gap, up to its stream, and every reader applied the last one."""
    seen: dict[tuple[str, str], list[int]] = defaultdict(list)
    for event in events:
        seen[event.producer, event.subject].append(event.sequence)
    wrong = [
        f"{producer} {subject}: {len(numbers)} events up to {max(numbers)}"
        for (producer, subject), numbers in seen.items()
        if sorted(numbers) != list(range(1, len(numbers) + 1))
    ]
    for name in NAMES:
        for row in await monitor.fetch(f"SELECT subject, sequence FROM {name}.streams WHERE sequence > 0"):
            last = max(seen.get((name, row["subject"]), [0]))
            if last != row["sequence"]:
                wrong.append(f"{name} {row['subject']}: stream at {row['sequence']}, topic at {last}")
        for row in await monitor.fetch(f"SELECT topic, subject, sequence FROM {name}.watermarks"):
            last = max(seen.get((row["topic"].split(".")[0], row["subject"]), [0]))
            if last != row["sequence"]:
                wrong.append(f"{name} read {row['topic']} {row['subject']} to {row['sequence']} of {last}")
    return wrong


async def check_nothing_parked(monitor: asyncpg.Connection, _: object, __: object) -> list[str]:
    """No event waits, and no group is stopped."""
    wrong = []
    for name in NAMES:
        rows = await monitor.fetch(f"SELECT event_id, type, error FROM {name}.parked")
        wrong += [f"{name}: {row['type']} {row['event_id']}: {row['error'] or 'follows'}" for row in rows]
        wrong += [f"{name} is stopped: {row['why']}" for row in await monitor.fetch(f"SELECT why FROM {name}.stopped")]
    return wrong


async def check_nothing_failed(monitor: asyncpg.Connection, _: object, __: object) -> list[str]:
    """No account broke a sweep, no call broke for good, and neither is stopped."""
    wrong = []
    for name in NAMES:
        failed = await monitor.fetch(f"SELECT kind, name, subject, error FROM {name}.failed_work")
        wrong += [f"{name}: {row['kind']} {row['name']} {row['subject']}: {row['error']}" for row in failed]
        stopped = await monitor.fetch(f"SELECT kind, name FROM {name}.stopped_work")
        wrong += [f"{name}: {row['kind']} {row['name']} is stopped" for row in stopped]
    return wrong


_OUT_OF_BALANCE = """
SELECT legal_entity, currency, open_minor, unapplied_minor,
    coalesce(sum(l.balance_minor) FILTER (WHERE code = 'receivables'), 0) AS receivables,
    coalesce(sum(l.balance_minor) FILTER (WHERE code = 'unapplied'), 0) AS unapplied,
    coalesce(sum(l.balance_minor), 0) AS total
FROM invoicing.audit_owed LEFT JOIN invoicing.audit_ledger l USING (legal_entity, currency)
GROUP BY legal_entity, currency, open_minor, unapplied_minor
"""


async def check_ledger_balances(monitor: asyncpg.Connection, _: object, __: object) -> list[str]:
    """The ledger adds up to nothing; its receivables are what is open, its unapplied cash what payments have left."""
    return [
        f"ledger of {row['legal_entity']} in {row['currency']}: {row['receivables']} receivable,"
        f" {row['open_minor']} open, {-row['unapplied']} unapplied of"
        f" {row['unapplied_minor']}, {row['total']} out of balance"
        for row in await monitor.fetch(_OUT_OF_BALANCE)
        if (row["receivables"], -row["unapplied"], row["total"]) != (row["open_minor"], row["unapplied_minor"], 0)
    ]


CHECKS: dict[str, Check] = {
    "balances equal in invoicing and collections": check_balances_equal,
    "access at the vendor as wanted, renewal as it was": check_access_as_wanted,
    "no suspension without its notices": check_suspensions_noticed,
    "nobody held who owes nothing": check_holds_have_debt,
    "no case closed before the customer was told": check_loops_closed,
    "no gap in any sequence": check_event_sequences,
    "nothing parked": check_nothing_parked,
    "nothing failed for good": check_nothing_failed,
    "the ledger balances, and its receivables are what is open": check_ledger_balances,
}


async def list_check_findings(
    monitor: asyncpg.Connection, vendor: list[dict[str, Any]], events: Sequence[PublishedEvent]
) -> dict[str, list[str]]:
    """List the findings of each check; all lists are empty when all is well."""
    return {name: await check(monitor, vendor, events) for name, check in CHECKS.items()}


async def fetch_vendor_record(stack: RunningStack) -> list[dict[str, Any]]:
    """The vendor's own record of every subscription."""
    async with httpx2.AsyncClient(timeout=30, verify=stack.tls.make_context()) as http:
        answer = await http.get(stack.url("vendor") + "/sandbox/subscriptions")
        return list(answer.raise_for_status().json()["subscriptions"])


async def list_stack_findings(stack: RunningStack, events: Sequence[PublishedEvent]) -> dict[str, list[str]]:
    """The findings on a running stack."""
    monitor = await connect_database(stack.database_access("monitor"))
    try:
        return await list_check_findings(monitor, await fetch_vendor_record(stack), events)
    finally:
        await monitor.close()


async def summarize_findings(stack: RunningStack, events: Sequence[PublishedEvent]) -> dict[str, int]:
    """The findings as figures, and what is still open."""
    findings_by_check = await list_stack_findings(stack, events)
    by_check = {check: len(findings_by_check[name]) for name, check in CHECKS.items()}
    open_minor = _sum_open(events)
    named_checks = (check_access_as_wanted, check_nothing_parked, check_event_sequences)
    return {
        "access_mismatches": by_check[check_access_as_wanted],
        "parked": by_check[check_nothing_parked],
        "sequence_gaps": by_check[check_event_sequences],
        "open_minor": open_minor,
        "other_findings": sum(number for check, number in by_check.items() if check not in named_checks),
    }


def _sum_open(events: Sequence[PublishedEvent]) -> int:
    """Sum what is open of all invoices by their last balances; a replay has one currency."""
    last = {
        event.payload["balance"]["invoice_id"]: event.payload["balance"]["open_minor"]
        for event in events
        if "balance" in event.payload
    }
    return sum(last.values())
