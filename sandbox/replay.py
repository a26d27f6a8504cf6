"""`python -m sandbox.replay LEDGER [--policy FILE] [--report FILE]`: replay a receivables ledger.

One account for each customer, with one subscription; each invoice issued, perhaps disputed, and paid when
the ledger says so. Everything else is the product's doing. A fresh stack for every replay.
"""

import os
import tempfile
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock_time
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
import uvloop
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from deploy.local.children import StartFailedError
from deploy.local.stack import Stack, remove_stack_folder
from sandbox import checks, clock, topics
from sandbox.driver import ActionAgenda, Refused, SandboxDriver, open_driver
from sandbox.entities import ensure_legal_entity
from sandbox.idle import SystemNotSettled
from sandbox.ledger import CURRENCY, LedgerInvoice, LedgerRefused, read_ledger
from sandbox.limits import set_operator_limits
from sandbox.report import compute_replay_figures

STANDARD = Path(__file__).parent / "policies" / "standard.yaml"
DISPUTE_AFTER = timedelta(days=15, hours=12)
RESOLVED_AT, PAID_AT = clock_time(5), clock_time(6)
ISSUE, DISPUTE, RESOLVE, PAY = range(4)
"""The order at one instant."""

console = Console()


@dataclass(frozen=True, slots=True)
class BillingProfile:
    """How a customer is billed."""

    currency: str = CURRENCY
    zone: str = "UTC"
    legal_entity: str = "GS-US"


class LedgerWorld:
    """Plans what a ledger brings, and knows the ids that the product gave to it."""

    def __init__(self, invoices: Iterable[LedgerInvoice], profiles: Mapping[str, BillingProfile] | None = None) -> None:
        self._invoices = list(invoices)
        self._profiles = profiles or {}
        self._accounts: dict[str, tuple[str, str]] = {}
        self._issued: dict[str, str] = {}
        self._disputes: dict[str, str] = {}

    def get_first_instant(self) -> datetime:
        """The day before the first invoice."""
        return _instant(min(invoice.issued for invoice in self._invoices)) - timedelta(days=1)

    async def prepare(self, driver: SandboxDriver, policy: str) -> None:
        """Publish the policy; register every customer with its subscription, at the vendor too."""
        body = {"document": policy, "effective_date": self.get_first_instant().date().isoformat(), "reason": "replay"}
        await driver.post("collections", "/v1/policies", body)
        await self.register(driver)

    async def register(self, driver: SandboxDriver) -> None:
        """Register every customer with its subscription, at the vendor too; the operator may uphold disputes."""
        await set_operator_limits(driver, {CURRENCY, *(profile.currency for profile in self._profiles.values())})
        for customer in sorted({invoice.customer for invoice in self._invoices}):
            self._accounts[customer] = await register_account_with_subscription(
                driver, customer, self.get_first_instant().date(), self._profiles.get(customer, BillingProfile())
            )

    def plan_actions(self, agenda: ActionAgenda) -> None:
        """Plan every action of the ledger."""
        for invoice in self._invoices:
            agenda.at(_instant(invoice.issued), self._issue(invoice), rank=ISSUE)
            paid_at = _instant(invoice.settled, PAID_AT)
            disputed_at = _instant(invoice.issued) + DISPUTE_AFTER
            if invoice.disputed and disputed_at < paid_at:
                agenda.at(disputed_at, self._dispute(invoice), rank=DISPUTE)
                agenda.at(_instant(invoice.settled, RESOLVED_AT), self._resolve(invoice), rank=RESOLVE)
            if not invoice.upheld:
                agenda.at(paid_at, self._pay(invoice), rank=PAY)

    def account(self, customer: str) -> str:
        """The id that the product gave to a customer."""
        return self._accounts[customer][0]

    def _amount(self, invoice: LedgerInvoice) -> dict[str, Any]:
        profile = self._profiles.get(invoice.customer, BillingProfile())
        return {"amount_minor": invoice.amount_minor, "currency": profile.currency}

    def _issue(self, invoice: LedgerInvoice) -> Any:
        async def issue(driver: SandboxDriver) -> None:
            account_id, subscription_id = self._accounts[invoice.customer]
            line = {
                "description": "Subscription",
                "amount": self._amount(invoice),
                "subscription_id": subscription_id,
            }
            body = {
                "account_id": account_id,
                "external_reference": invoice.number,
                "issue_date": invoice.issued.isoformat(),
                "due_date": invoice.due.isoformat(),
                "lines": [line],
            }
            self._issued[invoice.number] = (await driver.post("invoicing", "/v1/invoices", body))["id"]

        return issue

    def _dispute(self, invoice: LedgerInvoice) -> Any:
        async def dispute(driver: SandboxDriver) -> None:
            account_id, _ = self._accounts[invoice.customer]
            invoice_id = self._issued[invoice.number]
            balance = await driver.get("invoicing", f"/v1/invoices/{invoice_id}/balance")
            open_lines = [line for line in balance["lines"] if line["open_minor"]]
            body = {
                "account_id": account_id,
                "invoice_id": invoice_id,
                "currency": balance["currency"],
                "lines": [{"line": line["line"], "amount_minor": line["open_minor"]} for line in open_lines],
            }
            self._disputes[invoice.number] = (await driver.post("escalation", "/v1/disputes", body))["id"]

        return dispute

    def _resolve(self, invoice: LedgerInvoice) -> Any:
        async def resolve(driver: SandboxDriver) -> None:
            verb, reason = ("uphold", "billed in error") if invoice.upheld else ("reject", "the invoice is right")
            path = f"/v1/disputes/{self._disputes[invoice.number]}:{verb}"
            await driver.post("escalation", path, {"reason": reason})

        return resolve

    def _pay(self, invoice: LedgerInvoice) -> Any:
        async def pay(driver: SandboxDriver) -> None:
            account_id, _ = self._accounts[invoice.customer]
            invoice_id = self._issued[invoice.number]
            body = {"account_id": account_id, "amount": self._amount(invoice), "invoice_id": invoice_id}
            await driver.post("invoicing", "/v1/payments", body)

        return pay


async def register_account_with_subscription(
    driver: SandboxDriver, reference: str, start: date, profile: BillingProfile
) -> tuple[str, str]:
    """Register an account and activate its one subscription, which the vendor has too; their ids."""
    tenant, vendor_id = f"tenant-{reference}", f"subscription-{reference}"
    await ensure_legal_entity(driver, profile.legal_entity)
    await driver.put("vendor", f"/sandbox/customers/{tenant}/subscriptions/{vendor_id}", {"autoRenewEnabled": True})
    account = {
        "name": f"Customer {reference}",
        "legal_entity": profile.legal_entity,
        "currency": profile.currency,
        "time_zone": profile.zone,
        "billing_email": f"billing@{reference.lower()}.example",
        "terms_days": 30,
        "external_reference": reference,
        "vendor_customer_ids": [tenant],
    }
    account_id = (await driver.post("invoicing", "/v1/accounts", account))["id"]
    subscription = {
        "account_id": account_id,
        "product": "Business Premium",
        "quantity": 1,
        "unit_price_minor": 0,
        "start": start.isoformat(),
        "vendor_customer_id": tenant,
        "vendor_subscription_id": vendor_id,
    }
    subscription_id = (await driver.post("invoicing", "/v1/subscriptions", subscription))["id"]
    return account_id, subscription_id


def _instant(day: date, at: clock_time = clock_time(0)) -> datetime:
    return datetime.combine(day, at, UTC)


async def replay_ledger(stack: Stack, world: LedgerWorld, policy: str) -> dict[str, Any]:
    """Live through a ledger on a fresh stack; the report. Raises SystemNotSettled, Refused."""
    async with open_driver(stack) as driver:
        await world.prepare(driver, policy)
        world.plan_actions(driver)
        planned = driver.planned_count
        began = time.monotonic()
        with Progress(console=console, transient=True) as progress:
            task = progress.add_task("replaying", total=planned)

            def show_progress(instant: datetime, remaining: int) -> None:
                progress.update(task, completed=planned - remaining, description=f"{instant:%Y-%m-%d}")

            await driver.run(show_progress)
        seconds = time.monotonic() - began
        events = await topics.read_all_events(stack.kafka_access)
        console.print(
            f"{driver.instants} instants in {seconds:.1f} s, {1000 * seconds / max(driver.instants, 1):.1f} ms each"
            f" ({driver.monitor.looks / max(driver.instants, 1):.1f} looks, {len(events)} events)"
        )
        return compute_replay_figures(events) | await checks.summarize_findings(stack, events)


def main(
    ledger: Annotated[Path, typer.Argument(help="a CSV with one row for each invoice")],
    policy: Annotated[Path, typer.Option(help="a policy as YAML")] = STANDARD,
    report: Annotated[Path | None, typer.Option(help="where to write the figures as JSON")] = None,
    metrics: Annotated[bool, typer.Option(help="count, log and tell Prometheus as in production")] = False,
) -> None:
    """Replay a receivables ledger on a fresh stack and report what the product did."""
    try:
        world = LedgerWorld(read_ledger(ledger))
        document = policy.read_text()
    except (LedgerRefused, OSError, UnicodeDecodeError) as refused:
        console.print(f"refused: {refused}", style="red", markup=False)
        raise typer.Exit(2) from refused
    os.environ[clock.START] = f"{world.get_first_instant():%Y-%m-%dT%H:%M:%S}"
    folder = Path(tempfile.mkdtemp(prefix="goodstanding-replay-"))
    try:
        with Stack(
            folder, durable=False, log_level="info" if metrics else "warning", metrics=metrics, tell=console.print
        ) as stack:
            figures = uvloop.run(replay_ledger(stack, world, document))
    except (SystemNotSettled, Refused, StartFailedError) as error:
        console.print(str(error), style="red", markup=False)
        raise typer.Exit(1) from error
    finally:
        remove_stack_folder(folder)
    _show(figures)
    if report is not None:
        report.write_bytes(orjson.dumps(figures, option=orjson.OPT_INDENT_2) + b"\n")
    if any(figures[name] for name in checks.FIGURES):
        raise typer.Exit(1)


def _show(figures: dict[str, Any]) -> None:
    table = Table("figure", "value")
    for name, value in figures.items():
        table.add_row(name, f"{value:,}")
    console.print(table)


if __name__ == "__main__":
    typer.run(main)
