"""Whatever happens to subscriptions, and whenever bill runs come: what is charged is what each day costs.

The model counts days one by one, and knows nothing of cycles that were charged before. Whatever was charged, invoices
less credit notes come to it.
"""

import random
from calendar import monthrange
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from itertools import product
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from deploy.local.tokens import SigningKeyPair
from shared.events.entitlements import SubscriptionReinstated, SubscriptionSuspended
from tests.builders import Database, eur, hear, running, sweep
from tests.component.billing_world import Billing
from tests.component.invoicing.adjustments.test_relief import books, credit_body, limit

BEGIN, SPAN = date(2028, 1, 20), 420
"""Over a leap day and both changes of daylight saving; days."""
PRICES = ((date(2025, 1, 1), 1008), (date(2028, 6, 1), 1209))
"""The two versions of each plan."""


def plus_months(day: date, months: int) -> date:
    """Return the same day of a later month, or that month's last day."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


@dataclass
class Model:
    """One subscription, day by day."""

    term: int
    period: int
    credits: bool
    start: date
    quantity: int
    quantities: dict[date, int] = field(default_factory=dict)
    suspended: dict[date, bool] = field(default_factory=dict)
    end: date = date.max

    def last(self, facts: dict[date, Any], day: date, otherwise: Any) -> Any:
        past_facts = [fact for fact in facts if fact <= day]
        return facts[max(past_facts)] if past_facts else otherwise

    def price(self, day: date) -> int:
        """That of the version in force when the day's term began."""
        number = 0
        while plus_months(self.start, (number + 1) * self.term) <= day:
            number += 1
        begun = plus_months(self.start, number * self.term)
        return [price for since, price in PRICES if since <= begun][-1]

    def cycle(self, day: date) -> tuple[date, date]:
        number = 0
        while plus_months(self.start, (number + 1) * self.period) <= day:
            number += 1
        return plus_months(self.start, number * self.period), plus_months(self.start, (number + 1) * self.period)

    def get_billed_quantity(self, day: date) -> int:
        """Return the quantity that the customer pays for on a day."""
        if not self.start <= day < self.end or (self.credits and self.last(self.suspended, day, False)):
            return 0
        return int(self.last(self.quantities, day, self.quantity))


KINDS = list(product([(1, 1), (12, 1), (12, 12)], ["advance", "arrears"], ["credit", "bill"]))
ACTIONS = ("more", "fewer", "suspend", "reinstate", "run", "run", "draft", "pay")
MANY = 70
UNBILLED = """
SELECT coalesce(sum(amount_minor - settled_minor - lapsed_minor), 0)::bigint FROM invoicing.charges
WHERE account_id = $1 AND invoice_id IS NULL AND due_on <= $2
"""
CREDITABLE = """
SELECT b.invoice_id, b.line, b.amount_minor - b.credited_minor AS rest FROM invoicing.line_balances b
JOIN invoicing.invoices i ON i.id = b.invoice_id
WHERE b.account_id = $1 AND b.amount_minor > b.credited_minor ORDER BY i.number DESC, b.line DESC
"""
BILLED = """
SELECT (SELECT coalesce(sum(net_minor), 0) FROM invoicing.invoice_lines WHERE account_id = $1)::bigint AS invoiced,
    (SELECT coalesce(sum(total_minor), 0) FROM invoicing.credit_notes
        WHERE account_id = $1 AND bill_id IS NOT NULL)::bigint AS given_back,
    (SELECT coalesce(sum(total_minor), 0) FROM invoicing.credit_notes
        WHERE account_id = $1 AND bill_id IS NULL)::bigint AS forgiven,
    (SELECT coalesce(sum(amount_minor - lapsed_minor), 0) FROM invoicing.charges
        WHERE account_id = $1)::bigint AS charged
"""


LEFT_OF_CYCLES = """
SELECT min(charged - coalesce(forgiven, 0))::bigint FROM (
    SELECT sum(c.amount_minor - c.lapsed_minor) AS charged, (
        SELECT sum(k.amount_minor) FROM invoicing.credit_notes n
        JOIN invoicing.credit_note_lines k ON k.credit_note_id = n.id
        JOIN invoicing.invoice_lines l ON l.invoice_id = n.invoice_id AND l.line = k.line
        JOIN invoicing.charges o ON o.id = l.charge_id
        WHERE n.bill_id IS NULL AND o.subscription_id = c.subscription_id AND o.cycle_from = c.cycle_from
            AND o.kind NOT IN ('setup', 'usage')
    ) AS forgiven
    FROM invoicing.charges c WHERE c.account_id = $1 AND c.kind NOT IN ('setup', 'usage')
        AND (c.invoice_id IS NOT NULL OR c.lapsed_minor <> 0 OR c.settled_minor <> 0)
    GROUP BY c.subscription_id, c.cycle_from
) AS cycles
"""
"""The least that any cycle's charges come to, less all that was given back of them, by whatever way."""

GIVING_BACK = (((12, 12), "advance", "credit"), ((12, 1), "advance", "credit"), ((1, 1), "advance", "credit"))
"""What is billed long before it is used, so that bill runs find less than nothing."""
SWITCHES = ("more", "fewer", "suspend", "suspend", "reinstate", "run", "run", "run", "draft", "pay", "forgive")


Draw = Callable[[random.Random], tuple[list[Any], list[tuple[int, int, str, int]]]]


def draw_mixed_courses(dice: random.Random) -> tuple[list[Any], list[tuple[int, int, str, int]]]:
    """Draw three kinds of subscriptions with their first days, and what happens to them on which day of the span.

    Drawn by dice, since lists that are grown one by one stay too short for much to happen (and dice do not shrink).
    """
    kinds = [(*dice.choice(KINDS), dice.randrange(28)) for _ in range(3)]
    kinds[0] = ((12, 1), "advance", *kinds[0][2:])  # the kind of which most is reversed
    actions = [
        (dice.randrange(SPAN), dice.randrange(3), dice.choice(ACTIONS), dice.randint(1, 30)) for _ in range(MANY)
    ]
    ends = (dice.randrange(60, SPAN), dice.randrange(3), "cancel", 0)
    return kinds, sorted([*actions, ends], key=lambda action: action[0])


def draw_reversed_courses(dice: random.Random) -> tuple[list[Any], list[tuple[int, int, str, int]]]:
    """Draw three subscriptions of which much is reversed within a few months, and many bill runs."""
    kinds = [(*kind, dice.randrange(10)) for kind in GIVING_BACK]
    actions = [
        (dice.randrange(12, SPAN // 3), dice.randrange(3), dice.choice(SWITCHES), dice.randint(1, 30))
        for _ in range(MANY)
    ]
    ends = [(dice.randrange(12, SPAN // 3), which, "cancel", 0) for which in (1, 2)]
    return kinds, sorted([(11, 0, "run", 0), *actions, *ends], key=lambda action: action[0])


class Stage:
    """Three subscriptions of three plans, each beside its model."""

    def __init__(self, billing: Billing) -> None:
        self.billing = billing
        self.models: list[Model] = []
        self.ids: list[str] = []
        self.owner = ""

    async def begin(self, kinds: list[Any]) -> None:
        """Make plans with two versions each, and buy."""
        self.owner = await self.billing.account(tax_status="exempt", time_zone="Europe/Berlin")
        for (term, period), timing, suspended, day in kinds:
            fixed = {"term_months": term, "period_months": period, "timing": timing, "while_suspended": suspended}
            plan = await self.billing.plan(**fixed)
            body = {"vendor": {"unit_cost_minor": 820, "currency": "USD"}, **fixed}
            since, price = PRICES[1]
            body |= {"effective_from": str(since), "prices": {"EUR": {"unit_price_minor": price}}}
            await self.billing.client.create(f"/v1/plans/{plan}/versions", body)
            start = BEGIN + timedelta(days=day)
            start = start.replace(day=min(start.day, 28))
            self.ids.append(await self.billing.buy(plan, self.owner, 10, str(start)))
            self.models.append(Model(term, period, suspended == "credit", start, 10))

    async def act(self, day: date, which: int, kind: str, quantity: int) -> None:
        """Do it; the model does it where the product allowed it."""
        await self.billing.database.move(datetime(day.year, day.month, day.day, 12, tzinfo=UTC))
        await sweep(self.billing.runtime)
        if kind in ("run", "draft"):
            await self.run(day, kind == "run", quantity % 2 == 1)
        elif kind == "forgive":
            await self.forgive(which, quantity * 100)
        elif kind == "pay":
            paid = {"account_id": self.owner, "amount": eur(quantity * 1_000)}
            await self.billing.client.create("/v1/payments", paid)
        else:
            await self.change(day, which, kind, quantity)

    async def run(self, day: date, at_once: bool, approved: bool) -> None:
        """Run at once, or with drafts that are approved or discarded."""
        run = await self.billing.run(at_once=at_once)
        if not at_once:
            end = "approve" if approved else "discard"
            await self.billing.client.create(f"/v1/bill-runs/{run['id']}:{end}", {"reason": "any"})
            await self.billing.finish_run(run["id"])
        await self.account(day, billed=at_once or approved)

    async def change(self, day: date, which: int, kind: str, quantity: int) -> None:
        """Change a subscription, its access included."""
        model, id_ = self.models[which], self.ids[which]
        if kind in ("suspend", "reinstate"):
            await self.switch(id_, kind)
            model.suspended[max(day, model.start)] = kind == "suspend"
            return
        body: dict[str, Any] = {"when": "now", "reason": "asked for", "kind": "cancel"}
        if kind != "cancel":
            now = model.last(model.quantities, day, model.quantity)
            body |= {"kind": "quantity", "quantity": now + quantity if kind == "more" else max(1, now - quantity)}
        answer = await self.billing.client.post(f"/v1/subscriptions/{id_}/changes", body)
        assert answer.status_code in (201, 409), answer.text
        if answer.status_code == 201 and kind == "cancel":
            model.end = day
        elif answer.status_code == 201:
            model.quantities[day] = body["quantity"]

    async def forgive(self, which: int, amount: int) -> None:
        """A person credits a part of one of the last lines."""
        rows = await self.billing.database.rows(CREDITABLE, UUID(self.owner))
        if len(rows) > which:
            row = rows[which]
            await limit(self.billing.client, 10**9)
            body = credit_body(str(row["invoice_id"]), (row["line"], min(row["rest"], amount)))
            answer = await self.billing.client.post("/v1/credit-notes", body)
            assert answer.status_code == 201 or answer.json()["code"] == "amount_refused", answer.text

    async def switch(self, id_: str, kind: str) -> None:
        """Let invoicing hear that access has ended, or is back."""
        event_fields = {"account_id": UUID(self.owner), "subscription_id": UUID(id_), "suspension_id": None}
        event = (
            SubscriptionSuspended(**event_fields, hold_reasons=("admin",), vendor_bills_on=True)
            if kind == "suspend"
            else SubscriptionReinstated(**event_fields, renewal_restored=True)
        )
        await hear(self.billing.runtime, event)

    async def account(self, day: date, *, billed: bool) -> None:
        """Check that all that was charged and neither given back nor waits is on invoices, and that the books agree.

        After a run nothing waits: all is billed, given back (the account is exempt from tax), or has lapsed. Of no
        cycle more was given back than was charged.
        """
        (row,) = await self.billing.database.rows(BILLED, UUID(self.owner))
        waits = await self.billing.database.value(UNBILLED, UUID(self.owner), date.max)
        assert row["invoiced"] - row["given_back"] + waits == row["charged"]
        balances = await books(self.billing.database, self.owner)
        earned = sum(balances.get(code, 0) for code in ("revenue", "deferred_revenue", "credits"))
        assert -earned == row["invoiced"] - row["given_back"] - row["forgiven"]
        if billed:
            assert await self.billing.database.value(UNBILLED, UUID(self.owner), day) == 0
            assert (await self.billing.database.value(LEFT_OF_CYCLES, UUID(self.owner)) or 0) >= 0

    async def check(self, which: int) -> None:
        """Each day costs what the model says, as far as it was charged; the sum is right to a minor unit a line."""
        model, id_ = self.models[which], self.ids[which]
        rows = await self.billing.database.rows(
            "SELECT period_from, period_to, quantity, unit_price_minor, amount_minor, invoice_id"
            " FROM invoicing.charges WHERE subscription_id = $1",
            UUID(id_),
        )
        upto = await self.billing.database.value(
            "SELECT coalesce(next_from, ended_on) FROM invoicing.terms WHERE subscription_id = $1", UUID(id_)
        )
        cost_by_day: dict[date, int] = {}
        for row in rows:
            for place in range((row["period_to"] - row["period_from"]).days):
                day = row["period_from"] + timedelta(days=place)
                cost_by_day[day] = cost_by_day.get(day, 0) + row["quantity"] * row["unit_price_minor"]
        exact = Fraction(0)
        for place in range((max(upto, model.start) - model.start).days):
            day = model.start + timedelta(days=place)
            begin, end = model.cycle(day)
            wanted = model.get_billed_quantity(day) * model.price(day)
            assert cost_by_day.pop(day, 0) == wanted, (day, model)
            exact += Fraction(wanted, (end - begin).days)
        assert not any(cost_by_day.values()), (cost_by_day, upto, model)
        assert abs(sum(row["amount_minor"] for row in rows) - exact) <= len(rows)


@settings(
    max_examples=4,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@pytest.mark.parametrize("draw", [draw_mixed_courses, draw_reversed_courses])
@given(dice=st.randoms(use_true_random=False, note_method_calls=False))
async def test_each_day_costs_what_it_costs(
    database: Database, keys: SigningKeyPair, jwks_file: Path, draw: Draw, dice: random.Random
) -> None:
    kinds, actions = draw(random.Random(dice.getrandbits(64)))
    await afresh(database)
    async with running("invoicing", database, keys, jwks_file) as (runtime, client):
        stage = Stage(Billing(runtime, client, database))
        await stage.begin(kinds)
        for place, which, kind, quantity in actions:
            await stage.act(BEGIN + timedelta(days=place), which, kind, quantity)
        await stage.act(BEGIN + timedelta(days=SPAN), 0, "run", 0)
        for which in range(3):
            await stage.check(which)
        balance = await stage.billing.trial_balance()
        for currency in ("EUR", "USD"):
            assert sum(minor for (_, code), minor in balance.items() if code == currency) == 0


async def afresh(database: Database) -> None:
    """Nothing is there, and it is the first day."""
    await database.execute(
        "TRUNCATE invoicing.subscriptions, invoicing.plans, invoicing.accounts, invoicing.streams, invoicing.bill_runs"
        " CASCADE"
    )
    await database.move(datetime(BEGIN.year, BEGIN.month, BEGIN.day, 0, 30, tzinfo=UTC))


def test_the_model_knows_months_and_versions() -> None:
    model = Model(12, 1, False, date(2028, 2, 1), 10)
    assert model.cycle(date(2028, 2, 29)) == (date(2028, 2, 1), date(2028, 3, 1))
    assert model.price(date(2028, 6, 2)) == 1008
    assert model.price(date(2029, 2, 1)) == 1209
    assert (model.get_billed_quantity(date(2028, 1, 31)), model.get_billed_quantity(date(2028, 2, 1))) == (0, 10)
