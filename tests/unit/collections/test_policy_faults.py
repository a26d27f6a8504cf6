"""Faults of the steps of a policy, by kind of action, word for word."""

import pytest

from services.collections.domain.policy import PolicyDocumentRefused, parse_collection_policy

NOTICE = "{name: warn, day: 7, at: '09:00', action: notice, template: final_notice}"
SUSPEND = "{name: cut, day: 21, at: '09:00', action: suspend, requires: [{notice: warn, days_before: 7}]}"
END = "{name: end, day: 40, at: '09:00', action: terminate}"
TEMPLATES = "final_notice, reminder_1, reminder_2, upcoming"


def list_faults(*steps: str) -> list[tuple[str, str]]:
    limits = "{suspensions_per_hour: 5, share_of_accounts_percent: 10}"
    document = f"{{name: p, steps: [{', '.join(steps)}], guard: {limits}}}"
    try:
        parse_collection_policy(document)
    except PolicyDocumentRefused as refused:
        return refused.faults
    return []


@pytest.mark.parametrize(
    ("steps", "faults"),
    [
        ([NOTICE, SUSPEND, END], []),
        (
            ["{name: warn, day: 7, at: '09:00', action: notice}"],
            [("steps[0].template", "a notice needs a template")],
        ),
        (
            [NOTICE.replace("final_notice", "polite")],
            [("steps[0].template", f"'polite' is not one of {TEMPLATES}")],
        ),
        (
            [NOTICE.replace("}", ", requires: [{notice: warn, days_before: 1}]}")],
            [("steps[0].requires", "only a suspend step requires notices")],
        ),
        (
            [NOTICE, SUSPEND.replace("suspend,", "suspend, template: final_notice,")],
            [("steps[1].template", "only a notice has a template")],
        ),
        (
            [NOTICE, "{name: cut, day: 21, at: '09:00', action: suspend}"],
            [("steps[1].requires", "a suspend step requires at least one notice")],
        ),
        (
            [NOTICE.replace("day: 7", "day: -9"), SUSPEND.replace("day: 21", "day: 0")],
            [
                ("steps[1].day", "access is not suspended before the day after the due date"),
                ("steps[1].requires[0].notice", "warn goes out before anything is overdue"),
            ],
        ),
        (
            [NOTICE.replace("day: 7", "day: 0"), SUSPEND.replace("day: 21", "day: 1")],
            [("steps[1].requires[0].notice", "warn goes out before anything is overdue")],
        ),
        ([NOTICE.replace("day: 7", "day: 1"), SUSPEND.replace("day: 21", "day: 8")], []),
        (
            [NOTICE.replace("day: 7", "day: 1"), SUSPEND.replace("day: 21", "day: 7")],
            [("steps[1].requires[0].days_before", "only 6 days lie between warn and cut")],
        ),
        (
            [NOTICE, SUSPEND.replace("notice: warn", "notice: other")],
            [("steps[1].requires[0].notice", "other is no notice before cut")],
        ),
        (
            [NOTICE, SUSPEND, SUSPEND.replace("cut", "cut_again").replace("21", "30")],
            [("steps[2].action", "there can be only one step that does suspend")],
        ),
        (
            [NOTICE, SUSPEND, END, END.replace("end,", "end_again,").replace("40", "50")],
            [("steps[3].action", "there can be only one step that does terminate")],
        ),
        ([NOTICE, END], [("steps[1].action", "terminate must come after a suspend step")]),
        (
            [NOTICE, SUSPEND, END.replace("}", ", template: upcoming, requires: [{notice: warn, days_before: 1}]}")],
            [
                ("steps[2].template", "only a notice has a template"),
                ("steps[2].requires", "only a suspend step requires notices"),
            ],
        ),
        ([NOTICE, NOTICE.replace("day: 7", "day: 8")], [("steps[1].name", "warn is there twice")]),
        (
            [NOTICE, NOTICE.replace("warn", "warn_again")],
            [("steps[1].day", "must be after day 7 of warn")],
        ),
    ],
)
def test_the_faults_of_steps(steps: list[str], faults: list[tuple[str, str]]) -> None:
    assert list_faults(*steps) == faults
