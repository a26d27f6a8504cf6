"""Contacts with the customer are put on record: what closes the loop of a case."""

from uuid import UUID

from services.escalation.domain.cases import CaseState
from services.escalation.domain.state_moves import StateMoveRefused
from services.escalation.repository import case_queries, thread_queries
from services.escalation.tables import EntryRow
from services.escalation.use_cases.case_clocks import stop_first_answer_clock
from services.escalation.use_cases.cases import lock_case
from services.escalation.use_cases.informing import note_customer_informed
from shared.events.escalation import CustomerContacted
from shared.persistence.audit import AuditedChange
from shared.persistence.database import Unit
from shared.pure.ids import new_id


async def record_customer_contact(
    unit: Unit, case_id: UUID, channel: str, about_outcome: bool, comment: str, actor: str
) -> EntryRow:
    """Put on record that somebody spoke or wrote to the customer. Raises NotFound, StateMoveRefused."""
    case = await lock_case(unit, case_id)
    if case.state == CaseState.MERGED:
        raise StateMoveRefused(f"the case goes on as {case.merged_into}")
    contact_id = new_id()
    sequence = unit.publish(
        CustomerContacted(
            case_id=case_id,
            account_id=case.account_id,
            contact_id=contact_id,
            channel=channel,
            about_outcome=about_outcome,
        )
    )
    row = EntryRow(
        id=contact_id,
        case_id=case_id,
        account_id=case.account_id,
        kind="call" if channel == "phone" else "message",
        audience="customer",
        actor=actor,
        content=comment,
        details={},
        channel=channel,
        about_outcome=about_outcome,
        sequence=sequence,
        entered_at=unit.now,
    )
    await thread_queries.insert_thread_entry(unit, row)
    await stop_first_answer_clock(unit, case)
    if about_outcome and case.outcome_sequence is not None:
        note_customer_informed(case)
        await case_queries.save_case(unit, case)
    unit.record(AuditedChange("contact", row.id, row.account_id))
    return row
