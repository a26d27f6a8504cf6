"""Everything open for a customer, at one glance."""

from uuid import UUID

from pydantic import BaseModel, Field

from services.escalation.api.case_bodies import CaseOut, build_case_fields
from services.escalation.api.dispute_bodies import DisputeOut
from services.escalation.api.ticket_bodies import VendorTicketOut
from services.escalation.repository import case_search, dispute_queries, invoicing_copies, ticket_queries
from shared.persistence.database import Unit
from shared.pure.fields import get_model_example, set_model_example
from shared.web.auth import needs
from shared.web.http import PROBLEMS, Read, Router

reads = Router(prefix="/v1/accounts", tags=["cases"], dependencies=[needs("escalation:read")], responses=PROBLEMS)

MAX_SHOWN = 200
"""How many open cases, and how many disputes or tickets, are shown of an account."""


class AccountSupportOut(BaseModel):
    """Everything open for a customer: cases, disputes and tickets at the vendor, the newest first."""

    model_config = set_model_example(
        account_id="01a20d60-7458-729b-b244-54f33ab0c1d2",
        cases=[get_model_example(CaseOut)],
        disputes=[get_model_example(DisputeOut)],
        vendor_tickets=[get_model_example(VendorTicketOut)],
        is_complete=True,
    )

    account_id: UUID
    cases: list[CaseOut]
    disputes: list[DisputeOut]
    vendor_tickets: list[VendorTicketOut] = Field(description="those that the vendor has not closed")
    is_complete: bool = Field(description=f"false where there are more than {MAX_SHOWN} of one kind")


@reads.get("/{account_id}/support", summary="What is open for a customer")
async def get_account_support(account_id: UUID, read: Read) -> AccountSupportOut:
    """Everything that is open for an account, in one answer."""

    async def load(unit: Unit) -> AccountSupportOut:
        await invoicing_copies.check_account_exists(unit, account_id)
        cases = await case_search.list_open_cases(unit, account_id, MAX_SHOWN + 1)
        tickets = await ticket_queries.list_unsolved_tickets(unit, account_id, MAX_SHOWN + 1)
        undecided = await dispute_queries.list_undecided_disputes(unit, account_id, MAX_SHOWN + 1)
        return AccountSupportOut(
            account_id=account_id,
            cases=[CaseOut(**build_case_fields(row)) for row in cases[:MAX_SHOWN]],
            vendor_tickets=[VendorTicketOut.from_row(row) for row in tickets[:MAX_SHOWN]],
            is_complete=max(len(cases), len(undecided), len(tickets)) <= MAX_SHOWN,
            disputes=[DisputeOut.from_row(row) for row in undecided[:MAX_SHOWN]],
        )

    return await read(load)
