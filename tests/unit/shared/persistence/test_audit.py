"""Contents of an audit entry: only what changed, and what tells of people apart from the rest."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import orjson
import pytest
from asyncpg.pgproto.pgproto import UUID as DriversUUID
from hypothesis import given
from hypothesis import strategies as st

from shared.persistence.audit import (
    Audit,
    AuditedAct,
    AuditedChange,
    RequestNotAudited,
    build_audit_entry,
    split_personal_values,
)
from shared.persistence.database import Cause

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
ID = UUID("01a20d60-7458-729b-b244-54f33ab0c1d2")


def cause(id_: str = "request-1", **more: Any) -> Cause:
    return Cause(id_, act=AuditedAct("anna", "account.change", **more))


@pytest.mark.parametrize(
    ("before", "after", "split"),
    [
        (None, None, (None, None, {})),
        ({}, {"amount_minor": 5}, ({}, {"amount_minor": 5}, {})),
        ({"terms_days": 14, "version": 1}, {"terms_days": 14, "version": 2}, ({"version": 1}, {"version": 2}, {})),
        ({"state": "open"}, {"state": "closed"}, ({"state": "open"}, {"state": "closed"}, {})),
        ({"name": "A"}, {"name": "B"}, ({}, {}, {"before": {"name": "A"}, "after": {"name": "B"}})),
        ({"name": None}, {"name": "B"}, ({}, {}, {"before": {"name": None}, "after": {"name": "B"}})),
        ({"address": []}, {"address": ["x 5"]}, ({}, {}, {"before": {"address": []}, "after": {"address": ["x 5"]}})),
        ({"day": None}, {"day": date(2026, 3, 2)}, ({"day": None}, {"day": date(2026, 3, 2)}, {})),
        ({"lines": [[1, 5]]}, {"lines": [[1, 6]]}, ({"lines": [[1, 5]]}, {"lines": [[1, 6]]}, {})),
        ({"rates": {"USD": Decimal("1.08")}}, {"rates": {}}, ({"rates": {"USD": Decimal("1.08")}}, {"rates": {}}, {})),
        ({"name": "A", "version": 1}, {"name": "A", "version": 1}, ({}, {}, {})),
        ({"text": ("t",)}, {"text": ["t"]}, ({}, {}, {})),
    ],
)
def test_only_what_changed_is_kept_and_words_apart(before: Any, after: Any, split: Any) -> None:
    assert split_personal_values(before, after) == split


VALUES = st.dictionaries(
    st.sampled_from(["name", "email", "state", "terms_days", "address", "version"]),
    st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.text(), max_size=2),
)


@given(before=VALUES, after=VALUES)
def test_nothing_that_changed_is_lost_and_no_text_of_an_unknown_field_is_plain(before: Any, after: Any) -> None:
    was, became, personal = split_personal_values(before, after)
    assert was is not None
    assert became is not None
    whole_before, whole_after = was | personal.get("before", {}), became | personal.get("after", {})
    changed = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
    assert whole_before == {name: before[name] for name in changed if name in before}
    assert whole_after == {name: after[name] for name in changed if name in after}
    texts = [value for name, value in (*was.items(), *became.items()) if name != "state"]
    assert not any(isinstance(value, str) or (isinstance(value, list) and value) for value in texts)


def test_an_entry_says_who_when_and_what() -> None:
    change = AuditedChange("account", ID, ID, {"name": "A", "terms_days": 14}, {"name": "B", "terms_days": 30})
    acting = cause(reason="by phone")
    assert acting.act is not None
    entry = build_audit_entry(acting, acting.act, NOW, change)
    assert entry[1:8] == (NOW, "anna", "account.change", ID, "account", str(ID), "request-1")
    assert (entry.before, entry.after) == ('{"terms_days":14}', '{"terms_days":30}')
    assert orjson.loads(entry.personal) == {"before": {"name": "A"}, "after": {"name": "B"}, "reason": "by phone"}


def test_a_value_of_any_kind_of_column_is_written() -> None:
    became = {"id": DriversUUID(str(ID)), "rate": Decimal("1E+1"), "day": date(2026, 3, 2), "at": NOW, "n": None}
    acting = cause()
    assert acting.act is not None
    entry = build_audit_entry(acting, acting.act, NOW, AuditedChange("account", ID, None, {}, became))
    assert entry.after is not None
    assert orjson.loads(entry.after) == {
        "id": "01a20d60-7458-729b-b244-54f33ab0c1d2",
        "rate": "10",
        "day": "2026-03-02",
        "at": "2026-03-02T09:00:00+00:00",
    }


def test_what_was_made_stands_in_itself() -> None:
    acting = cause()
    assert acting.act is not None
    entry = build_audit_entry(acting, acting.act, NOW, AuditedChange("plan_version", f"{ID}/2"))
    assert entry[4:] == (None, "plan_version", f"{ID}/2", "request-1", None, None, "{}")


def test_a_request_has_one_entry_or_says_that_it_changed_nothing() -> None:
    audit = Audit()
    with pytest.raises(RequestNotAudited):
        audit.check(cause())
    audit.record(cause(), NOW, None)
    audit.record(cause("request-2"), NOW, AuditedChange("account", ID))
    audit.check(cause())
    audit.check(cause("request-2"))
    assert [entry.cause_id for entry in audit.entries()] == ["request-2"]
    for id_ in ("request-1", "request-2"):
        with pytest.raises(RequestNotAudited):
            audit.record(cause(id_), NOW, AuditedChange("account", ID))


def test_a_machine_leaves_no_entry() -> None:
    audit = Audit()
    for _ in range(2):
        audit.record(Cause("event-1"), NOW, AuditedChange("account", ID))
    audit.check(Cause("event-1"))
    assert audit.entries() == []


def test_what_is_undone_is_forgotten() -> None:
    audit = Audit()
    audit.record(cause("request-1"), NOW, AuditedChange("account", ID))
    mark = audit.count_entries()
    audit.record(cause("request-2"), NOW, AuditedChange("account", ID))
    audit.undo_entries_since(mark)
    assert [entry.cause_id for entry in audit.entries()] == ["request-1"]
    audit.record(cause("request-2"), NOW, AuditedChange("account", ID))
