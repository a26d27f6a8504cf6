"""A policy is refused unless all of it can come true, and the refusal names the field."""

from datetime import time
from time import process_time

import pytest

from services.collections.api.policies import PolicyIn
from services.collections.domain.policy import (
    PolicyDocumentRefused,
    SuspensionLimits,
    check_suspension_notices,
    parse_collection_policy,
)
from services.collections.domain.policy_step import RequiredNotice
from shared.pure.fields import get_model_example
from tests.unit.collections.stories import POLICIES, standard

STANDARD = (POLICIES / "standard.yaml").read_text()


def faults(text: str) -> dict[str, str]:
    """The fields that a document is refused for."""
    with pytest.raises(PolicyDocumentRefused) as refused:
        parse_collection_policy(text)
    return dict(refused.value.faults)


def change_policy(old: str, new: str) -> str:
    """The standard policy with one thing changed."""
    assert STANDARD.count(old) == 1
    return STANDARD.replace(old, new)


def test_the_standard_policy_is_read() -> None:
    policy = parse_collection_policy(STANDARD)
    assert [(step.name, step.day) for step in policy.steps] == [
        ("upcoming", -3),
        ("reminder_1", 1),
        ("reminder_2", 7),
        ("final_notice", 14),
        ("suspend", 21),
        ("terminate", 45),
    ]
    assert {step.at for step in policy.steps} == {time(9)}
    assert [(r.notice, r.days_before) for r in policy.steps[4].requires] == [("final_notice", 7)]


def test_the_strict_policy_is_read() -> None:
    policy = parse_collection_policy((POLICIES / "strict.yaml").read_text())
    assert [step.day for step in policy.steps] == [-5, 1, 3, 10, 30]


def test_the_policy_that_the_api_page_shows_is_one() -> None:
    assert [step.name for step in parse_collection_policy(get_model_example(PolicyIn)["document"]).steps] == [
        "reminder",
        "final_notice",
        "suspend",
    ]


def test_a_policy_survives_being_written_as_json() -> None:
    policy = parse_collection_policy(STANDARD)
    assert parse_collection_policy(policy.model_dump_json()) == policy


@pytest.mark.parametrize(
    ("old", "new", "field", "message"),
    [
        ("name: standard\n", "", "name", "Field required"),
        ("name: standard\n", "name: standard\nowner: x\n", "owner", "Extra inputs"),
        ("name: standard\n", "name: standard\nname: again\n", "name", "stands 2 times"),
        ("name: standard\n", "name: No Name\n", "name", "match pattern"),
        ("{name: reminder_2,", "{name: reminder_1,", "steps[2].name", "there twice"),
        ("day: 7,", "day: 1,", "steps[2].day", "after day 1 of reminder_1"),
        ("day: 7,", 'day: "7",', "steps[2].day", "valid integer"),
        ("day: 7,", "day: 7.5,", "steps[2].day", "valid integer"),
        ("day: 7,", "day: true,", "steps[2].day", "valid integer"),
        ("day: 45,", "day: 731,", "steps[5].day", "less than or equal to 730"),
        ("day: 7,", "day: 7, colour: red,", "steps[2].colour", "Extra inputs"),
        ('day: 7, at: "09:00"', "day: 7, at: 10:00", "steps[2].at", "in quotes"),
        ('day: 7, at: "09:00"', 'day: 7, at: "24:00"', "steps[2].at", "HH:MM"),
        ('day: 7, at: "09:00"', 'day: 7, at: "9:00"', "steps[2].at", "HH:MM"),
        ('day: 7, at: "09:00"', 'day: 7, at: "09:00:30"', "steps[2].at", "HH:MM"),
        (", template: reminder_2}", "}", "steps[2].template", "needs a template"),
        (", template: reminder_2}", ", template: letter}", "steps[2].template", "'letter' is not one of"),
        ("action: terminate}", "action: terminate, template: upcoming}", "steps[5].template", "only a notice"),
        ("action: terminate}", "action: delete}", "steps[5].action", "Input should be 'notice', "),
        (", requires: [{notice: final_notice, days_before: 7}]", "", "steps[4].requires", "at least one notice"),
        ("notice: final_notice", "notice: letter", "steps[4].requires[0].notice", "letter is no notice before"),
        ("notice: final_notice", "notice: upcoming", "steps[4].requires[0].notice", "before anything is overdue"),
        ("days_before: 7", "days_before: 8", "steps[4].requires[0].days_before", "only 7 days lie between"),
        ("days_before: 7", "days_before: 0", "steps[4].requires[0].days_before", "greater than or equal to 1"),
        (
            "template: reminder_2}",
            "template: reminder_2, requires: [{notice: reminder_1, days_before: 1}]}",
            "steps[2].requires",
            "only a suspend step",
        ),
        ("suspensions_per_hour: 1000", "suspensions_per_hour: -1", "guard.suspensions_per_hour", "greater than"),
        ("percent: 100", "percent: 101", "guard.share_of_accounts_percent", "less than or equal to 100"),
        ("suspensions_per_hour: 1000, ", "", "guard.suspensions_per_hour", "Field required"),
    ],
)
def test_a_fault_is_named(old: str, new: str, field: str, message: str) -> None:
    faults_found = faults(change_policy(old, new))
    assert message in faults_found[field]


def policy_of(*steps: str) -> str:
    """A policy with just these steps."""
    listed = "".join(f"  - {{{step}}}\n" for step in steps)
    return f"name: p\nsteps:\n{listed}guard: {{suspensions_per_hour: 1, share_of_accounts_percent: 1}}\n"


def test_termination_needs_a_suspension_before_it() -> None:
    alone = policy_of('name: end, day: 3, at: "09:00", action: terminate')
    assert "after a suspend step" in faults(alone)["steps[0].action"]


def test_access_is_suspended_once_and_only_after_the_due_date() -> None:
    early = 'name: early, day: 0, at: "09:00", action: suspend'
    faults_found = faults(policy_of(early, 'name: late, day: 9, at: "09:00", action: suspend'))
    assert "not suspended before" in faults_found["steps[0].day"]
    assert "only one step" in faults_found["steps[1].action"]


@pytest.mark.parametrize(
    "text",
    ["", "just words", "- a\n- b", "a: [", "a: \x00", "name: 2026-13-45", "[" * 9000, "? [a]\n: b", "x" * 65_000],
    ids=["nothing", "words", "list", "unclosed", "NUL", "date", "deep", "odd key", "long"],
)
def test_what_is_no_mapping_is_refused(text: str) -> None:
    assert list(faults(text)) in ([""], ["name"])


def test_a_policy_has_steps() -> None:
    assert "at least 1 item" in faults("name: p\nsteps: []\nguard: {}")["steps"]


def test_templates_can_be_others() -> None:
    text = policy_of('name: letter, day: 1, at: "09:00", action: notice, template: letter')
    assert parse_collection_policy(text, templates={"letter"}).steps[0].template == "letter"


@pytest.mark.parametrize(
    "text",
    ["[" * 64_000, "{" * 64_000, "a: [" * 16_000, "[" * 100 + "]" * 100],
    ids=["lists", "mappings", "lists of mappings", "closed again"],
)
def test_brackets_within_one_another_are_refused_at_once(text: str) -> None:
    began = process_time()
    with pytest.raises(PolicyDocumentRefused):
        parse_collection_policy(text)
    assert process_time() - began < 1


def test_a_refusal_says_what_is_wrong_with_each_field() -> None:
    refused = PolicyDocumentRefused([("steps[0].day", "is no day"), ("", "is empty")])
    assert refused.detail == "steps[0].day: is no day; is empty"
    assert refused.more == {
        "errors": [{"field": "steps[0].day", "message": "is no day"}, {"field": "", "message": "is empty"}]
    }


@pytest.mark.parametrize(
    ("per_hour", "percent", "allows_more"),
    [(5, 10, False), (4, 9, False), (6, 10, True), (5, 11, True), (6, 9, True), (4, 11, True)],
)
def test_limits_allow_more_if_either_is_wider(per_hour: int, percent: int, allows_more: bool) -> None:
    usual = SuspensionLimits(suspensions_per_hour=5, share_of_accounts_percent=10)
    limits = SuspensionLimits(suspensions_per_hour=per_hour, share_of_accounts_percent=percent)
    assert limits.allows_more_suspensions_than(usual) is allows_more


def test_access_ends_only_after_a_notice_that_warns_of_it() -> None:
    """The suspension is the fifth step; its second requirement is a reminder."""
    check_suspension_notices(standard())
    requires = (
        RequiredNotice(notice="final_notice", days_before=7),
        RequiredNotice(notice="reminder_2", days_before=7),
    )
    steps = tuple(
        step.model_copy(update={"requires": requires}) if step.name == "suspend" else step for step in standard().steps
    )
    with pytest.raises(PolicyDocumentRefused) as refused:
        check_suspension_notices(standard().model_copy(update={"steps": steps}))
    place = [step.name for step in steps].index("suspend")
    assert refused.value.faults == [
        (f"steps[{place}].requires[1].notice", "reminder_2 does not warn that access ends"),
    ]
