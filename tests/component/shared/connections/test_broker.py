"""Kafka is reached over TLS and with a login where that is set, and otherwise not at all."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from pydantic import ValidationError
from structlog.testing import capture_logs
from typer.testing import CliRunner

from deploy import prepare
from deploy.local.kafka import KafkaServer
from deploy.local.secured import KafkaLogin, ServerTlsFiles, list_access_variables
from shared.base import kafka
from shared.base.connections.access import KafkaAccess
from shared.base.connections.kafka import build_kafka_options, start_client
from shared.base.connections.tls import TlsFiles, TlsOrLoginRefused
from tests.certificates import Authority

TOPIC = "secured.events"
NO_FILES: dict[str, Any] = {f"kafka_{name}_file": None for name in ("ca", "certificate", "key", "key_password")}


class World:
    """A broker that lets nobody in without TLS, a certificate and a login, and the files of who does."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.authority = Authority(folder / "tls")
        self.password_file = folder / "password"
        self.password_file.write_text("correct-horse\n")
        signed = self.authority.sign("broker", "127.0.0.1")
        self.key_password_file = folder / "key-password"
        self.key_password_file.write_text("stapled-horse\n")
        ours = self.authority.sign("client", "client.example", key_password="stapled-horse")
        client = TlsFiles(self.authority.file, ours.certificate, ours.key, self.key_password_file)
        login = KafkaLogin(ServerTlsFiles(signed.certificate, signed.key, client), "goodstanding", self.password_file)
        self.server = KafkaServer(folder / "kafka", login=login)

    def access(self, **changes: Any) -> KafkaAccess:
        fields: dict[str, Any] = self.server.access.model_dump() | changes
        return KafkaAccess(**fields)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    world = World(tmp_path_factory.mktemp("broker"))
    world.server.start()
    yield world
    world.server.stop()


@pytest.fixture(scope="module")
async def topic(world: World) -> str:
    await world.server.create_topics([TOPIC])
    return TOPIC


@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-512", "PLAIN"])
async def test_messages_go_over_tls_with_a_login(world: World, topic: str, mechanism: str) -> None:
    access = world.access(kafka_sasl_mechanism=mechanism)
    producer, consumer = kafka.create_kafka_producer(access), kafka.create_kafka_consumer(access, f"group-{mechanism}")
    consumer.subscribe([topic])
    await start_client(producer.start(), access)
    await start_client(consumer.start(), access)
    try:
        await producer.send_and_wait(topic, mechanism.encode())
        async with asyncio.timeout(20):
            while (await consumer.getone()).value != mechanism.encode():
                pass
    finally:
        await consumer.stop()
        await producer.stop()


async def find_refusal(access: KafkaAccess) -> str:
    producer = kafka.create_kafka_producer(access)
    try:
        with pytest.raises(TlsOrLoginRefused) as raised:
            await start_client(producer.start(), access)
    finally:
        await producer.stop()
    return str(raised.value)


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        ("authority", "the broker: its certificate is signed by nobody who is trusted"),
        ("password", "the broker: the login is refused"),
        ("mechanism", "the broker: the login is refused"),
    ],
)
async def test_a_broker_that_is_not_the_one_or_refuses_us_is_not_used(
    world: World, tmp_path: Path, fault: str, sentence: str
) -> None:
    changes: dict[str, Any] = {}
    if fault == "authority":
        changes = {"kafka_ca_file": Authority(tmp_path, "foreign").file}
    else:
        (tmp_path / "password").write_text("wrong-horse")
        mechanism = "PLAIN" if fault == "mechanism" else "SCRAM-SHA-512"
        changes = {"kafka_password_file": tmp_path / "password", "kafka_sasl_mechanism": mechanism}
    with capture_logs() as logs:
        refusal = await find_refusal(world.access(**changes))
    assert refusal == sentence
    assert "horse" not in f"{logs}"


@pytest.mark.parametrize(
    ("name", "begins", "sentence"),
    [
        ("127.0.0.1", timedelta(-2), "the broker: its certificate has expired"),
        ("192.0.2.17", timedelta(0), "the broker: its certificate is for another address"),
    ],
)
async def test_a_broker_with_another_certificate_is_refused(
    world: World, name: str, begins: timedelta, sentence: str
) -> None:
    """Its certificate is looked at before a word of Kafka: a listener that has one is enough."""
    ends = timedelta(hours=-1) if begins else timedelta(1)
    signed = world.authority.sign(f"broker-{name}", name, begins=begins - timedelta(1), ends=ends)
    context = ServerTlsFiles(signed.certificate, signed.key, TlsFiles()).make_context()
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0, ssl=context)
    try:
        port = server.sockets[0].getsockname()[1]
        assert await find_refusal(world.access(kafka=f"127.0.0.1:{port}")) == sentence
    finally:
        server.close()


def sign_for_client(world: World, folder: Path, fault: str) -> dict[str, Any]:
    """Changes of the settings by which our certificate has a fault."""
    authority, ends = world.authority, timedelta(1)
    match fault:
        case "none":
            return {f"kafka_{name}_file": None for name in ("certificate", "key", "key_password")}
        case "authority":
            authority = Authority(folder / "foreign", "foreign")
        case "expired":
            ends = timedelta(hours=-1)
    signed = authority.sign(f"client-{fault}", "client.example", begins=timedelta(-2), ends=ends)
    return {
        "kafka_certificate_file": signed.certificate,
        "kafka_key_file": signed.key,
        "kafka_key_password_file": None,
    }


async def test_a_certificate_of_ours_with_a_key_in_plain_gets_in(world: World, tmp_path: Path) -> None:
    access = world.access(**sign_for_client(world, tmp_path, "well"))
    producer = kafka.create_kafka_producer(access)
    await start_client(producer.start(), access)
    await producer.stop()


@pytest.mark.parametrize("fault", ["none", "authority", "expired"])
async def test_nobody_gets_in_without_a_certificate_that_the_broker_trusts(
    world: World, tmp_path: Path, fault: str
) -> None:
    refusal = await find_refusal(world.access(**sign_for_client(world, tmp_path, fault)))
    assert refusal == "the broker: it takes no certificate of ours"


@pytest.mark.parametrize(
    ("password", "sentence"),
    [
        (None, "the key for TLS is encrypted, and no file has its password"),
        ("wrong-horse", "the files for TLS are unusable: SSLError"),
        ("", "the secret's file password is empty"),
    ],
)
def test_an_encrypted_key_needs_its_password_and_asks_no_terminal(
    world: World, tmp_path: Path, password: str | None, sentence: str
) -> None:
    (tmp_path / "password").write_text(password or "")
    access = world.access(kafka_key_password_file=None if password is None else tmp_path / "password")
    with pytest.raises(TlsOrLoginRefused) as raised:
        build_kafka_options(access)
    assert str(raised.value) == sentence


def test_topics_are_made_with_all_that_the_broker_wants(world: World) -> None:
    variables = list_access_variables(world.access())
    done = CliRunner().invoke(prepare.app, ["topics"], env=variables)
    assert done.exit_code == 0, done.output

    async def list_topics() -> set[str]:
        admin = AIOKafkaAdminClient(**build_kafka_options(world.access()))
        await admin.start()
        try:
            return set(await admin.list_topics())
        finally:
            await admin.close()

    assert set(prepare.TOPICS) <= asyncio.run(list_topics())


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (NO_FILES, "the broker: its certificate is signed by nobody who is trusted"),
        ({"kafka_password_file": __file__}, "the broker: the login is refused"),
    ],
)
def test_who_prepares_topics_hears_what_the_broker_refuses(
    world: World, changes: dict[str, Any], sentence: str
) -> None:
    done = CliRunner().invoke(prepare.app, ["topics"], env=list_access_variables(world.access(**changes)))
    assert (done.exit_code, done.stderr.strip()) == (1, sentence)


async def test_plain_text_does_not_get_in(world: World) -> None:
    access = KafkaAccess(kafka=world.server.bootstrap)
    producer = kafka.create_kafka_producer(access)
    with pytest.raises((KafkaError, OSError)):
        await start_client(producer.start(), access)
    await producer.stop()


def test_the_password_is_read_for_each_client_and_never_shown(world: World, tmp_path: Path) -> None:
    (tmp_path / "password").write_text("former-horse")
    access = world.access(kafka_password_file=tmp_path / "password")
    assert build_kafka_options(access)["sasl_plain_password"] == "former-horse"
    (tmp_path / "password").write_text("newer-horse")
    assert build_kafka_options(access)["sasl_plain_password"] == "newer-horse"
    assert "horse" not in repr(access)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (NO_FILES | {"kafka_security_protocol": "PLAINTEXT"}, "belong to SASL_SSL"),
        ({"kafka_security_protocol": "PLAINTEXT"}, "TLS is not switched on"),
        ({"kafka_security_protocol": "SSL"}, "belong to SASL_SSL"),
        ({"kafka_username": ""}, "both are needed"),
        ({"kafka_certificate_file": None}, "belong together"),
        ({"kafka_certificate_file": None, "kafka_key_file": None}, "no KAFKA_KEY_FILE"),
    ],
)
def test_settings_that_do_not_fit_together_are_refused(world: World, changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        world.access(**changes)
