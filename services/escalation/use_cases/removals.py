"""Words of people go: of closed cases and of mails of no case after a period, of a person when they are erased.

States, moves, times, money and numbers stay.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from services.escalation.repository import removal_queries
from services.escalation.tables import RetentionPeriodRow
from shared.persistence.audit import AuditedChange
from shared.persistence.database import Unit
from shared.pure.ids import new_id

MAX_CASES = 50
"""Closed cases whose words one unit removes, at most."""
MAX_ERASED_MAILS = 500
"""How many mails one request erases."""


async def remove_case_words(unit: Unit, subjects: list[str]) -> None:
    """Remove the words of closed cases of these subjects, which are locked; what is above a bound stays due."""
    await removal_queries.remove_words_of_cases(unit, [UUID(subject) for subject in subjects], MAX_CASES)


async def remove_unclaimed_mail_words(unit: Unit, mail_ids: list[str]) -> None:
    """Remove what mails say that are of no case."""
    await removal_queries.remove_mail_words(
        unit, await removal_queries.lock_unclaimed_mails(unit, [UUID(mail_id) for mail_id in mail_ids]), []
    )


async def delete_old_bounces(unit: Unit, bounce_ids: list[str]) -> None:
    """Delete bounces of other services' mails that were announced long ago."""
    await removal_queries.delete_other_bounces(unit, [UUID(bounce_id) for bounce_id in bounce_ids])


async def set_retention_period(unit: Unit, days: int, actor: str, reason: str) -> RetentionPeriodRow:
    """Set for how many days words are kept; it counts for what is closed already."""
    row = await removal_queries.get_case_retention_period(unit)
    before = row.model_dump(mode="json")
    row.sqlmodel_update({"days": days, "set_by": actor, "reason": reason, "set_at": unit.now})
    await removal_queries.save_case_retention_period(unit, row)
    unit.record(AuditedChange("retention_period", "1", None, before, row.model_dump(mode="json")))
    return row


@dataclass(frozen=True, slots=True)
class CorrespondenceErasure:
    """Result of one request: how many mails were erased, and whether nothing is left to be."""

    mails: int
    is_complete: bool


async def erase_correspondence(
    unit: Unit, contact_person_id: UUID | None, addresses: Sequence[str]
) -> CorrespondenceErasure:
    """Erase the words of mails that a contact person got or wrote, and of those that came from these addresses."""
    senders = sorted({address.lower() for address in addresses})
    seen = await removal_queries.list_remaining_mails(unit, contact_person_id, senders, MAX_ERASED_MAILS + 1)
    locked = {_get_subject(row) for row in seen}
    await unit.lock_subjects(*locked)
    await removal_queries.lock_inbound_mails(unit, [row["id"] for row in seen])
    rows = await removal_queries.list_remaining_mails(unit, contact_person_id, senders, MAX_ERASED_MAILS + 1)
    erased = [row for row in rows[:MAX_ERASED_MAILS] if _get_subject(row) in locked]
    mail_ids = [row["id"] for row in erased if row["direction"] == "in"]
    entry_ids = [row["entry_id"] for row in erased if row["entry_id"] is not None]
    await removal_queries.remove_mail_words(unit, mail_ids, entry_ids)
    object_type, object_id = ("contact_person", contact_person_id) if contact_person_id else ("erasure", new_id())
    unit.record(AuditedChange(object_type, object_id, None, None, {"mails": len(erased)}))
    return CorrespondenceErasure(len(erased), len(rows) == len(erased))


def _get_subject(row: Mapping[str, Any]) -> UUID:
    """Get what is locked while a mail is erased: its account, else its case, else the mail itself."""
    subject: UUID = row["account_id"] or row["case_id"] or row["id"]
    return subject
