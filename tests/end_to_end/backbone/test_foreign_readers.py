"""Readers that know nothing of us read our messages: Kafka's console consumer, and the library of CloudEvents."""

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest
from aiokafka import ConsumerRecord
from cloudevents.core.bindings.kafka import KafkaMessage, from_binary
from cloudevents.core.formats.json import JSONFormat

from shared.persistence.audit import AuditedAct
from shared.persistence.database import Cause, Unit
from tests.builders import START
from tests.component.shared.rehearsal import Stage
from tests.end_to_end.backbone.console import NULL, Shown, list_shown
from tests.end_to_end.backbone.loops import is_outbox_empty, looping, records, relay, until

pytestmark = pytest.mark.xdist_group("kafka")

NOTE = "Größe – “帳單”, 100 %"
ALWAYS = {
    *(f"ce_{name}" for name in ("specversion", "id", "source", "type", "subject", "time")),
    *(f"ce_{name}" for name in ("recordedtime", "sequence", "causationid")),
    "content-type",
}
BY_A_CALLER = {"ce_actionid"}
ACT = AuditedAct("j.meier", "thing.change", NOTE)
CAUSES = (Cause("request-1"), Cause("request-2", act=ACT))


async def publish(stage: Stage, account: UUID, n: int, cause: Cause) -> None:
    async def act(unit: Unit) -> None:
        await unit.lock_subjects(account)
        unit.publish(stage.event(account_id=account, n=n, note=NOTE))

    await stage.units.run(act, cause)


@pytest.fixture
async def accounts(stage: Stage) -> list[UUID]:
    """Accounts with two events each on the stage's topic: by a request, and by a person."""
    account_ids = [uuid4() for _ in range(4)]
    for n, cause in enumerate(CAUSES, 1):
        for account in account_ids:
            await publish(stage, account, n, cause)
    async with looping(relay(stage)):
        await until(lambda: is_outbox_empty(stage))
    return account_ids


async def test_the_console_consumer_shows_what_was_published(stage: Stage, accounts: list[UUID]) -> None:
    lines = await list_shown(stage.settings.kafka, stage.topic, len(accounts) * len(CAUSES))
    for account in accounts:
        own = [line for line in lines if line.key == str(account)]
        assert len({line.partition for line in own}) == 1
        for n, (line, cause) in enumerate(zip(own, CAUSES, strict=True), 1):
            assert_told(line, stage, account, n)
            assert orjson.loads(line.value) == {"account_id": str(account), "n": n, "note": NOTE}
            assert line.headers["ce_causationid"] == cause.id
            action = {name: line.headers[name] for name in BY_A_CALLER & line.headers.keys()}
            assert action == ({"ce_actionid": str(ACT.id)} if cause.act else {}), "who and why stand in the audit"


def assert_told(line: Shown, stage: Stage, account: UUID, n: int) -> None:
    """The headers that every message has, and none without a value."""
    headers = line.headers
    assert headers.keys() - BY_A_CALLER - {"traceparent"} == ALWAYS
    assert NULL not in headers.values()
    assert (headers["ce_subject"], headers["ce_sequence"]) == (str(account), str(n))
    assert (headers["ce_type"], headers["ce_source"]) == (stage.event.type(), f"/goodstanding/{stage.event.producer}")
    assert (headers["ce_specversion"], headers["content-type"]) == ("1.0", "application/json")
    assert datetime.fromisoformat(headers["ce_time"]) == START
    assert datetime.fromisoformat(headers["ce_recordedtime"]).utcoffset() is not None


async def test_the_cloudevents_library_reads_what_is_on_the_topic(stage: Stage, accounts: list[UUID]) -> None:
    events = [read(record) for record in await records(stage.settings.kafka, stage.topic)]
    assert len(events) == len(accounts) * len(CAUSES)
    for account in accounts:
        plain, personal = (event for event in events if event.get_subject() == str(account))
        assert plain.get_data() == {"account_id": str(account), "n": 1, "note": NOTE}
        assert (plain.get_type(), plain.get_time()) == (stage.event.type(), START)
        assert (plain.get_extension("partitionkey"), plain.get_extension("sequence")) == (str(account), "1")
        assert (plain.get_extension("actionid"), personal.get_extension("actionid")) == (None, str(ACT.id))
        assert (personal.get_extension("actor"), personal.get_extension("reason")) == (None, None)
        assert (personal.get_extension("sequence"), personal.get_extension("causationid")) == ("2", "request-2")


def read(record: ConsumerRecord) -> Any:
    """The CloudEvent of a record; no header may be without a value."""
    assert all(value is not None for _, value in record.headers)
    return from_binary(KafkaMessage(dict(record.headers), record.key, record.value), JSONFormat())
