"""Customers are to be told the outcome: by when, and that they were."""

from services.escalation.repository import clock_queries
from services.escalation.tables import CaseRow
from services.escalation.use_cases.case_clocks import NEVER_OWED
from shared.persistence.database import Unit
from shared.pure.business_time import add_business_days

INFORM_BUSINESS_DAYS = 2
"""How long a known outcome may stay untold, by the calendar of the legal entity; later it is an alert."""


async def expect_outcome_contact(unit: Unit, row: CaseRow) -> None:
    """Set by when the customer of a case whose outcome is known now is to be told; a task has none."""
    if row.account_id is not None and row.kind not in NEVER_OWED:
        support = await clock_queries.get_support_of_accounts(unit, [row.account_id])
        row.inform_by = add_business_days(support[row.account_id].calendar, unit.now, INFORM_BUSINESS_DAYS)


def note_customer_informed(row: CaseRow) -> None:
    """Note that the customer was told, or is to be told nothing now."""
    row.inform_by = None
