"""Report of a run, counted from what the services published, never from the driver's own bookkeeping."""

from collections import Counter
from collections.abc import Sequence

from sandbox.topics import PublishedEvent

STEPS = ("upcoming", "reminder_1", "reminder_2", "final_notice")


def compute_replay_figures(events: Sequence[PublishedEvent]) -> dict[str, int]:
    """The figures of a replay; amounts in minor units. Messages are those made of policy steps."""
    kinds = Counter(event.name for event in events)
    notices = [event.payload for event in events if event.name == "NoticeSent" and event.payload["kind"] == "steps"]
    steps = Counter(item["step"] for notice in notices for item in notice["items"])
    outcomes = Counter(event.payload["outcome"] for event in events if event.name == "DisputeResolved")
    issued = [event.payload["balance"]["total_minor"] for event in events if event.name == "InvoiceIssued"]
    overdue = {event.payload["balance"]["invoice_id"] for event in events if event.name == "InvoiceOverdue"}
    return {
        "accounts": kinds["AccountRegistered"],
        "invoices": len(issued),
        "invoiced_minor": sum(issued),
        "payments": kinds["PaymentReceived"],
        "disputes_opened": kinds["DisputeOpened"],
        "disputes_rejected": outcomes["rejected"],
        "invoices_overdue": len(overdue),
        "cases_opened": kinds["DunningCaseOpened"],
        "cases_closed": kinds["DunningCaseClosed"],
        **{f"step_{name}": steps[name] for name in STEPS},
        "notice_messages": len(notices),
        "suspensions": kinds["SubscriptionSuspended"],
        "reinstatements": kinds["SubscriptionReinstated"],
        "terminations": kinds["SubscriptionTerminated"],
    }
