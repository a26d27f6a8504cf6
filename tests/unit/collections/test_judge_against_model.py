"""The judgement agrees with a model in which time simply passes."""

import random
from dataclasses import replace
from typing import TypeVar

from hypothesis import given, settings
from hypothesis import strategies as st

from services.collections.domain.dunning_item import ItemFacts
from services.collections.domain.item_evaluation import ItemEvaluation
from services.collections.domain.item_evaluator import evaluate_dunning_item
from shared.pure.calendar import get_local_date
from tests.examples import scale_examples
from tests.unit.collections.model import Done, Model, Story
from tests.unit.collections.stories import stories

Fact = TypeVar("Fact")


def list_done(judgement: ItemEvaluation) -> list[Done]:
    """The actions of a judgement in the words of the model."""
    return [(action.step, action.skipped, dict(action.subscriptions)) for action in judgement.actions]


def mix_facts(facts: tuple[Fact, ...], order: random.Random) -> tuple[Fact, ...]:
    """Repeat some facts, and mix all of them."""
    repeated = [*facts, *facts[::2]]
    order.shuffle(repeated)
    return tuple(repeated)


def shuffle_item(item: ItemFacts, order: random.Random) -> ItemFacts:
    """The item as late and repeated messages would tell it."""
    return replace(
        item,
        balances=mix_facts(item.balances, order),
        overdue=mix_facts(item.overdue, order),
        promises=tuple(order.sample(item.promises, k=len(item.promises))),
        taken=mix_facts(item.taken, order),
        releases=mix_facts(item.releases, order),
    )


def is_swept(model: Model, story: Story) -> bool:
    """Whether the account is judged at this tick: at each instant of a step, and on each new fact."""
    first, end = story.outage
    return not first <= model.tick < end and (model.is_instant or model.has_news or model.tick == end)


@settings(max_examples=scale_examples(40), deadline=None)
@given(story=stories(), order=st.randoms(use_true_random=True))
def test_each_sweep_does_what_the_model_does(story: Story, order: random.Random) -> None:
    model = Model(story)
    for _ in range(story.ticks):
        model.advance()
        if not is_swept(model, story):
            continue
        judgement = evaluate_dunning_item(model.item, story.policy, model.now)
        assert judgement == evaluate_dunning_item(shuffle_item(model.item, order), story.policy, model.now)
        assert judgement.position == model.position
        assert judgement.round == max(model.round, 1)
        assert judgement.dunnable_minor == sum(model.dunnable())
        assert judgement.is_overdue_and_open == (model.overdue and judgement.open_minor > 0)
        assert list_done(judgement) == model.sweep()


@settings(max_examples=scale_examples(40), deadline=None)
@given(story=stories(until=48 * 20), cut=st.integers(0, 48 * 25))
def test_next_is_when_the_model_acts_if_no_new_fact_comes(story: Story, cut: int) -> None:
    facts = tuple(change for change in story.changes if change[0] <= cut)
    releases = tuple(release for release in story.releases if release[0] <= cut)
    story = replace(story, changes=facts, releases=releases, outage=(0, 0), deliveries={}, ticks=48 * 90)
    model = Model(story)
    while model.tick < cut:
        model.advance()
        model.sweep()
    judgement = evaluate_dunning_item(model.item, story.policy, model.now)
    is_past_due = get_local_date(model.now, model.item.zone) > model.item.due_date
    if is_past_due and not model.overdue:  # the overdue is a fact that must come first
        assert judgement.next is None
        return
    acted = False
    while model.tick < story.ticks and not acted:
        model.advance()
        acted = bool(model.sweep())
    assert (judgement.next.at if judgement.next else None) == (model.now if acted else None)
