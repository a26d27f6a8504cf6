"""One member of a service's consumer group.

The database is the authority on who owns a partition and what was applied of it (`ownership`). Offsets go to Kafka
afterwards, for its own tools and for whoever looks at the lag there.
"""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Sequence

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from shared.base import kafka
from shared.base.connections.kafka import read_kafka_file_state, start_client
from shared.base.connections.tls import describe_tls_refusal
from shared.base.health import Health
from shared.base.metrics import backbone
from shared.base.retries import restart_on_error
from shared.base.settings import Settings
from shared.base.telemetry import log
from shared.messaging.consumer.backfill import apply_past_events, lock_backfill
from shared.messaging.consumer.batch import EventHandlerFailed, HandledEvent, MessageBatch
from shared.messaging.consumer.batch_report import report_committed_batch
from shared.messaging.consumer.consumer_watch import ConsumerProgress, ConsumerWatch
from shared.messaging.consumer.handlers import EventHandlers
from shared.messaging.consumer.ownership import (
    PartitionLost,
    lock_topic_partition,
    own_topic_partition,
    register_partitions,
    save_offset,
)
from shared.messaging.consumer.record_reading import read_events
from shared.persistence import parked_events
from shared.persistence.database import Unit, Units
from shared.pure.errors import Unavailable
from shared.pure.ids import new_id

COMMIT_EVERY = 2.0
"""How often offsets are told to Kafka (seconds)."""


class BatchOutOfOrder(Exception):
    """The batch does not go on where the database is; `next_offset` says where that is."""

    def __init__(self, next_offset: int) -> None:
        super().__init__(next_offset)
        self.next_offset = next_offset


class EventConsumer(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka has no types
    """Reads the topics that its handlers name, until it is cancelled."""

    def __init__(self, service: str, handlers: EventHandlers, units: Units, settings: Settings, health: Health) -> None:
        self._group = service
        self._handlers = handlers
        self._units = units
        self._settings = settings
        self._health = health
        self._owner = new_id()
        self._client: AIOKafkaConsumer | None = None
        self._secrets: object = None
        """State of the files that the client was made of."""
        self._in_doubt = False
        """Whether an assignment was not noted: aiokafka only logs what its listener raises, so the loop looks."""
        self._past: set[TopicPartition] = set()
        """Partitions of which the past of new types is read, before anything newer."""
        self._sought: dict[TopicPartition, int] = {}
        """Where a partition is read again, since what was in hand lay further ahead."""
        self.counts: Counter[str] = Counter()
        self.progress = ConsumerProgress()
        self._lag = backbone.ConsumerLag()
        for topic in handlers.list_topics():
            backbone.EVENTS.labels(topic, "foreign")  # from 0 on, so that the first one is an increase

    async def run(self) -> None:
        """Consume; after any error of Kafka with a new client, and wait while Postgres is away."""
        watch = ConsumerWatch(self.progress, self._handlers.list_topics(), self._settings, self._stuck)
        watch.start()
        try:
            await restart_on_error(self._live, self._broke)
        finally:
            watch.finish()

    async def _live(self) -> None:
        await self._units.run(self._register)
        await self._wait_while_stopped()
        await self._consume()

    def _broke(self, error: BaseException) -> None:
        if isinstance(error, Unavailable):
            self._wait_for_postgres()
        else:
            backbone.CONSUMER_RESTARTS.inc()
            log.warning("consumer starts afresh", error=repr(error))
            self._say(describe_tls_refusal(error) or f"starting afresh after {type(error).__name__}", well=False)

    def _say(self, state: str, *, well: bool) -> None:
        self.progress.state = state
        self._health.set_health("consumer", well, state)

    def _wait_for_postgres(self) -> None:
        self._say("waiting for Postgres", well=False)
        self.progress.record_consumer_advance()  # each attempt reads again, and looks busy while it waits for a lock

    def _stuck(self) -> None:
        backbone.STUCK.set(1)
        self._health.set_health("consumer", False, "stuck: nothing has advanced, though there is something to read")

    async def _register(self, unit: Unit) -> None:
        await register_partitions(unit, self._handlers.list_topics())

    async def _wait_while_stopped(self) -> None:
        while reason := await self._units.run(lambda unit: parked_events.find_group_stop_reason(unit.connection)):
            self._say("stopped", well=False)
            log.error("the consumer group is stopped until it is told to go on", why=reason)
            await asyncio.sleep(1)

    async def _consume(self) -> None:
        self._secrets = read_kafka_file_state(self._settings)
        client = kafka.create_kafka_consumer(self._settings, self._group)
        client.subscribe(self._handlers.list_topics(), listener=self)
        self._client = client
        self._in_doubt = False
        try:
            await start_client(kafka.start_client(client), self._settings)
            await self._read(client)
        finally:
            with contextlib.suppress(KafkaError, TimeoutError):
                await kafka.await_with_timeout(self._tell_kafka(client), kafka.STOP_TIMEOUT)
            await kafka.stop_client(client)
            self._client = None
            self.progress.positions = {}
            self._lag.record_positions(())

    async def _read(self, client: AIOKafkaConsumer) -> None:
        told_at = asyncio.get_running_loop().time()
        while not await self._is_stopped_by_flood():
            batches: dict[TopicPartition, list[ConsumerRecord]] = await client.getmany(timeout_ms=1000)
            if self._in_doubt:
                raise Unavailable("the database did not note which partitions are ours")
            if batches or await kafka.is_broker_reachable(client):
                self._say("reading", well=True)
            elif self._secrets != read_kafka_file_state(self._settings):
                raise ConnectionError("the secrets for the broker were replaced since this client was made")
            else:
                self._say("the broker does not answer", well=False)
            for partition, records in batches.items():
                await self._apply(partition, records)
            self._measure(client)
            if asyncio.get_running_loop().time() - told_at > COMMIT_EVERY:
                await self._tell_kafka(client)
                told_at = asyncio.get_running_loop().time()

    def _measure(self, client: AIOKafkaConsumer) -> None:
        positions = self.progress.positions
        places = ((*at, position, kafka.find_partition_end_offset(client, at)) for at, position in positions.items())
        self._lag.record_positions(places)

    async def _is_stopped_by_flood(self) -> bool:
        if not self.counts["heads"]:
            return False
        self.counts["heads"] = 0
        limit, window = self._settings.flood_heads, self._settings.flood_window
        return await self._units.run(lambda unit: parked_events.stop_flooded_group(unit.connection, limit, window))

    async def _apply(self, partition: TopicPartition, records: Sequence[ConsumerRecord]) -> None:
        assert self._client is not None
        try:
            await self._apply_or_park(partition, records)
        except PartitionLost:
            backbone.LOST.inc()
            log.info("partition lost, batch dropped", topic=partition.topic, partition=partition.partition)
            self._sought.pop(partition, None)
            return
        except BatchOutOfOrder as behind:
            self._client.seek(partition, behind.next_offset)
            self._sought[partition] = behind.next_offset
            return
        except Unavailable:
            self._wait_for_postgres()
            backbone.RETRIED.labels(partition.topic).inc()
            self._client.seek(partition, records[0].offset)  # what was applied of them is passed over then
            await asyncio.sleep(0.5)
            return
        self._sought.pop(partition, None)
        self._lag.record_last_applied_time(partition.topic, partition.partition, records[-1].timestamp / 1000)

    async def _apply_or_park(self, partition: TopicPartition, records: Sequence[ConsumerRecord]) -> None:
        """A batch that fails is applied one by one; the event that fails alone becomes a head."""
        try:
            await self._in_one_unit(partition, records)
        except EventHandlerFailed as failed:
            if len(records) > 1:
                for record in records:
                    await self._apply_or_park(partition, [record])
            else:
                await self._park(partition, failed)
                await self._apply_or_park(partition, records)

    async def _park(self, partition: TopicPartition, failed: EventHandlerFailed) -> None:
        error = parked_events.describe_error(failed.__cause__)

        async def park(unit: Unit) -> None:
            await lock_topic_partition(unit, partition, self._owner)
            await parked_events.park_event(unit.connection, failed.event, error)

        await self._units.run(park)
        log.error("event parked", id=failed.event.id, type=failed.event.type, exc_info=failed)
        self.counts["heads"] += 1
        backbone.count_committed_batch(partition.topic, {"head": 1}, ())

    async def _in_one_unit(self, partition: TopicPartition, records: Sequence[ConsumerRecord]) -> None:
        if partition in self._past:
            await self._apply_past(partition, records)
            return
        counts, handled = Counter[str](), list[HandledEvent]()

        async def apply(unit: Unit) -> None:
            counts.clear()  # of an attempt that was not committed
            handled.clear()
            place = await lock_topic_partition(unit, partition, self._owner)
            # aiokafka reads before it is told from where, so what is in hand may lie beyond what was dropped. Only
            # what is read from the noted offset and still begins later has nothing before it on the topic.
            if records[0].offset > place.next_offset != self._sought.get(partition):
                raise BatchOutOfOrder(place.next_offset)
            fresh = [record for record in records if record.offset >= place.next_offset]
            if events := await read_events(unit, fresh, place.past_until, counts):
                batch = MessageBatch(unit, self._handlers, counts, handled, together=len(records) > 1)
                await batch.apply_messages(partition.topic, events)
            await save_offset(unit, partition, records[-1].offset + 1)

        await self._units.run(apply)
        self.progress.record_partition_position(partition, records[-1].offset + 1)
        self.counts += counts
        report_committed_batch(partition.topic, counts, handled)

    async def _apply_past(self, partition: TopicPartition, records: Sequence[ConsumerRecord]) -> None:
        """Apply a batch of a partition's past; at its end go on with what is new."""

        async def apply(unit: Unit) -> tuple[Counter[str], int]:
            after = (await lock_topic_partition(unit, partition, self._owner)).next_offset
            past = await lock_backfill(unit, partition)
            assert past is not None, "who owns a partition knows whether its past is read"
            if records[0].offset > past.next_offset != self._sought.get(partition):
                raise BatchOutOfOrder(past.next_offset)
            return await apply_past_events(unit, self._handlers, past, records), after

        counts, after = await self._units.run(apply)
        self.progress.record_partition_position(partition, after if counts["finished"] else records[-1].offset + 1)
        backbone.count_committed_batch(partition.topic, {"backfilled": counts["backfilled"]}, ())
        if counts["finished"]:
            assert self._client is not None
            self._past.discard(partition)
            self._client.seek(partition, after)
            log.info("the past of new types is applied", topic=partition.topic, partition=partition.partition)

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        """Own the partitions (waiting for a batch of their former owner) and go on where the database says."""
        try:
            assert self._client is not None
            self._client.pause(*assigned)  # what is read too early is dropped, and read again half a second later
            ends = await self._client.end_offsets(assigned)
            for partition in assigned:
                await self._own(partition, ends[partition])
        except Exception:
            self._in_doubt = True
            raise
        self.progress.record_consumer_advance()
        backbone.REBALANCES.inc()
        backbone.STUCK.set(0)

    async def _own(self, partition: TopicPartition, end: int) -> None:
        assert self._client is not None
        offset, past = await self._units.run(
            lambda unit: own_topic_partition(unit, self._handlers, partition, self._owner, end)
        )
        position = offset if past is None else past
        if past is None:
            self._past.discard(partition)
        else:
            self._past.add(partition)
            log.info("the past of new types is read", topic=partition.topic, partition=partition.partition)
        self._client.seek(partition, position)
        self._client.resume(partition)
        self.progress.record_partition_position(partition, position)

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        """Forget the partitions; the database knows how far they were read."""
        self.progress.forget_partitions(revoked)

    async def _tell_kafka(self, client: AIOKafkaConsumer) -> None:
        positions = {at: offset for at, offset in self.progress.positions.items() if offset and at not in self._past}
        try:
            if positions:
                await client.commit(positions)
        except KafkaError as error:
            log.info("offsets not told to Kafka", error=repr(error))
