"""Topics, types, fields, headers and partitions on the page for integrators are what the product declares."""

import json
import re
import runpy
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from shared.events import PARTITIONS, REGISTRY, get_topic
from shared.events.invoicing import InvoicePaid
from shared.persistence import outbox
from shared.persistence.audit import AuditedAct
from shared.persistence.database import Cause
from shared.process.service import NAMES
from tests.builders import START
from tests.end_to_end.integrating.page import PAGE, only

TEXT = PAGE.read_text()
SAMPLE = InvoicePaid(account_id=uuid4(), invoice_id=uuid4(), number="GS-DE-00000001")


@pytest.fixture
def program(tmp_path: Path) -> dict[str, Any]:
    """The names that the page's program defines; it is not run."""
    (tmp_path / "standing.py").write_text(only("python"))
    return runpy.run_path(str(tmp_path / "standing.py"))


def test_the_types_it_names_are_declared(program: dict[str, Any]) -> None:
    named = set(re.findall(r"goodstanding\.\w+\.\w+\.v\d+", TEXT))
    assert len(program["HANDLERS"]) == 10
    assert program["HANDLERS"].keys() <= named <= REGISTRY.keys()


def test_the_topics_and_their_partitions_are_those(program: dict[str, Any]) -> None:
    topics = [get_topic(name) for name in NAMES]
    assert sorted(re.findall(r"^\| `(\w+\.events)` \|", TEXT, re.MULTILINE)) == sorted(topics)
    assert sorted(program["TOPICS"]) == sorted(topics)
    assert (program["PARTITIONS"], "**six partitions**" in TEXT) == (PARTITIONS, True)


def test_every_header_is_told() -> None:
    row = outbox.build_outbox_row(
        SAMPLE,
        sequence=1,
        unit_now=START,
        cause=Cause("request-1", act=AuditedAct("j.meier", "payment.record", "asked")),
    )
    table = TEXT.partition("| header |")[2].partition("\n\n")[0]
    listed = set(re.findall(r"`((?:ce_)?[a-z-]+)`", "".join(re.findall(r"^\|([^|]*)\|", table, re.MULTILINE))))
    assert listed - {"traceparent"} == json.loads(row.headers).keys() - {"traceparent"}
    assert "traceparent" in listed


def test_the_size_it_promises_is_the_limit() -> None:
    assert f"at most {outbox.MAX_EVENT_BYTES // 1024} KiB" in TEXT


def test_every_link_to_a_file_leads_somewhere() -> None:
    links = re.findall(r"\]\(([\w./]+)\)", TEXT)
    assert len(links) >= 2
    assert [link for link in links if not (PAGE.parent / link).exists()] == []
