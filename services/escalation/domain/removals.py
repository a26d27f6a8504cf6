"""Rules of what goes with the words of people, and of what stays."""

from datetime import datetime, timedelta
from typing import ClassVar

from shared.pure.errors import Refusal

REMOVED = "removed"
"""Mark in the place of words of a case that was closed; what was empty stays empty."""
MIN_RETENTION_DAYS = 31
"""Words are kept at least until a closed case can be opened no more."""
MAX_RETENTION_DAYS = 36_600
KEPT_DETAILS = frozenset(
    {
        "admitted_dispute",
        "assignee",
        "attachment_id",
        "contact_person_id",
        "credit_note",
        "from",
        "inbound_mail_id",
        "incident",
        "is_automatic",
        "is_cut",
        "is_solved",
        "linked",
        "media_type",
        "new_evidence",
        "number",
        "queue",
        "resource_id",
        "result",
        "service_credit",
        "severity",
        "sha256",
        "size_bytes",
        "state",
        "status",
        "to",
        "took_in",
        "total_minor",
        "unlinked",
        "unread_answers",
        "vendor_dispute",
        "vendor_ticket",
        "waived",
    }
)
"""Details of an entry that are ids, codes, states and numbers; all others may have words, and go."""


def is_retention_over(since: datetime, days: int, now: datetime) -> bool:
    """Say whether words that are kept since an instant are to be removed: so many days of 24 hours have passed.

    `repository.removal_queries.IS_RETENTION_OVER` finds the cases and mails by it.
    """
    return since <= now - timedelta(days=days)


class CaseContentRemoved(Refusal):
    """It was here, and was removed for good."""

    code: ClassVar[str] = "content_removed"
    status: ClassVar[int] = 410
