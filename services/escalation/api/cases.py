"""Cases over REST: opened, found, changed and linked."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Header, Query, Response
from pydantic import BaseModel

from services.escalation import use_cases
from services.escalation.api.case_bodies import (
    CaseChange,
    CaseDetailsOut,
    CaseIn,
    CaseLinkOut,
    CaseLinksIn,
    CaseOut,
    CasePatch,
    FoundCasesOut,
    LinkKind,
    WaitingSide,
    build_case_fields,
)
from services.escalation.api.chargebacks import find_chargeback_out
from services.escalation.domain.cases import CaseState
from services.escalation.domain.state_moves import StateMoveRefused
from services.escalation.repository import case_queries, case_search
from services.escalation.repository.case_search import CaseCriteria, CaseSearchTooWide
from services.escalation.use_cases.case_changes import CaseSeverityRefused
from services.escalation.use_cases.cases import CaseLink
from shared.events.escalation import CaseKind, Severity
from shared.persistence.audit import AuditedChange
from shared.persistence.database import Unit
from shared.pure.actor_names import fold_actor_name
from shared.pure.fields import NEEDED, Code, Instant, Name, get_model_example, set_model_example
from shared.web.auth import needs
from shared.web.commands import ChangeRunner, CommandRunner, perform_change, perform_command
from shared.web.http import ETAG, PROBLEMS, Page, Paging, Read, Router, refusals, write_json_answer
from shared.web.merge_patches import merge_patch
from shared.web.versions import ChangedMeanwhile, IfMatchMissing, build_etag, parse_if_match

reads = Router(prefix="/v1/cases", tags=["cases"], dependencies=[needs("escalation:read")], responses=PROBLEMS)
writes = Router(prefix="/v1/cases", tags=["cases"], dependencies=[needs("escalation:write")], responses=PROBLEMS)
overviews = Router(tags=["cases"], dependencies=[needs("escalation:read")], responses=PROBLEMS)


class CaseCountOut(BaseModel):
    """How many cases of a queue are in a state."""

    model_config = set_model_example(queue="billing", state="new", cases=12)

    queue: str
    state: CaseState
    cases: int


class CaseCountsOut(BaseModel):
    """Cases by queue and state."""

    model_config = set_model_example(counts=[get_model_example(CaseCountOut)])

    counts: list[CaseCountOut]


async def build_case_criteria(
    account_id: Annotated[UUID | None, Query()] = None,
    number: Annotated[int | None, Query(ge=1, lt=2**63)] = None,
    state: Annotated[CaseState | None, Query()] = None,
    waiting_for: Annotated[WaitingSide | None, Query(description="the side that acts next")] = None,
    kind: Annotated[CaseKind | None, Query()] = None,
    severity: Annotated[Severity | None, Query()] = None,
    queue: Annotated[Code | None, Query()] = None,
    assignee: Annotated[Name | None, Query()] = None,
    is_assigned: Annotated[bool | None, Query()] = None,
    product: Annotated[Name | None, Query()] = None,
    linked_to: Annotated[UUID | None, Query(description="an invoice, subscription … that the case is about")] = None,
    due_before: Annotated[Instant | None, Query(description="whose next answer is due before an instant")] = None,
    has_unread: Annotated[bool | None, Query(description="whether the customer wrote what nobody has read")] = None,
    inform_before: Annotated[
        Instant | None, Query(description="whose customer is to be told the outcome before an instant")
    ] = None,
) -> CaseCriteria:
    """Build the criteria that all lists of cases share; they combine.

    A coroutine, since a plain callable would cost a thread.
    """
    return CaseCriteria(
        account_id=account_id,
        number=number,
        state=state,
        kind=kind,
        severity=severity,
        queue=queue,
        assignee=None if assignee is None else fold_actor_name(assignee),
        is_assigned=is_assigned,
        waiting_for=waiting_for,
        product=product,
        linked_to=linked_to,
        due_before=due_before,
        has_unread=has_unread,
        inform_before=inform_before,
    )


Criteria = Annotated[CaseCriteria, Depends(build_case_criteria)]


@writes.post("", status_code=201, response_model=CaseOut, summary="Open a case")
async def open_case(case: CaseIn, command: Annotated[CommandRunner, perform_command("case.open")]) -> Response:
    """Open a case; announces `CaseOpened`, with nothing of what people wrote."""

    async def open_once(unit: Unit) -> CaseOut:
        row = await use_cases.cases.open_case(unit, case.build_case(), command.caller.subject)
        unit.record(AuditedChange("case", row.id, row.account_id))
        return CaseOut.from_row(row)

    return await command.run(open_once, subject=case.account_id)


@reads.get("", response_model=Page[CaseOut], summary="List cases")
async def list_cases(read: Read, paging: Paging, criteria: Criteria) -> Response:
    """Cases in the order of their ids, which is that of their opening."""
    after = paging.get_last_id()
    rows = await read(lambda unit: case_search.list_cases(unit, criteria, after, paging.limit + 1))
    return paging.answer([build_case_fields(row) for row in rows], key=lambda case: case["id"])


@overviews.get("/v1/case-counts", summary="Count cases")
async def count_cases(read: Read, criteria: Criteria) -> CaseCountsOut:
    """Count cases by queue and state; the filters are those of the list."""
    rows = await read(lambda unit: case_search.count_cases(unit, criteria))
    return CaseCountsOut(counts=[CaseCountOut(**row) for row in rows])


@overviews.get(
    "/v1/case-search",
    response_model=FoundCasesOut,
    summary="Search cases by words",
    responses=refusals(CaseSearchTooWide),
)
async def search_cases(
    read: Read,
    criteria: Criteria,
    words: Annotated[Name, Query(description='all of them; "a phrase", `or` and -without as on the web')],
    limit: Annotated[int, Query(ge=1, le=100)] = 50,
) -> Response:
    """Find cases by words of their subject and description, or of an entry of their thread; the best first.

    At most 1000 cases are ranked, the newest ones: `is_complete` says whether these are all.
    """
    rows, is_complete = await read(lambda unit: case_search.search_cases(unit, words, criteria, limit))
    return write_json_answer({"items": [build_case_fields(row) for row in rows], "is_complete": is_complete})


@reads.get("/{case_id}", summary="One case", responses=ETAG)
async def get_case(case_id: UUID, read: Read, response: Response) -> CaseDetailsOut:
    """The case as it is now, with what it is about."""
    details = await read(lambda unit: _load_details(unit, case_id))
    response.headers["ETag"] = build_etag(details.version)
    return details


async def _load_details(unit: Unit, case_id: UUID) -> CaseDetailsOut:
    row = await case_queries.get_case_with_merged(unit, case_id)
    return CaseDetailsOut(
        **build_case_fields(row),
        links=[CaseLinkOut.from_row(link) for link in await case_queries.list_case_links(unit, case_id)],
        chargeback=await find_chargeback_out(unit, row["cause"]),
    )


@writes.patch(
    "/{case_id}",
    summary="Change a case",
    responses={**ETAG, **refusals(ChangedMeanwhile, IfMatchMissing, StateMoveRefused, CaseSeverityRefused)},
)
async def change_case(
    case_id: UUID,
    patch: CasePatch,
    response: Response,
    command: Annotated[ChangeRunner, perform_change("case.change")],
    if_match: Annotated[
        str | None, Header(max_length=40, description="the ETag of the case", json_schema_extra=NEEDED)
    ] = None,
) -> CaseOut:
    """Change what the patch names and leave the rest (RFC 7396): words, queue, assignee, severity, contact person.

    As `application/json` or `application/merge-patch+json`. What it was before stands in the thread.
    """
    version, fields = parse_if_match(if_match), merge_patch(CaseChange, patch)
    actor = command.caller.subject
    row = await command.run(lambda unit: use_cases.case_changes.change_case(unit, case_id, version, fields, actor))
    response.headers["ETag"] = build_etag(row.version)
    return CaseOut.from_row(row)


@writes.post(
    "/{case_id}/links",
    status_code=200,
    response_model=CaseDetailsOut,
    summary="Link a case to what it is about",
    responses=refusals(StateMoveRefused),
)
async def add_links(
    case_id: UUID, wanted: CaseLinksIn, command: Annotated[CommandRunner, perform_command("case.link")]
) -> Response:
    """Link a case to what it is about: invoices or their lines, subscriptions, chargebacks, other cases and more."""
    links = [link.build_link() for link in wanted.links]

    async def add(unit: Unit) -> CaseDetailsOut:
        await use_cases.case_changes.add_case_links(unit, case_id, links, command.caller.subject)
        return await _load_details(unit, case_id)

    return await command.run(add, status=200, subject=case_id)


@writes.delete("/{case_id}/links/{kind}/{target_id}", summary="Take a link away", responses=refusals(StateMoveRefused))
async def remove_link(
    case_id: UUID,
    kind: LinkKind,
    target_id: UUID,
    command: Annotated[ChangeRunner, perform_change("case.unlink")],
    line: Annotated[int | None, Query(ge=1, le=100_000, description="of an invoice, where one was linked")] = None,
) -> CaseDetailsOut:
    """Take away a link that was wrong; that it was there stands in the thread."""
    link = CaseLink(kind, target_id, line or 0)

    async def remove(unit: Unit) -> CaseDetailsOut:
        await use_cases.case_changes.remove_case_link(unit, case_id, link, command.caller.subject)
        return await _load_details(unit, case_id)

    return await command.run(remove)
