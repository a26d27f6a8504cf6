"""What a consumer tells of a batch once it is committed."""

from collections.abc import Mapping, Sequence

from shared.base.metrics import backbone
from shared.base.telemetry import log
from shared.messaging.consumer.batch import Handled


def tell(topic: str, counts: Mapping[str, int], handled: Sequence[Handled]) -> None:
    """Count and tell what was committed: one line for each event that had its effect, within its trace."""
    backbone.applied(topic, counts, (one.event for one in handled))
    if foreign := counts.get("foreign"):
        log.error("messages of a foreign source or type dropped", topic=topic, count=foreign)
    for one in handled:
        place = {"type": one.event.type, "id": one.event.id, "subject": one.event.subject}
        trace_ids = {"trace_id": f"{one.span.trace_id:032x}", "span_id": f"{one.span.span_id:016x}"}
        log.info("handled", **place, sequence=one.event.sequence, **trace_ids)
