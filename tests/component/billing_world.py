"""Invoicing with a plan, tax rates and accounts, for tests of what is billed."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4

from shared.process.runtime import Runtime
from tests.builders import Client, Database, account, sweep
from tests.component.setting_requests import make_by_two

VERSION: dict[str, Any] = {
    "effective_from": "2025-01-01",
    "term_months": 12,
    "period_months": 1,
    "timing": "advance",
    "prices": {"EUR": {"unit_price_minor": 1008}, "JPY": {"unit_price_minor": 1650}},
    "vendor": {"unit_cost_minor": 820, "currency": "USD"},
}


@dataclass
class Billing:
    """Invoicing, and what a test asks of it."""

    runtime: Runtime
    client: Client
    database: Database

    async def rate(self, basis_points: int = 1900, country: str = "DE", **more: Any) -> None:
        """Set the rate of the class `standard`."""
        body = {"legal_entity": "GS-DE", "country": country, "tax_class": "standard", "valid_from": "2025-01-01"}
        await make_by_two(self.client, "/v1/tax-rates", body | {"rate_bp": basis_points, "reason": "law"} | more)

    async def plan(self, **version: Any) -> str:
        """Make a plan; its id."""
        body = {"code": f"plan-{uuid4()}", "name": "Business Premium", "version": VERSION | version}
        return str((await self.client.create("/v1/plans", body))["id"])

    async def account(self, **more: Any) -> str:
        """Register an account in Germany; its id."""
        return str((await self.client.create("/v1/accounts", account(**({"country": "DE"} | more))))["id"])

    async def buy(self, plan: str, owner: str, quantity: int = 10, start: str = "2026-03-02", **more: Any) -> str:
        """Begin a subscription; its id."""
        body = {
            "account_id": owner,
            "quantity": quantity,
            "start": start,
            "vendor_customer_id": "tenant-17",
            "vendor_subscription_id": f"vendor-{uuid4()}",
        }
        made = await self.client.create(f"/v1/plans/{plan}/subscriptions", body | more)
        return str(made["subscription"]["id"])

    async def change(self, subscription: str, kind: str, when: str = "now", **more: Any) -> dict[str, Any]:
        """Change a subscription."""
        body = {"kind": kind, "when": when, "reason": "asked for"} | more
        return await self.client.create(f"/v1/subscriptions/{subscription}/changes", body)

    async def run(self, day: date | None = None, *, at_once: bool = True) -> dict[str, Any]:
        """Start a bill run, and let the workers do it."""
        body = {"run_date": str(day or self.database.now.date()), "at_once": at_once}
        run = await self.client.create("/v1/bill-runs", body)
        return await self.finish_run(run["id"])

    async def finish_run(self, run_id: str) -> dict[str, Any]:
        """Let the workers do all that is due; return the run afterwards."""
        await sweep(self.runtime)
        return await self.client.got(f"/v1/bill-runs/{run_id}")

    async def to(self, day: str) -> None:
        """Move the clock to 09:00 UTC of a day, with the sweeps of the days between."""
        await self.database.move(datetime.fromisoformat(f"{day}T09:00:00+00:00"))
        await sweep(self.runtime)

    async def lines(self, owner: str) -> list[tuple[int, int, int]]:
        """Net, tax and what is to be paid of every line of an account, in the order in which they were issued."""
        rows = await self.database.rows(
            "SELECT l.net_minor, l.tax_minor, b.amount_minor FROM invoicing.invoices i"
            " JOIN invoicing.invoice_lines l ON l.invoice_id = i.id"
            " LEFT JOIN invoicing.line_balances b ON b.invoice_id = l.invoice_id AND b.line = l.line"
            " WHERE i.account_id = $1 ORDER BY i.number, l.line",
            UUID(owner),
        )
        return [tuple(row) for row in rows]

    async def trial_balance(self) -> dict[tuple[str, str], int]:
        """The balance of each ledger account and currency."""
        rows = await self.database.rows("SELECT code, currency, balance_minor FROM invoicing.audit_ledger")
        return {(row["code"], row["currency"]): row["balance_minor"] for row in rows}
