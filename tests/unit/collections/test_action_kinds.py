"""A kind of action is one class: an invented one works by what it says of itself, and none lacks anything."""

import shutil
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar
from uuid import UUID

import pytest

from services.collections import mail, policy_page
from services.collections.domain.actions.registry import ACTION_KINDS
from services.collections.domain.actions.step_faults import list_repetition_faults, list_template_faults
from services.collections.domain.due_step_decision import CARRIERS
from services.collections.domain.dunning_item import Effect, Outcome, SuspensionRelease, TakenDunningStep
from services.collections.domain.dunning_outlook import forecast_dunning_steps
from services.collections.domain.dunning_timeline import DunnableSpan
from services.collections.domain.item_evaluation import DeferredDunningStep, DueDunningStep
from services.collections.domain.item_evaluator import evaluate_dunning_item
from services.collections.domain.policy import Policy, PolicyDocumentRefused, parse_collection_policy
from services.collections.domain.policy_step import Fault, PolicyStep
from shared.base.locale_texts import read_text_catalogue
from shared.pure.languages import LANGUAGES
from tests.unit.collections.facts import DUE, SUBSCRIPTION, balance, item, line, on, take_notice

POLICY = """
name: with_a_call
steps:
  - {name: reminder_1, day: 1, at: "09:00", action: notice, template: reminder_1}
  - {name: phone, day: 5, at: "09:00", action: ring}
  - {name: final_notice, day: 9, at: "09:00", action: notice, template: final_notice}
  - {name: suspend, day: 20, at: "09:00", action: suspend, requires: [{notice: final_notice, days_before: 7}]}
guard: {suspensions_per_hour: 1, share_of_accounts_percent: 1}
"""
REMINDED = take_notice("reminder_1", on(1))
CALLED = TakenDunningStep("phone", 1, on(5), "requested")


@dataclass(frozen=True)
class Call:
    """A person phones the customer; not for less than 2.00."""

    name: ClassVar[str] = "ring"
    outcome: ClassVar[Outcome] = "requested"
    replaces_missed: ClassVar[bool] = False
    ends_access: ClassVar[bool] = False
    is_forgotten_on_release: ClassVar[bool] = True
    awaits_fresh_facts: ClassVar[bool] = False
    page_notes: ClassVar[tuple[str, ...]] = ("call_hours",)

    def list_order_faults(self, place: str, step: PolicyStep, before: tuple[PolicyStep, ...]) -> Iterator[Fault]:
        yield from list_repetition_faults(place, step, before)

    def list_field_faults(
        self, place: str, step: PolicyStep, before: tuple[PolicyStep, ...], templates: Collection[str]
    ) -> Iterator[Fault]:
        yield from list_template_faults(place, step)
        if step.day <= 0:
            yield f"{place}.day", "nobody is called before an invoice is overdue"

    def assess_basis(self, standing: Mapping[str, TakenDunningStep]) -> Effect:
        return "in_effect" if "notice" in standing else "awaited"

    def find_step_obstacle(self, span: DunnableSpan) -> str | None:
        return "too little to call for" if span.dunnable < 200 else None

    def list_subscriptions(self, span: DunnableSpan) -> tuple[tuple[UUID, int], ...]:
        return tuple(span.dunnable_by_subscription.items())


CALL = Call()


def parse_with_call(text: str) -> Policy:
    """Parse a policy by a registry that has the invented kind too."""
    return parse_collection_policy(text, kinds={**ACTION_KINDS, CALL.name: CALL})


def describe_choice(*names: str) -> str:
    """Describe the choice among kinds of action, as a fault does."""
    *others, last = (f"'{name}'" for name in names)
    return f"Input should be {', '.join(others)} or {last}"


def list_faults_with_call(old: str, new: str) -> dict[str, str]:
    """List the fields for which the policy is refused with one thing changed."""
    assert POLICY.count(old) == 1
    with pytest.raises(PolicyDocumentRefused) as refused:
        parse_with_call(POLICY.replace(old, new))
    return dict(refused.value.faults)


def test_a_policy_has_the_kinds_of_the_registry() -> None:
    with pytest.raises(PolicyDocumentRefused) as refused:
        parse_collection_policy(POLICY)
    assert refused.value.faults == [("steps[1].action", describe_choice(*ACTION_KINDS))]
    policy = parse_with_call(POLICY)
    assert [step.kind.name for step in policy.steps] == ["notice", "ring", "notice", "suspend"]
    assert policy.steps[1].kind is CALL
    assert parse_with_call(policy.model_dump_json()) == policy


def test_an_invented_kind_says_which_faults_its_steps_have() -> None:
    assert list_faults_with_call("action: ring", "action: visit") == {
        "steps[1].action": describe_choice(*ACTION_KINDS, CALL.name)
    }
    faults = list_faults_with_call("action: ring", "action: ring, template: reminder_1")
    assert faults == {"steps[1].template": "only a notice has a template"}
    again = 'name: again, day: 10, at: "09:00", action: ring}\n  - {name: suspend'
    assert list_faults_with_call("name: suspend", again) == {
        "steps[3].action": "there can be only one step that does ring"
    }
    early = list_faults_with_call("day: 5", "day: 0")
    assert early["steps[1].day"] == "nobody is called before an invoice is overdue"


def test_an_invented_kind_comes_next_and_is_done_when_it_is_due() -> None:
    policy = parse_with_call(POLICY)
    waiting = evaluate_dunning_item(item(taken=(REMINDED,)), policy, on(4))
    assert waiting.actions == ()
    assert waiting.next
    assert (waiting.next.step, waiting.next.at) == ("phone", on(5))
    due = evaluate_dunning_item(item(taken=(REMINDED,)), policy, on(5))
    assert due.actions == (DueDunningStep("phone", CALL, 5, on(5), None, (), ((SUBSCRIPTION, 300),)),)
    assert due.next
    assert (due.next.step, due.next.at) == ("final_notice", on(9))
    done = evaluate_dunning_item(item(taken=(REMINDED, CALLED)), policy, on(6))
    assert done.actions == ()
    assert done.stage
    assert done.stage.name == "phone"


def test_an_invented_kind_waits_for_what_it_says() -> None:
    policy = parse_with_call(POLICY)
    little = item(balance(1, on(-30), line(199)), taken=(REMINDED,))
    deferred = evaluate_dunning_item(little, policy, on(5))
    assert deferred.actions == ()
    assert deferred.deferred == (DeferredDunningStep("phone", "too little to call for", None),)
    assert deferred.next
    assert deferred.next.step == "final_notice"
    unreminded = evaluate_dunning_item(item(), policy, on(5))
    assert [action.step for action in unreminded.actions] == ["reminder_1"]


def test_an_invented_kind_is_forgotten_by_a_release_and_stands_in_the_outlook() -> None:
    policy = parse_with_call(POLICY)
    called = item(taken=(REMINDED, CALLED))
    released = replace(called, releases=(SuspensionRelease(on(6), DUE),))
    assert evaluate_dunning_item(called, policy, on(7)).actions == ()
    assert "phone" not in {step.step for step in forecast_dunning_steps(called, policy, None, on(7))}
    validity = {rung.step.name: rung.void for rung in evaluate_dunning_item(released, policy, on(7)).ladder}
    assert validity["phone"]
    assert validity["reminder_1"] is None
    coming = forecast_dunning_steps(item(taken=(REMINDED,)), policy, None, on(4))
    assert [(step.step, step.action) for step in coming] == [
        ("phone", "ring"),
        ("final_notice", "notice"),
        ("suspend", "suspend"),
    ]


def test_an_invented_kind_has_its_text_and_note_on_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(policy_page.WORDS, tmp_path, dirs_exist_ok=True)
    with (tmp_path / "en.yaml").open("a") as catalogue:
        catalogue.write('ring: "We call you."\ncall_hours: "Between nine and five."\n')
    monkeypatch.setattr(policy_page, "WORDS", tmp_path)
    steps = policy_page.list_policy_page_steps(parse_with_call(POLICY), "en")
    assert [(step.action, step.effect, step.notes) for step in steps[:2]] == [
        ("notice", "We remind you that a payment is overdue.", ()),
        ("ring", "We call you.", ("Between nine and five.",)),
    ]


def test_each_kind_is_carried_out_and_has_its_texts() -> None:
    assert list(ACTION_KINDS) == [kind.name for kind in ACTION_KINDS.values()]
    assert set(CARRIERS) == set(ACTION_KINDS)
    for language in LANGUAGES:
        mail_texts = read_text_catalogue(mail.WORDS, language)
        page_texts = read_text_catalogue(policy_page.WORDS, language)
        for kind in ACTION_KINDS.values():
            assert page_texts.keys() >= set(kind.page_notes)
            if kind.outcome == "requested":  # a notice is worded by its template
                assert f"step_{kind.name}" in mail_texts
                assert kind.name in page_texts
