"""Report of a batch once it is committed: log lines and counts."""

from collections.abc import Mapping, Sequence

from shared.base.metrics import backbone
from shared.base.telemetry import log
from shared.messaging.consumer.batch import HandledEvent


def report_committed_batch(topic: str, counts: Mapping[str, int], handled: Sequence[HandledEvent]) -> None:
    """Count and tell what was committed: one line for each event that had its effect, within its trace."""
    backbone.count_committed_batch(topic, counts, (each.event for each in handled))
    if foreign := counts.get("foreign"):
        log.error("messages of a foreign source or type dropped", topic=topic, count=foreign)
    for each in handled:
        place = {"type": each.event.type, "id": each.event.id, "subject": each.event.subject}
        trace_ids = {"trace_id": f"{each.span.trace_id:032x}", "span_id": f"{each.span.span_id:016x}"}
        log.info("handled", **place, sequence=each.event.sequence, **trace_ids)
