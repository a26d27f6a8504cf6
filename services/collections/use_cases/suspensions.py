"""A person releases a suspension, though the debt stands."""

from datetime import date
from uuid import UUID

from services.collections.domain import suspension_decision
from services.collections.domain.account_decision import settle_account
from services.collections.domain.suspension_record import SuspensionRecord
from services.collections.repository import suspension_queries
from services.collections.use_cases import account_evaluation
from shared.persistence.audit import AuditedChange
from shared.persistence.database import Unit
from shared.pure.calendar import ONE_DAY, get_local_date
from shared.pure.errors import Refusal

MAX_RELEASE_DAYS = 365


class SuspensionReleaseRefused(Refusal):
    """A release ends today or later, and within a year."""

    code = "release_refused"
    status = 422


async def release_suspension(unit: Unit, suspension_id: UUID, until: date, reason: str) -> SuspensionRecord:
    """Release a suspension until the end of a local day, though the debt stands.

    Raises NotFound, SuspensionReleaseRefused, SuspensionMoveRefused. It is a fact of each invoice that caused it: the
    step counts as taken until then; after it, access ends again only after a new notice and its days.
    """
    suspension = await suspension_queries.get_suspension(unit, suspension_id)
    await unit.lock_subjects(suspension.account_id)
    suspension = await suspension_queries.get_suspension(unit, suspension_id)
    draft = await account_evaluation.load_account_draft(unit, suspension.account_id)
    _check_end_of_release(until, get_local_date(unit.now, draft.account.zone))
    before = {"state": suspension.state}
    suspension_decision.end_suspension_by_release(draft, suspension, until, reason)
    settle_account(draft)
    await account_evaluation.apply_account_decisions(unit, [draft.finish()])
    suspension = await suspension_queries.get_suspension(unit, suspension_id)
    after = {"state": suspension.state, "until": until}
    unit.record(AuditedChange("suspension", suspension_id, suspension.account_id, before, after))
    return suspension


def _check_end_of_release(until: date, today: date) -> None:
    if until < today:
        raise SuspensionReleaseRefused(f"until: a release lasts to the end of {today} at the earliest")
    if until > today + MAX_RELEASE_DAYS * ONE_DAY:
        raise SuspensionReleaseRefused(f"until: a release lasts at most {MAX_RELEASE_DAYS} days")
