"""A decision says what the database has once it is written, and nothing is left to decide then."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
import yaml

from services.collections.domain.account_decision import evaluate_account
from services.collections.domain.account_draft import AccountDecision
from services.collections.domain.dunning_account import DunningAccount
from services.collections.domain.dunning_item import ItemFacts
from services.collections.repository.fact_queries import load_dunning_accounts
from services.collections.use_cases import account_evaluation
from shared.persistence.database import Unit
from tests.component.collections import test_collections
from tests.component.collections.test_bounced_notices import become_effective
from tests.component.collections.test_collections import DUE, STANDARD, World, publish
from tests.component.collections.test_collections_facts import (
    change_line_balances,
    effective,
    issue,
    ladder,
    line,
    overdue,
)
from tests.component.collections.walks import REASON, AccountWalk

world = test_collections.world
STEPS = 45


def describe(account: DunningAccount) -> dict[str, Any]:
    """The facts of an account, apart from the order of what has none, and from items that nothing is to be done for."""
    items = sorted((_sort_parts(item) for item in account.items), key=lambda item: item.invoice_id)
    return {
        "items": {item.invoice_id: item for item in items},
        "suspensions": account.suspensions,
        "case": account.case,
        "deferrals": dict(account.deferrals),
    }


def _sort_parts(item: ItemFacts) -> ItemFacts:
    taken = sorted(item.taken, key=lambda step: (step.round, step.step, step.at, str(step)))
    return replace(item, taken=tuple(taken), releases=tuple(sorted(item.releases)))


class Comparison:
    """Writes decisions as the product does, and compares each with what is loaded afterwards."""

    def __init__(self) -> None:
        self.kinds: Counter[str] = Counter()
        self._save = account_evaluation.save_account_decisions

    async def save_and_compare(self, unit: Unit, decisions: Sequence[AccountDecision]) -> None:
        await self._save(unit, decisions)
        context = await account_evaluation.load_evaluation_context(unit)
        for decision in decisions:
            account_id = decision.account.account_id
            stored = (await load_dunning_accounts(unit, [account_id]))[account_id]
            decided, loaded = describe(decision.account), describe(stored)
            gone = decided["items"].keys() - loaded["items"].keys()
            assert not any(decided["items"].pop(id_).list_balance_history(unit.now)[-1].open_minor for id_ in gone)
            assert decided == loaded
            following = evaluate_account(stored, context)
            assert (following.changes, following.events) == ((), ())
            self.kinds.update(type(change).__name__ for change in decision.changes)


@pytest.fixture
def comparison(monkeypatch: pytest.MonkeyPatch) -> Comparison:
    """Compare every decision of the test."""
    made = Comparison()
    monkeypatch.setattr(account_evaluation, "save_account_decisions", made.save_and_compare)
    return made


@pytest.mark.parametrize("seed", range(10))
async def test_what_was_decided_is_what_is_stored(world: World, comparison: Comparison, seed: int) -> None:
    walk = AccountWalk(world, seed)
    await walk.begin()
    for _ in range(STEPS):
        await walk.step()
    assert comparison.kinds["NewDunningStep"] > 0


async def test_a_release_ends_also_where_no_step_comes_after_the_suspension(
    world: World, comparison: Comparison
) -> None:
    policy = yaml.safe_load(STANDARD)
    policy["steps"] = [step for step in policy["steps"] if step["action"] != "terminate"]
    await publish(world.client, yaml.safe_dump(policy), "2026-03-03")
    await world.database.move(days=1)
    await world.to_suspension()
    await become_effective(world)
    suspension = (await world.standing())["suspensions"][0]
    body = REASON | {"until": (DUE + timedelta(days=23)).isoformat()}
    await world.client.create(f"/v1/suspensions/{suspension['id']}:release", body)
    for day in (22, 23):
        await world.day(day)
    assert await _count_final_notices(world) == 1
    await world.day(24)
    assert await _count_final_notices(world) == 2
    assert comparison.kinds["NewSuspensionRelease"] == 1


async def test_a_suspension_goes_on_resting_on_the_invoice_that_is_not_paid(
    world: World, comparison: Comparison
) -> None:
    owed = line(1, None, 500), line(2, world.subscription_id, 500)
    first, second = await world.issue(), await issue(world, *owed)
    await ladder(world, -3)
    await world.day(1, 0)
    await world.overdue(first)
    await overdue(world, second, *owed)
    await ladder(world, 1, 7, 14, 21)
    await become_effective(world)
    await change_line_balances(world, second, owed[0], line(2, world.subscription_id, 0))
    assert comparison.kinds["EndedSuspensionCauses"] == 1
    assert len(await world.events("SuspensionRequested")) == 2
    assert (await world.standing())["state"] == "suspended"


async def test_what_was_settled_and_is_due_again_causes_the_suspension_that_stands(
    world: World, comparison: Comparison
) -> None:
    """Over two subscriptions: a release, and a payment that was reversed, bring an invoice back in its round."""
    other = uuid4()
    owed = line(1, other, 500), line(2, world.subscription_id, 500)
    first, second = await world.issue(), await issue(world, *owed)
    await ladder(world, -3)
    await world.day(1, 0)
    await world.overdue(first)
    await overdue(world, second, *owed)
    await ladder(world, 1, 7, 14, 21)
    suspensions = {row["subscription_id"]: row["id"] for row in (await world.standing())["suspensions"]}
    for subscription_id, suspension_id in suspensions.items():
        await effective(world, UUID(subscription_id), suspension_id)
    await change_line_balances(world, second, owed[0], line(2, world.subscription_id, 0))
    body = REASON | {"until": (DUE + timedelta(days=23)).isoformat()}
    await world.client.create(f"/v1/suspensions/{suspensions[str(other)]}:release", body)
    await change_line_balances(world, second, *owed)
    await ladder(world, 24, 31)
    query = "SELECT count(*) FROM collections.suspension_causes WHERE suspension_id = $1 AND ended_at IS NULL"
    standing = UUID(suspensions[str(world.subscription_id)])
    assert await world.database.value(query, standing) == 2
    await world.change_balance(first, 0)
    assert await world.database.value(query, standing) == 1
    assert (
        await world.database.value("SELECT state FROM collections.suspensions WHERE id = $1", standing) == "effective"
    )


async def _count_final_notices(world: World) -> int:
    query = "SELECT count(*) FROM collections.notices WHERE template = 'final_notice'"
    return int(await world.database.value(query))
