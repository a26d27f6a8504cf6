"""The event backbone as the relay and the consumer of a process see it."""

from collections.abc import Iterable, Mapping

from prometheus_client import Counter, Gauge, Histogram

from shared.base import clock
from shared.base.kafka import MessageEnvelope

PUBLISHED = Counter("goodstanding_outbox_published", "Events that the broker has acknowledged.", ("topic",))
TAKEOVERS = Counter("goodstanding_relay_takeovers", "Times that a relay of this process became the one that sends.")
LEADING = Gauge(
    "goodstanding_relay_leading", "Whether the relay of this process is the one that sends (1) or waits (0)."
)
RELAY_RESTARTS = Counter("goodstanding_relay_restarts", "Times that the relay has started afresh after an error.")

EVENTS = Counter(
    "goodstanding_consumer_events",
    "Events read, by outcome: handled; passed (no handler); unknown (a type that is not in the catalogue); dropped"
    " (not newer than what was applied); parked (behind another or ahead of its turn); head (broke); unreadable;"
    " foreign (of a source or type that is not its topic's, so dropped);"
    " backfilled (of the past, applied).",
    ("topic", "outcome"),
)
RETRIED = Counter("goodstanding_consumer_retries", "Batches that are read again, since Postgres was away.", ("topic",))
REBALANCES = Counter("goodstanding_consumer_rebalances", "Times that partitions were assigned to this process.")
LOST = Counter("goodstanding_consumer_partitions_lost", "Batches dropped, since another member had taken over.")
CONSUMER_RESTARTS = Counter("goodstanding_consumer_restarts", "Times that the consumer began with a new client.")
STUCK = Gauge("goodstanding_consumer_stuck", "Whether nothing advances though there is something to read.")
LAG = Gauge("goodstanding_consumer_lag_messages", "Messages on a partition not applied yet.", ("topic", "partition"))
BEHIND_SINCE = Gauge(
    "goodstanding_consumer_behind_since_timestamp_seconds",
    "Since when a partition has something that is not applied (at the latest); 0 if nothing.",
    ("topic", "partition"),
)
EFFECT = Histogram(
    "goodstanding_event_effect_seconds",
    "From the record of a fact to its effect in another service.",
    ("topic",),
    buckets=(0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800),
)


class ConsumerLag:
    """How far the partitions of a consumer are behind, and since when."""

    def __init__(self) -> None:
        self._since: dict[tuple[str, int], float] = {}

    def record_positions(self, places: Iterable[tuple[str, int, int, int | None]]) -> None:
        """Note topic, partition, position and the end as far as it is known, of each partition held now."""
        now, assigned = clock.read_system_clock().timestamp(), set[tuple[str, int]]()
        for topic, partition, position, end in places:
            assigned.add((topic, partition))
            lag = max(0, (end or 0) - position)
            since = self._since.setdefault((topic, partition), now) if lag else 0.0
            if not lag:
                self._since.pop((topic, partition), None)
            LAG.labels(topic, str(partition)).set(lag)
            BEHIND_SINCE.labels(topic, str(partition)).set(since)
        self._forget(assigned)

    def record_last_applied_time(self, topic: str, partition: int, recorded: float) -> None:
        """Record the time (seconds since 1970) of the message applied last: what is not applied yet is younger."""
        if (topic, partition) in self._since:
            self._since[topic, partition] = max(self._since[topic, partition], recorded)

    def _forget(self, assigned: set[tuple[str, int]]) -> None:
        """Partitions of other members are theirs to tell of."""
        for key in {key for key in self._since if key not in assigned}:
            del self._since[key]
        shown_labels = {tuple(sample.labels.values()) for metric in LAG.collect() for sample in metric.samples}
        for labels in shown_labels - {(topic, str(partition)) for topic, partition in assigned}:
            LAG.remove(*labels)
            BEHIND_SINCE.remove(*labels)


def count_committed_batch(topic: str, counts: Mapping[str, int], effects: Iterable[MessageEnvelope]) -> None:
    """Count a batch that was committed."""
    for outcome, number in counts.items():
        EVENTS.labels(topic, outcome).inc(number)
    now = clock.read_system_clock()
    for event in effects:
        EFFECT.labels(topic).observe(max(0.0, (now - event.recorded_at).total_seconds()))
