"""The demo's year as a reseller lives it: plans with prices, seats that change, a bill run on each billing day,
approved by a person, and customers who pay, dispute or stop paying by their habits.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock_time
from typing import Any

from sandbox.customers import RESOLVE_AFTER, CustomerYear, SandboxCustomer
from sandbox.driver import ActionAgenda, SandboxDriver
from sandbox.entities import ensure_legal_entity
from sandbox.limits import set_operator_limits

BUY_AT, RUN_AT, APPROVE_AT, CHANGE_AT = clock_time(5), clock_time(6), clock_time(8), clock_time(11)
CLOSE_AT, LOOK_AT, PAY_AT = clock_time(12), clock_time(9), clock_time(6)
DISPUTE_AT, RESOLVE_AT = clock_time(12), clock_time(5)
DISPUTE_AFTER = timedelta(days=10)
LANGUAGES = {"EUR": "de", "USD": "en", "JPY": "en"}
TAX = {"GS-DE": ("DE", 1900), "GS-US": ("US", 0), "GS-JP": ("JP", 1000)}
"""Where each legal entity sells, and the rate there in basis points (a year's figures, not advice)."""
VERSION: dict[str, Any] = {
    "term_months": 12,
    "period_months": 1,
    "timing": "advance",
    "prices": {
        "EUR": {"unit_price_minor": 1008, "setup_minor": 0},
        "USD": {"unit_price_minor": 1200, "setup_minor": 0},
        "JPY": {"unit_price_minor": 1650, "setup_minor": 0},
    },
    "vendor": {"unit_cost_minor": 820, "currency": "USD", "period_months": 1, "bills_while_suspended": True},
    "while_suspended": "bill",
}


@dataclass
class PlanYear:
    """Plans what happens in a year, and knows the ids that the product gave."""

    year: CustomerYear
    plan_id: str = ""
    accounts: dict[str, str] = field(default_factory=dict)
    """By name."""
    subscriptions: dict[str, str] = field(default_factory=dict)
    runs: dict[date, str] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)
    """The invoices that their customers have read."""

    def begin(self) -> datetime:
        """The day before anything is bought."""
        return _at(self.year.start) - timedelta(days=1)

    async def prepare(self, driver: SandboxDriver, policy: str) -> None:
        """Publish the policy, the tax rates and the plan; register every customer; the operator may uphold disputes."""
        await set_operator_limits(driver, {customer.profile.currency for customer in self.year.customers})
        since = self.begin().date().isoformat()
        await driver.post(
            "collections", "/v1/policies", {"document": policy, "effective_date": since, "reason": "demo"}
        )
        for entity, (country, rate) in TAX.items():
            await ensure_legal_entity(driver, entity)
            body = {"legal_entity": entity, "country": country, "tax_class": "standard", "valid_from": since}
            wanted = body | {"rate_bp": rate, "reason": "the law"}
            await driver.approve_proposal(await driver.post("invoicing", "/v1/tax-rates", wanted))
        plan = {"code": "business-premium", "name": "Business Premium", "version": VERSION | {"effective_from": since}}
        self.plan_id = (await driver.post("invoicing", "/v1/plans", plan))["id"]
        for customer in self.year.customers:
            self.accounts[customer.name] = await self._register(driver, customer)

    async def _register(self, driver: SandboxDriver, customer: SandboxCustomer) -> str:
        profile = customer.profile
        body = {
            "name": f"Customer {customer.name}",
            "legal_entity": profile.legal_entity,
            "currency": profile.currency,
            "time_zone": profile.zone,
            "country": TAX[profile.legal_entity][0],
            "address": [f"{customer.seats} Customer Street", "Customertown"],
            "language": LANGUAGES[profile.currency],
            "billing_email": f"billing@{customer.name}.example",
            "terms_days": 14,
            "external_reference": customer.name,
            "vendor_customer_ids": [f"tenant-{customer.name}"],
        }
        return str((await driver.post("invoicing", "/v1/accounts", body))["id"])

    def plan_actions(self, agenda: ActionAgenda) -> None:
        """Plan every action of the year."""
        for customer in self.year.customers:
            agenda.at(_at(customer.starts, BUY_AT), self._buy(customer))
            for day, seats in customer.changes:
                agenda.at(_at(day, CHANGE_AT), self._change(customer, seats))
        for day in self.year.billing_days:
            agenda.at(_at(day, RUN_AT), self._run(day))
            agenda.at(_at(day, APPROVE_AT), self._approve(day))
            agenda.at(_at(day, LOOK_AT), self._customers_look)
        for month in self.year.months[1:]:
            agenda.at(_at(month + timedelta(days=2), CLOSE_AT), self._close(month - timedelta(days=1)))

    def _buy(self, customer: SandboxCustomer) -> Callable[[SandboxDriver], Awaitable[None]]:
        async def buy(driver: SandboxDriver) -> None:
            tenant, vendor_id = f"tenant-{customer.name}", f"subscription-{customer.name}"
            seed = {"autoRenewEnabled": True, "quantity": customer.seats}
            await driver.put("vendor", f"/sandbox/customers/{tenant}/subscriptions/{vendor_id}", seed)
            body = {
                "account_id": self.accounts[customer.name],
                "quantity": customer.seats,
                "start": customer.starts.isoformat(),
                "vendor_customer_id": tenant,
                "vendor_subscription_id": vendor_id,
            }
            made = await driver.post("invoicing", f"/v1/plans/{self.plan_id}/subscriptions", body)
            self.subscriptions[customer.name] = made["subscription"]["id"]

        return buy

    def _change(self, customer: SandboxCustomer, seats: int) -> Callable[[SandboxDriver], Awaitable[None]]:
        async def change_quantity(driver: SandboxDriver) -> None:
            body = {"kind": "quantity", "when": "now", "quantity": seats, "reason": "more people"}
            await driver.post("invoicing", f"/v1/subscriptions/{self.subscriptions[customer.name]}/changes", body)

        return change_quantity

    def _run(self, day: date) -> Callable[[SandboxDriver], Awaitable[None]]:
        async def bill(driver: SandboxDriver) -> None:
            body = {"run_date": day.isoformat(), "at_once": False}
            self.runs[day] = (await driver.post("invoicing", "/v1/bill-runs", body))["id"]

        return bill

    def _approve(self, day: date) -> Callable[[SandboxDriver], Awaitable[None]]:
        async def approve(driver: SandboxDriver) -> None:
            path = f"/v1/bill-runs/{self.runs[day]}:approve"
            await driver.post("invoicing", path, {"reason": "nothing unusual among the differences"})

        return approve

    def _close(self, last: date) -> Callable[[SandboxDriver], Awaitable[None]]:
        async def close_month(driver: SandboxDriver) -> None:
            for entity in TAX:
                path = f"/v1/ledger/{entity}/periods/{last:%Y-%m}:close"
                await driver.approve_proposal(await driver.post("invoicing", path, {"reason": "the month is over"}))

        return close_month

    async def _customers_look(self, driver: SandboxDriver) -> None:
        """Customers read the invoices that are new, and decide what they do about them."""
        customers = {self.accounts[customer.name]: customer for customer in self.year.customers}
        path: str | None = "/v1/invoices?limit=200"
        while path is not None:
            page = await driver.get("invoicing", path)
            for invoice in page["items"]:
                customer = customers.get(invoice["account_id"])  # None: somebody else uses the stack meanwhile
                if customer is not None and invoice["id"] not in self.seen:
                    self.seen.add(invoice["id"])
                    _decide(driver, customer, invoice)
            path = f"/v1/invoices?limit=200&after={page['next']}" if page["next"] else None


def _decide(driver: SandboxDriver, customer: SandboxCustomer, invoice: dict[str, Any]) -> None:
    issued, due = (date.fromisoformat(invoice[name]) for name in ("issue_date", "due_date"))
    answer = customer.answer(issued, due)
    if answer.pays_on is not None:
        driver.at(_at(answer.pays_on, PAY_AT), _pay(invoice["id"]))
    if answer.disputes:
        dispute = _Dispute(invoice["id"], upheld=answer.upheld)
        driver.at(_at(issued + DISPUTE_AFTER, DISPUTE_AT), dispute.open)
        driver.at(_at(issued + RESOLVE_AFTER, RESOLVE_AT), dispute.resolve)


def _pay(invoice_id: str) -> Callable[[SandboxDriver], Awaitable[None]]:
    async def pay(driver: SandboxDriver) -> None:
        balance = await driver.get("invoicing", f"/v1/invoices/{invoice_id}/balance")
        if balance["open_minor"]:
            amount = {"amount_minor": balance["open_minor"], "currency": balance["currency"]}
            body = {"account_id": balance["account_id"], "amount": amount, "invoice_id": invoice_id}
            await driver.post("invoicing", "/v1/payments", body)

    return pay


@dataclass
class _Dispute:
    """The customer finds that an invoice is wrong; somebody decides."""

    invoice_id: str
    upheld: bool
    id: str = ""

    async def open(self, driver: SandboxDriver) -> None:
        balance = await driver.get("invoicing", f"/v1/invoices/{self.invoice_id}/balance")
        lines = [
            {"line": line["line"], "amount_minor": line["open_minor"]}
            for line in balance["lines"]
            if line["open_minor"]
        ]
        body = {
            "account_id": balance["account_id"],
            "invoice_id": self.invoice_id,
            "currency": balance["currency"],
            "lines": lines,
        }
        self.id = (await driver.post("escalation", "/v1/disputes", body))["id"]

    async def resolve(self, driver: SandboxDriver) -> None:
        verb, reason = ("uphold", "billed in error") if self.upheld else ("reject", "the invoice is right")
        await driver.post("escalation", f"/v1/disputes/{self.id}:{verb}", {"reason": reason})


def _at(day: date, at: clock_time = clock_time(0)) -> datetime:
    return datetime.combine(day, at, UTC)
