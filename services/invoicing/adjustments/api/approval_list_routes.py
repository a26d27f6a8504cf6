"""Refunds and write-offs over REST, those that wait for a second person and those that were decided."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import Query

from services.invoicing.adjustments.api.approval_routes import ApprovalOut
from services.invoicing.adjustments.repository.approval_search import ApprovalSearchCriteria, search_approvals
from services.invoicing.payments.api.payment_routes import LineAmount
from services.invoicing.settings.domain.approval_states import ApprovalState
from shared.pure.fields import Instant
from shared.web.auth import needs
from shared.web.http import PROBLEMS, Page, Paging, PagingById, Read, Router

reads = Router(prefix="/v1", dependencies=[needs("invoicing:read")], responses=PROBLEMS)

StateQuery = Annotated[ApprovalState | None, Query(description="proposed: waits for a second person")]
AccountQuery = Annotated[UUID | None, Query()]
SinceQuery = Annotated[Instant | None, Query(description="proposed then or later")]


async def _list_page(
    read: Read,
    paging: PagingById,
    kind: Literal["refund", "write_off"],
    state: ApprovalState | None,
    account_id: UUID | None,
    since: Instant | None,
) -> Page[ApprovalOut]:
    criteria, after = ApprovalSearchCriteria(kind, state and state.value, account_id, since), paging.get_last_id()
    rows = await read(lambda unit: search_approvals(unit, criteria, after, paging.limit + 1))
    approvals = [
        ApprovalOut.model_validate({**row, "lines": LineAmount.list_from_line_amounts(row["lines"])}) for row in rows
    ]
    return paging.page(approvals, key=lambda approval: approval.id)


@reads.get("/refunds", summary="List refunds", tags=["refunds"])
async def list_refunds(
    read: Read, paging: Paging, state: StateQuery = None, account_id: AccountQuery = None, since: SinceQuery = None
) -> Page[ApprovalOut]:
    """Refunds in the order of their ids, which is that in which they were proposed."""
    return await _list_page(read, paging, "refund", state, account_id, since)


@reads.get("/write-offs", summary="List write-offs", tags=["write-offs"])
async def list_write_offs(
    read: Read, paging: Paging, state: StateQuery = None, account_id: AccountQuery = None, since: SinceQuery = None
) -> Page[ApprovalOut]:
    """Write-offs in the order of their ids, which is that in which they were wanted."""
    return await _list_page(read, paging, "write_off", state, account_id, since)
