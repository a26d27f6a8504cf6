"""A consumer whose client was made of a former password starts afresh; what is refused is said of each part."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from shared.base import kafka
from shared.base.connections.kafka import read_kafka_file_state
from shared.base.connections.tls import TlsOrLoginRefused
from shared.base.health import Health
from shared.base.wakeups import LoopWakeups
from shared.messaging.relay import OutboxRelay
from tests.builders import Database
from tests.component.shared.rehearsal import Member, Stage, staged


@pytest.fixture
def password_file(tmp_path: Path) -> Path:
    path = tmp_path / "password"
    path.write_text("former")
    return path


@pytest.fixture
async def stage(database: Database, jwks_file: Path, password_file: Path) -> AsyncIterator[Stage]:
    access: dict[str, Any] = {"kafka_security_protocol": "SASL_SSL", "kafka_username": "goodstanding"}
    async with staged(database, jwks_file, **access, kafka_password_file=password_file) as rehearsal:
        yield rehearsal


async def test_a_client_of_a_former_password_is_given_up_when_the_broker_is_silent(
    stage: Stage, password_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rounds = 0

    async def stay_silent(client: object) -> bool:
        nonlocal rounds
        rounds += 1
        if rounds == 2:
            password_file.write_text("the newer one")  # noqa: ASYNC240
        if rounds > 9:
            raise AssertionError("it goes on with the former password")
        return False

    monkeypatch.setattr(kafka, "is_broker_reachable", stay_silent)
    member = Member(stage)
    member.consumer._secrets = read_kafka_file_state(stage.settings)
    with pytest.raises(ConnectionError, match="replaced"):
        await member.consumer._read(member.client)
    assert rounds == 2
    assert member.health.parts["consumer"] == (False, "the broker does not answer")


async def test_consumer_and_relay_say_what_the_broker_refuses(stage: Stage) -> None:
    refused, health = TlsOrLoginRefused("the broker: the login is refused"), Health()
    member = Member(stage)
    member.consumer._broke(refused)
    OutboxRelay("collections", stage.settings, LoopWakeups(), health)._broke(refused)
    assert member.health.parts["consumer"] == (False, "the broker: the login is refused")
    assert health.parts["relay"] == (False, "the broker: the login is refused")
