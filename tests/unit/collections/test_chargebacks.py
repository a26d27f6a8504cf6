"""While a card network decides, nothing is done about what it has; what is lost begins anew, with all notices."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from services.collections.domain.dunning_item import ItemFacts, OverdueJudgement, TakenDunningStep
from services.collections.domain.item_evaluation import DueDunningStep, ItemEvaluation
from services.collections.domain.item_evaluator import evaluate_dunning_item
from services.collections.domain.suspension import (
    is_suspension_still_due,
    list_current_suspension_causes,
    list_open_suspension_causes,
)
from tests.examples import scale_examples
from tests.unit.collections.facts import SUBSCRIPTION, balance, item, line, on
from tests.unit.collections.stories import standard

TOTAL, DAYS_AFTER = 300, 40
POLICY = standard()
REQUIRED_DAYS = max(required.days_before for step in POLICY.steps for required in step.requires)


@dataclass
class Walk:
    """An invoice day by day: a card pays an amount, the network takes it back and decides."""

    paid: int
    paid_day: int
    charged_day: int
    decided_day: int
    is_won: bool
    item: ItemFacts = field(default_factory=lambda: item(balance(1, on(-30, 0), line(TOTAL)), overdue=()))
    taken: list[tuple[int, DueDunningStep]] = field(default_factory=list)
    """Each action with its day."""

    @property
    def rest(self) -> int:
        """The amount that the card never paid."""
        return TOTAL - self.paid

    def change_balance(self, day: int) -> None:
        """Let the balance of a day become known, at 08:00."""
        open_minor, disputed = {
            self.paid_day: (self.rest, 0),
            self.charged_day: (TOTAL, self.paid),
            self.decided_day: (self.rest if self.is_won else TOTAL, 0),
        }[day]
        changed = balance(self.next_sequence, on(day, 8), line(open_minor, disputed=disputed))
        self.item = replace(self.item, balances=(*self.item.balances, changed))

    @property
    def next_sequence(self) -> int:
        """The sequence of the next fact."""
        return len(self.item.balances) + len(self.item.overdue) + 1

    def judge_overdue(self, day: int) -> None:
        """Let invoicing judge a midnight: overdue once in a round, if something is due."""
        judgement = evaluate_dunning_item(self.item, POLICY, on(day, 0))
        if day > 0 and judgement.dunnable_minor and judgement.overdue_at is None:
            overdue = OverdueJudgement(self.next_sequence, on(day, 0))
            self.item = replace(self.item, overdue=(*self.item.overdue, overdue))

    def sweep(self, day: int) -> ItemEvaluation:
        """Take what is due at the end of a day; notices arrive at once."""
        now = on(day, 23)
        judgement = evaluate_dunning_item(self.item, POLICY, now)
        for action in judgement.actions:
            self.taken.append((day, action))
            self.item = replace(self.item, taken=(*self.item.taken, *_carry_out(action, judgement.round, now)))
        return judgement


def _carry_out(action: DueDunningStep, number: int, now: datetime) -> list[TakenDunningStep]:
    if action.kind.name == "notice":
        skipped = [TakenDunningStep(name, number, now, "skipped", replaced_by=action.step) for name in action.skipped]
        return [TakenDunningStep(action.step, number, now, "sent", delivered_at=now), *skipped]
    return [TakenDunningStep(action.step, number, now, "requested")]


DAYS = st.integers(1, 20)


@settings(max_examples=scale_examples(20), deadline=None)
@given(
    paid=st.sampled_from([TOTAL, TOTAL, 100]),
    paid_day=st.integers(-3, 30),
    waits=st.tuples(DAYS, DAYS),
    is_won=st.booleans(),
)
def test_nothing_is_done_about_what_the_network_has(
    paid: int, paid_day: int, waits: tuple[int, int], is_won: bool
) -> None:
    charged_day = paid_day + waits[0]
    walk = Walk(paid, paid_day, charged_day, charged_day + waits[1], is_won)
    for day in range(-4, walk.decided_day + DAYS_AFTER):
        walk.judge_overdue(day)
        if day in (walk.paid_day, walk.charged_day, walk.decided_day):
            walk.change_balance(day)
        check_day(walk, day, walk.sweep(day))
    if not is_won and paid == TOTAL:
        check_new_round(walk)


def check_day(walk: Walk, day: int, judgement: ItemEvaluation) -> None:
    """Check a day: nothing is done about the network's money, and what is suspended stays so as long as it is open."""
    is_open = walk.charged_day <= day < walk.decided_day
    suspended = [cause for _, action in walk.taken if action.kind.name == "suspend" for cause in action.subscriptions]
    if is_open:
        assert judgement.dunnable_minor == walk.rest
        assert all(minor <= walk.rest for action in judgement.actions for _, minor in action.subscriptions)
    if is_open and not walk.rest:
        assert judgement.actions == ()
        assert judgement.next is None
        assert not is_suspension_still_due(
            frozenset([judgement.invoice_id]), SUBSCRIPTION, _by_id(walk.item), {}, on(day, 23)
        )
    if suspended and walk.rest:
        causes = list_current_suspension_causes({judgement.invoice_id: 1}, _by_id(walk.item), on(day, 23))
        latest = {judgement.invoice_id: walk.item.list_balance_history(on(day, 23))[-1]}
        assert list_open_suspension_causes(causes, SUBSCRIPTION, latest), "a chargeback gives nothing back"


def _by_id(dunned: ItemFacts) -> dict[UUID, ItemFacts]:
    return {dunned.invoice_id: dunned}


def check_new_round(walk: Walk) -> None:
    """Check that after a lost chargeback nobody loses access without a final notice of then and its days."""
    again = [(day, action) for day, action in walk.taken if day >= walk.decided_day]
    assert {action.kind.name for _, action in again} >= {"notice", "suspend"}
    (suspended_on,) = [day for day, action in again if action.kind.name == "suspend"]
    final = next(day for day, action in again if action.step == "final_notice" or "final_notice" in action.skipped)
    assert suspended_on >= final + REQUIRED_DAYS
    assert again[0][1].kind.name == "notice"
    assert timedelta(days=suspended_on - walk.decided_day) >= timedelta(days=REQUIRED_DAYS)
