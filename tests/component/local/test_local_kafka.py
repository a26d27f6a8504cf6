"""The embedded Kafka: answers when it says so, its topics have the contract's form, and it keeps its data."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from deploy.local import children, ports
from deploy.local.kafka import KafkaServer

pytestmark = pytest.mark.xdist_group("kafka")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[KafkaServer]:
    server = KafkaServer(tmp_path / "kafka")
    server.start()
    yield server
    server.stop()
    assert not ports.is_port_answering(server.port)


async def test_topics_have_six_partitions_and_keep_everything(server: KafkaServer) -> None:
    await server.create_topics(["invoicing.events"])
    await server.create_topics(["invoicing.events", "collections.events"])  # what is there, stays

    admin = AIOKafkaAdminClient(bootstrap_servers=server.bootstrap)
    await admin.start()
    try:
        described = await admin.describe_topics(["invoicing.events", "collections.events"])
        resource = ConfigResource(ConfigResourceType.TOPIC, "collections.events")
        answers = await admin.describe_configs([resource])
    finally:
        await admin.close()
    assert {topic["topic"]: len(topic["partitions"]) for topic in described} == {
        "invoicing.events": 6,
        "collections.events": 6,
    }
    entries = answers[0].resources[0][4]
    assert {entry[0]: entry[1] for entry in entries}["retention.ms"] == "-1"


async def test_keeps_its_messages_over_a_hard_kill(server: KafkaServer) -> None:
    await server.create_topics(["invoicing.events"])
    async with AIOKafkaProducer(bootstrap_servers=server.bootstrap) as producer:
        await producer.send_and_wait("invoicing.events", b"kept", key=b"account 17")

    children.kill_process_group(server.pid)
    server.start()

    consumer = AIOKafkaConsumer("invoicing.events", bootstrap_servers=server.bootstrap, auto_offset_reset="earliest")
    async with consumer:
        message = await consumer.getone()
    assert (message.key, message.value) == (b"account 17", b"kept")
