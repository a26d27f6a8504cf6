"""The broker of this test process. Without it a test fails; it never skips."""

from collections.abc import Iterator

import pytest

from deploy.local.kafka import KafkaServer


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaServer]:
    """A Kafka server that the modules marked `xdist_group("kafka")` share; each test uses topics of its own."""
    server = KafkaServer(tmp_path_factory.mktemp("kafka"))
    server.start()
    yield server
    server.stop()
