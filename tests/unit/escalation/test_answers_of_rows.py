"""Rows that are written without a model of each are written as the model would."""

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from types import NoneType
from typing import Any, get_args
from uuid import UUID

import pytest
from asyncpg.pgproto import pgproto
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from services.escalation.api.case_bodies import CaseOut, build_case_fields
from services.escalation.api.resource_bodies import FoundResourceOut, build_resource_fields
from services.escalation.api.threads import EntryOut, build_entry_fields
from services.escalation.domain.cases import WAITING_SIDES
from services.escalation.repository import case_queries, resource_queries, thread_queries
from services.escalation.tables import CaseMailRow, CaseRow, EntryRow, SupportResourceRow
from shared.web.http.row_answers import Fields, write_json_answer

WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
VALUES: dict[Any, st.SearchStrategy[Any]] = {
    int: st.integers(0, 2**63 - 1),
    bool: st.booleans(),
    str: WORDS,
    date: st.dates(),
    list[str]: st.lists(WORDS, max_size=2),
    UUID: st.uuids().map(lambda value: pgproto.UUID(str(value))),  # as the driver gives them
    datetime: st.datetimes(timezones=st.just(UTC)),
    dict[str, Any]: st.dictionaries(WORDS, WORDS | st.none() | st.integers(-(2**53), 2**53), max_size=3),
}
CODES: dict[str, dict[type[BaseModel], list[str | None]]] = {
    "kind": {
        CaseRow: ["billing_question", "technical"],
        EntryRow: ["note", "mail_out"],
        SupportResourceRow: ["training", "premier_contract"],
    },
    "language": {SupportResourceRow: ["de", "ru"]},
    "state": {CaseRow: ["new", "waiting_for_vendor", "closed"], CaseMailRow: ["queued", "bounced"]},
    "severity": {CaseRow: ["A", "C", None]},
    "audience": {EntryRow: ["customer", "internal"]},
    "channel": {EntryRow: ["phone", None]},
}


def build_columns(table: type[BaseModel], columns: tuple[str, ...]) -> st.SearchStrategy[dict[str, Any]]:
    """Build rows of a table's columns by their types."""

    def build_value(name: str) -> st.SearchStrategy[Any]:
        if table in CODES.get(name, {}):
            return st.sampled_from(CODES[name][table])
        kind = table.model_fields[name].annotation
        kinds = get_args(kind) if NoneType in get_args(kind) else (kind,)
        return st.one_of(*(st.none() if part is NoneType else VALUES[part] for part in kinds))

    return st.fixed_dictionaries({name: build_value(name) for name in columns})


CASES = build_columns(CaseRow, case_queries.SHOWN_COLUMNS)
MAILS = st.none() | build_columns(CaseMailRow, ("state", "code", "about_outcome", "settled_at"))
NO_MAIL = dict.fromkeys(("state", "code", "about_outcome", "settled_at"))
RESOURCES = build_columns(SupportResourceRow, resource_queries.COLUMNS)
ADDED = ("uses", "helped", "excerpt")
TODAY = date(2026, 3, 2)
ENTRIES = st.tuples(build_columns(EntryRow, thread_queries.SHOWN_COLUMNS), MAILS)


def check_answer(model: type[BaseModel], fields: Fields, expected: Mapping[str, Any]) -> None:
    """Check that the fields are written as the model writes what is expected."""
    written = json.loads(bytes(write_json_answer({"items": [fields]}).body))["items"][0]
    assert written == json.loads(model.model_validate(expected).model_dump_json())


@given(CASES)
def test_a_case_is_written_as_its_model_writes_it(columns: dict[str, Any]) -> None:
    check_answer(CaseOut, build_case_fields(columns), columns | {"waiting_for": WAITING_SIDES.get(columns["state"])})


@given(ENTRIES)
def test_an_entry_is_written_as_its_model_writes_it(entry: tuple[dict[str, Any], dict[str, Any] | None]) -> None:
    columns, mail = entry
    sent = mail or NO_MAIL
    row = columns | {f"mail_{name}": sent[name] for name in ("state", "code", "about_outcome")}
    fields = build_entry_fields(row | {"settled_at": sent["settled_at"], "sequence": "hidden"})
    check_answer(EntryOut, fields, columns | {"mail": mail})


@given(RESOURCES)
def test_a_resource_is_written_as_its_model_writes_it(columns: dict[str, Any]) -> None:
    row = columns | {"uses": 3, "helped": 1, "excerpt": "the **MX**"}
    is_lapsed = columns["requests_left"] == 0 or (columns["valid_to"] is not None and columns["valid_to"] < TODAY)
    check_answer(FoundResourceOut, build_resource_fields(row, TODAY), row | {"is_lapsed": is_lapsed})


@pytest.mark.parametrize(
    ("model", "fields"),
    [
        (CaseOut, build_case_fields(dict.fromkeys(case_queries.SHOWN_COLUMNS))),
        (EntryOut, build_entry_fields(dict.fromkeys({*EntryRow.model_fields, "mail_state"}))),
        (FoundResourceOut, build_resource_fields(dict.fromkeys({*resource_queries.COLUMNS, *ADDED}), TODAY)),
    ],
    ids=["case", "entry", "resource"],
)
def test_no_field_is_missing_and_none_is_more(model: type[BaseModel], fields: Fields) -> None:
    assert set(fields) == set(model.model_fields)
