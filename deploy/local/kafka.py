"""One Kafka server of our own (KRaft, a single node), from its Maven artifacts."""

import asyncio
import base64
import contextlib
import os
import subprocess
import tempfile
import time
import uuid
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError, TopicAlreadyExistsError

from deploy.local import children, files, jars, ports
from deploy.local.broker import BrokerListeners, ProxiedListener, format_broker_properties, format_broker_security
from deploy.local.children import ChildProgram, StartFailedError
from deploy.local.secured import KafkaLogin, name_tls_files
from shared.base.connections.access import KafkaAccess
from shared.base.connections.kafka import build_kafka_options

START_TIMEOUT = 60.0
PARTITIONS = 6
"""For every topic: the number is part of the contract with its readers."""
MEMORY = (
    "-Xms128m",
    "-Xmx384m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-XX:+ExitOnOutOfMemoryError",
)


class KafkaServer:
    """A broker in a folder, on free ports of 127.0.0.1.

    `start` and `stop` block; call `start` from a thread that lives as long as the server should.
    """

    def __init__(
        self,
        folder: Path,
        *,
        port: int | None = None,
        controller_port: int | None = None,
        proxied: ProxiedListener | None = None,
        login: KafkaLogin | None = None,
    ) -> None:
        self._login = login
        self.folder = folder.absolute()
        self._port = port
        self._controller_port = controller_port
        self._proxied = proxied
        self._child: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Format the storage if it is new, start the broker and wait until it answers a client.

        Raises StartFailedError.
        """
        self.stop()  # reaps one that was killed
        self.prepare()
        self.start_prepared_broker(self.build_broker_program())

    def stop(self) -> None:
        """End the broker in good order."""
        if self._child is not None:
            children.end_child(self._child)
            self._child = None

    @cached_property
    def port(self) -> int:
        """The brokers' port on 127.0.0.1."""
        return self._port or ports.find_free_port()

    @cached_property
    def controller_port(self) -> int:
        """The controller's port on 127.0.0.1."""
        return self._controller_port or ports.find_free_port({self.port})

    @property
    def pid(self) -> int:
        """The process id of the running broker."""
        assert self._child is not None, "the broker was not started here"
        return self._child.pid

    @property
    def bootstrap(self) -> str:
        """The address for clients."""
        return f"{ports.HOST}:{self.port}"

    @property
    def access(self) -> KafkaAccess:
        """How clients of ours reach it."""
        if self._login is None:
            return KafkaAccess(kafka=self.bootstrap)
        return KafkaAccess(
            kafka=self.bootstrap,
            kafka_security_protocol="SASL_SSL",
            kafka_username=self._login.username,
            kafka_password_file=self._login.password_file,
            **name_tls_files("kafka", self._login.tls.client),
        )

    def prepare(self) -> None:
        """Fetch the jars and make the class-data archive if need be, and format a new storage."""
        jars.fetch_jars()
        ensure_archive()
        self.write_broker_configuration()

    def write_broker_configuration(self) -> None:
        """Write the broker's configuration, and format its storage if it is new."""
        login = self._login
        text = format_broker_properties(
            BrokerListeners(self.port, self.controller_port, self._proxied), self._data, login
        )
        if login:
            keystore = self.folder / "server.pem"
            files.write_private_file(
                keystore, login.tls.key.read_text() + login.tls.certificate.read_text(), mode=0o600
            )
            text += format_broker_security(login, keystore)
        files.write_private_file(self._properties, text, mode=0o600)
        if (self._data / "meta.properties").exists():
            return
        command = [
            *_java(),
            "kafka.tools.StorageTool",
            "format",
            "-t",
            _cluster_id(),
            "-c",
            str(self._properties),
        ]
        if login:
            scram = f"SCRAM-SHA-512=[name={login.username},password={login.password_file.read_text().strip()}]"
            command += ["--add-scram", scram]
        done = subprocess.run(children.build_user_command(None, tuple(command)), capture_output=True, text=True)
        if done.returncode:
            raise StartFailedError("kafka", f"storage not formatted: {done.stdout}{done.stderr}")

    def build_broker_program(self, *options: str) -> ChildProgram:
        """How the broker is run, with more options for Java in front."""
        return ChildProgram(
            name="kafka",
            command=(*_java(*MEMORY, *options), "kafka.Kafka", str(self._properties)),
            directory=self.folder,
        )

    def start_prepared_broker(self, program: ChildProgram) -> None:
        """Start the program of a configured broker, and wait until it answers a client."""
        log = self.folder / "kafka.log"
        self._child = children.spawn_program(program, log)
        deadline = time.monotonic() + START_TIMEOUT
        with ThreadPoolExecutor(1) as prober:  # a thread of its own: the caller's may run an event loop
            while not prober.submit(asyncio.run, self.is_ready()).result():
                if self._child.poll() is not None or time.monotonic() > deadline:
                    self.stop()
                    raise StartFailedError("kafka", f"did not start; see {log}")
                time.sleep(0.05)

    async def is_ready(self) -> bool:
        """Whether a client's question for the metadata is answered with a broker."""
        if not ports.is_port_answering(self.port):
            return False
        admin = AIOKafkaAdminClient(**build_kafka_options(self.access), request_timeout_ms=3000)
        try:
            await admin.start()
            return bool((await admin.describe_cluster())["brokers"])
        except (KafkaError, OSError):
            return False
        finally:
            await admin.close()

    async def create_topics(self, names: Collection[str]) -> None:
        """Create the topics that are missing; they keep everything."""
        admin = AIOKafkaAdminClient(**build_kafka_options(self.access))
        await admin.start()
        try:
            missing = sorted(set(names) - set(await admin.list_topics()))
            keep = {"retention.ms": "-1"}
            with contextlib.suppress(TopicAlreadyExistsError):
                await admin.create_topics([NewTopic(name, PARTITIONS, 1, topic_configs=keep) for name in missing])
            # A topic is told of before its partitions are, and nobody says when they are there.
            while any(len(topic["partitions"]) < PARTITIONS for topic in await admin.describe_topics(list(names))):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        finally:
            await admin.close()

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    @property
    def _properties(self) -> Path:
        return self.folder / "server.properties"


def ensure_archive() -> None:
    """Make the class-data archive, which halves the time of every later start, with a broker for one use."""
    if jars.ARCHIVE.exists():
        return
    with tempfile.TemporaryDirectory(prefix="goodstanding-kafka-") as folder:
        broker = KafkaServer(Path(folder))
        broker.write_broker_configuration()
        fresh = jars.ARCHIVE.with_suffix(f".{os.getpid()}")
        broker.start_prepared_broker(broker.build_broker_program(f"-XX:ArchiveClassesAtExit={fresh}"))
        broker.stop()
        if fresh.exists():
            fresh.replace(jars.ARCHIVE)


def _java(*options: str) -> tuple[str, ...]:
    archive = (f"-XX:SharedArchiveFile={jars.ARCHIVE}",) if jars.ARCHIVE.exists() else ()
    logging = f"-Dlog4j2.configurationFile=file:{jars.RECIPE / 'log4j2.xml'}"
    fixed = ("-Xshare:auto", "-Djava.awt.headless=true", logging, "-cp", jars.build_class_path())
    return (jars.find_java(), *archive, *options, *fixed)


def _cluster_id() -> str:
    """16 bytes in base64url; a leading dash would be taken for an option."""
    return base64.urlsafe_b64encode(uuid.uuid4().bytes).rstrip(b"=").decode().replace("-", "A")
