"""Stories of invoices, drawn at random, and the policies and facts that examples share."""

from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from services.collections.domain.policy import Policy, parse_collection_policy
from tests.unit.collections.model import Amounts, Story

POLICIES = Path("sandbox/policies")

_SHORT = """
name: short
steps:
  - {{name: upcoming, day: -3, at: "{0}", action: notice, template: upcoming}}
  - {{name: reminder_1, day: 1, at: "{1}", action: notice, template: reminder_1}}
  - {{name: final_notice, day: 4, at: "{2}", action: notice, template: final_notice}}
  - {{name: reminder_2, day: 6, at: "{3}", action: notice, template: reminder_2}}
  - {{name: suspend, day: 9, at: "{4}", action: suspend, requires: [{{notice: final_notice, days_before: 3}}]}}
  - {{name: terminate, day: 14, at: "{5}", action: terminate}}
guard: {{suspensions_per_hour: 5, share_of_accounts_percent: 10}}
"""

AROUND_A_CHANGE = [
    ("UTC", date(2026, 3, 10)),
    ("Europe/Berlin", date(2026, 3, 24)),  # 02:00 becomes 03:00 on 29 March
    ("Europe/Berlin", date(2026, 10, 20)),  # 03:00 becomes 02:00 on 25 October
    ("America/Havana", date(2026, 3, 3)),  # midnight is skipped on 8 March
    ("America/Havana", date(2026, 10, 27)),  # midnight comes twice on 1 November
    ("America/Sao_Paulo", date(2018, 10, 30)),  # midnight is skipped on 4 November
    ("America/Sao_Paulo", date(2018, 2, 12)),  # 17 February ends twice
    ("Australia/Lord_Howe", date(2026, 9, 29)),  # half an hour is skipped on 4 October
]
"""Zones with a due date shortly before their clocks change."""

HOURS = ["00:00", "02:30", "09:00", "23:30"]


def standard() -> Policy:
    """The standard policy of the sandbox."""
    return parse_collection_policy((POLICIES / "standard.yaml").read_text())


def short(*hours: str) -> Policy:
    """A ladder of two weeks with a notice after the required one; each step at an hour of its own."""
    return parse_collection_policy(_SHORT.format(*(hours or ["09:00"] * 6)))


@st.composite
def _line(draw: st.DrawFn) -> tuple[int, int, int]:
    opened = draw(st.sampled_from([0, 1, 2, 3]))
    disputed = draw(st.sampled_from([0, 0, opened, opened // 2]))
    return opened, disputed, draw(st.sampled_from([0, 0, opened - disputed]))


def amounts() -> st.SearchStrategy[Amounts]:
    """The balance of an invoice: often simply open, wholly held or settled, else any mixture by line."""
    plain: list[Amounts] = [((3, 0, 0),), ((3, 0, 0),), ((3, 3, 0),), ((3, 0, 3),), ((0, 0, 0),)]
    return st.sampled_from(plain) | st.lists(_line(), min_size=1, max_size=3).map(tuple)


@st.composite
def stories(draw: st.DrawFn, until: int = 48 * 40) -> Story:
    """A story of some five weeks; no new fact after the tick `until`."""
    zone, due_date = draw(st.sampled_from(AROUND_A_CHANGE))
    hours = draw(st.lists(st.sampled_from(HOURS), min_size=6, max_size=6))
    ticks = st.integers(0, until)
    changes = draw(st.lists(st.tuples(ticks, amounts()), max_size=6))
    promises = draw(st.lists(st.tuples(st.integers(1, 4), ticks, st.integers(1, 600)), max_size=2))
    first, length = draw(ticks), draw(st.sampled_from([0, 0, 48, 300, 700]))
    return Story(
        zone=ZoneInfo(zone),
        due_date=due_date,
        policy=short(*draw(st.sampled_from([hours, ["09:00"] * 6]))).model_copy(
            update={"after_release_days": draw(st.sampled_from([0, 0, 1, 3]))}
        ),
        changes=tuple(sorted([(draw(st.integers(0, 300)), ((3, 0, 0),)), *changes], key=lambda c: c[0])),
        promises=tuple((amount, start, start + length) for amount, start, length in promises),
        deliveries={"final_notice": draw(st.sampled_from([0, 0, 1, 30, 200, None]))},
        releases=tuple(draw(st.lists(st.tuples(st.integers(500, max(until, 1200)), st.integers(0, 6)), max_size=3))),
        outage=(first, first + length),
    )
