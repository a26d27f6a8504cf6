"""Kafka clients as this product uses them, and messages as envelopes (CloudEvents 1.0, binary mode)."""

import asyncio
import contextlib
from collections.abc import Awaitable
from dataclasses import dataclass
from datetime import datetime

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError, ProducerClosed

from shared.base.connections.access import KafkaAccess
from shared.base.connections.kafka import build_kafka_options

CLIENT_TIMEOUT = 15.0
"""aiokafka's start and stop can hang on a half-dead broker; past this they are given up (seconds)."""
STOP_TIMEOUT = 3.0
"""The same for what a client still does when it ends: a process is gone within 10 s of SIGTERM."""
CLOSE_TIMEOUT = 1.0
"""How long the connections of a client may take to close that did not stop in good order (seconds)."""
SESSION_TIMEOUT = 10.0
"""A member that is silent for so long has left its group (seconds); its successor waits for that."""

ANSWER_WITHIN = 3.0
"""How long the broker may take to say where its partitions end (seconds)."""

LONGEST_SUBJECT = 255
"""Characters; more is no subject of ours, and would not fit into an index."""
LARGEST_SEQUENCE = 2**63 - 1


class Unreadable(Exception):
    """A message on a topic that is not one of ours: no CloudEvents headers, subject or sequence."""


@dataclass(frozen=True, slots=True)
class MessageEnvelope:
    """A received message: the CloudEvents attributes, where it stood, and the payload as it came."""

    id: str
    type: str
    source: str
    subject: str
    sequence: int
    time: datetime
    traceparent: str
    topic: str
    headers: dict[str, str]
    payload: bytes
    is_past: bool = False
    """Whether it was published before the service began to consume it: then it sets state, and calls nobody."""

    @property
    def recorded_at(self) -> datetime:
        """When the fact was recorded, by the system's clock; when it occurred, if a producer does not say."""
        try:
            at = datetime.fromisoformat(self.headers.get("ce_recordedtime", ""))
        except ValueError:
            return self.time
        return at if at.tzinfo else self.time


def parse_message_envelope(
    topic: str, headers: dict[str, str], payload: bytes, *, is_past: bool = False
) -> MessageEnvelope:
    """The envelope of a message. Raises Unreadable."""
    try:
        read = MessageEnvelope(
            id=headers["ce_id"],
            type=headers["ce_type"],
            source=headers["ce_source"],
            subject=headers["ce_subject"],
            sequence=int(headers["ce_sequence"]),
            time=datetime.fromisoformat(headers["ce_time"]),
            traceparent=headers.get("traceparent", ""),
            topic=topic,
            headers=headers,
            payload=payload,
            is_past=is_past,
        )
    except (KeyError, ValueError) as error:
        raise Unreadable(f"no event of ours: {error!r}") from error
    if any("\0" in text for text in headers.values()):
        raise Unreadable("no event of ours: a header has a NUL character")
    if not (1 <= read.sequence <= LARGEST_SEQUENCE and 1 <= len(read.subject) <= LONGEST_SUBJECT):
        raise Unreadable("no event of ours: its sequence or subject is out of bounds")
    return read


def read_message_headers(record: ConsumerRecord) -> dict[str, str]:
    """A record's headers as text; one without a value is left out."""
    return {name: value.decode("utf-8", "replace") for name, value in record.headers if value is not None}


def create_kafka_producer(access: KafkaAccess) -> AIOKafkaProducer:
    """An idempotent producer; `linger_ms=0`, because aiokafka really waits for it."""
    return AIOKafkaProducer(
        **build_kafka_options(access),
        enable_idempotence=True,
        acks="all",
        linger_ms=0,
        compression_type=None,
        request_timeout_ms=10_000,
        max_request_size=2 * 1024 * 1024,
    )


def create_kafka_consumer(access: KafkaAccess, group: str) -> AIOKafkaConsumer:
    """A member of a group that commits by itself only what is in the database already."""
    return AIOKafkaConsumer(
        **build_kafka_options(access),
        group_id=group,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        session_timeout_ms=int(SESSION_TIMEOUT * 1000),
        heartbeat_interval_ms=1_000,
        max_poll_interval_ms=300_000,
        fetch_max_wait_ms=500,
        max_poll_records=500,
    )


async def await_with_timeout(call: Awaitable[object], timeout: float = CLIENT_TIMEOUT) -> None:
    """Wait for a client's start or stop, but not for ever. Raises TimeoutError."""
    async with asyncio.timeout(timeout):
        await call


async def start_client(client: AIOKafkaConsumer | AIOKafkaProducer) -> None:
    """Start a client, but do not wait for ever. Raises TimeoutError, and what the client raises.

    A start that is cancelled comes to its end first: aiokafka would forget the connection that it made.
    """
    starting = asyncio.ensure_future(await_with_timeout(client.start()))
    try:
        await asyncio.shield(starting)
    except asyncio.CancelledError:
        await asyncio.wait([starting], timeout=STOP_TIMEOUT)
        starting.cancel()
        await asyncio.gather(starting, return_exceptions=True)
        raise


async def stop_client(client: AIOKafkaConsumer | AIOKafkaProducer) -> None:
    """Stop a client in good order; where that fails or takes too long, only close its connections."""
    try:
        await await_with_timeout(client.stop(), STOP_TIMEOUT)
    except (KafkaError, TimeoutError):
        with contextlib.suppress(KafkaError, TimeoutError):
            await await_with_timeout(_abandon(client), CLOSE_TIMEOUT)


async def _abandon(client: AIOKafkaConsumer | AIOKafkaProducer) -> None:
    """End what runs in a client, then close its connections; aiokafka itself offers no end without good order.

    What still ran would open connections again, and take the client back into its group as a member that reads nothing.
    """
    if isinstance(client, AIOKafkaProducer):
        client._message_accumulator.fail_all(ProducerClosed())  # whoever waits for a batch, waits for ever otherwise
    running = [task for task in _list_client_tasks(client) if task is not None and not task.done()]
    for task in running:
        task.cancel()
    if running:
        ended, _ = await asyncio.wait(running, timeout=CLOSE_TIMEOUT / 2)
        await asyncio.gather(*ended, return_exceptions=True)
    await (client.client if isinstance(client, AIOKafkaProducer) else client._client).close()


def _list_client_tasks(client: AIOKafkaConsumer | AIOKafkaProducer) -> list[asyncio.Task[None] | None]:
    """The tasks that aiokafka began for a client, except those that its connections end."""
    if isinstance(client, AIOKafkaProducer):
        return [client._sender.sender_task]
    tasks = []
    if client._coordinator is not None:
        of_a_group = ("_coordination_task", "_heartbeat_task", "_commit_refresh_task")
        tasks += [getattr(client._coordinator, name, None) for name in (*of_a_group, "_reset_committed_task")]
    if client._fetcher is not None:
        tasks += [client._fetcher._fetch_task, *client._fetcher._pending_tasks]
    return tasks


def find_partition_end_offset(client: AIOKafkaConsumer, at: TopicPartition) -> int | None:
    """Where a partition ends, as far as the broker has said; None for one that was just taken away."""
    return client.highwater(at) if at in client.assignment() else None


async def is_broker_reachable(client: AIOKafkaConsumer) -> bool:
    """Whether the broker is there: while it is away aiokafka just reads nothing, without a word."""
    try:
        async with asyncio.timeout(ANSWER_WITHIN):
            await client.end_offsets(client.assignment())
    except (KafkaError, TimeoutError):
        return False
    return True
