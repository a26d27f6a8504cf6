"""Support resources over REST: kept, imported, searched, suggested for a case and consulted in it."""

import asyncio
from codecs import BOM_UTF8
from datetime import UTC
from typing import Annotated
from uuid import UUID

from fastapi import Header, Query, Request, Response

from services.escalation import use_cases
from services.escalation.api.resource_bodies import (
    FoundResourcesOut,
    ResourceFileRefused,
    ResourceImportOut,
    ResourceIn,
    ResourceKind,
    ResourceOut,
    ResourceUseIn,
    ResourceUseOut,
    SuggestionsOut,
    build_resource_fields,
    parse_resource_file,
)
from services.escalation.domain.state_moves import StateMoveRefused
from services.escalation.repository import case_queries, resource_queries, resource_search
from services.escalation.repository.resource_search import SupportResourceCriteria
from services.escalation.use_cases.resources import ResourceReferenceTaken
from shared.persistence.database import Unit
from shared.pure.errors import Refusal
from shared.pure.fields import NEEDED, Day, Name
from shared.pure.languages import Language
from shared.web.auth import needs
from shared.web.commands import ChangeRunner, CommandRunner, perform_change, perform_command, perform_upload
from shared.web.http import (
    ETAG,
    PROBLEMS,
    Fields,
    Page,
    Paging,
    Read,
    Router,
    accept_larger_body,
    describe_problem,
    receive_whole_body,
    refusals,
    write_json_answer,
)
from shared.web.versions import ChangedMeanwhile, IfMatchMissing, build_etag, parse_if_match

reads = Router(prefix="/v1", tags=["support resources"], dependencies=[needs("escalation:read")], responses=PROBLEMS)
writes = Router(prefix="/v1", tags=["support resources"], dependencies=[needs("escalation:write")], responses=PROBLEMS)
admin = Router(prefix="/v1", tags=["support resources"], dependencies=[needs("escalation:admin")], responses=PROBLEMS)

MAX_FILE_BYTES = 32 * 1024 * 1024
CSV_EXAMPLE = (
    "reference,kind,title,content,language,products,link\n"
    "kb-4711,knowledge_base,Mail flow stops,Check the MX record first,en,Mail|Office,https://vendor.example/kb/4711\n"
)
JSON_EXAMPLE = '{"reference": "kb-4711", "kind": "solution", "title": "Mail", "content": "Check", "language": "en"}\n'
OCTETS = "application/octet-stream"
"""Media type under which many clients send any file; how it begins shows what it is."""
FILE = {
    "requestBody": {
        "required": True,
        "content": {
            "text/csv": {"schema": {"type": "string"}, "example": CSV_EXAMPLE},
            "application/jsonl": {"schema": {"type": "string"}, "example": JSON_EXAMPLE},
            OCTETS: {"schema": {"type": "string", "format": "binary"}},
        },
    }
}
UNSUPPORTED = describe_problem(
    415, "unsupported_media_type", "neither CSV nor JSON lines", "send text/csv or application/jsonl"
)


class SupportResourceFormatUnsupported(Refusal):
    """The content type is neither that of CSV nor that of JSON lines."""

    code = "unsupported_media_type"
    status = 415


@reads.get("/support-resources", summary="List support resources")
async def list_support_resources(
    read: Read,
    paging: Paging,
    kind: Annotated[ResourceKind | None, Query()] = None,
    language: Annotated[Language | None, Query()] = None,
    product: Annotated[Name | None, Query()] = None,
    valid_on: Annotated[Day | None, Query(description="leaves out what is not valid on a day")] = None,
) -> Page[ResourceOut]:
    """All that helps us to solve problems ourselves, in the order of ids; with how often it helped."""
    criteria, after = SupportResourceCriteria(kind, language, product, valid_on), paging.get_last_id()

    async def load(unit: Unit) -> list[ResourceOut]:
        rows = await resource_search.list_support_resources(unit, criteria, after, paging.limit + 1)
        return [ResourceOut.from_record(row, unit.now.astimezone(UTC).date()) for row in rows]

    return paging.page(await read(load), key=lambda resource: resource.id)


@reads.get("/support-resource-search", response_model=FoundResourcesOut, summary="Search support resources by words")
async def search_support_resources(
    read: Read,
    words: Annotated[Name, Query(description='all of them; "a phrase", `or` and -without as on the web')],
    kind: Annotated[ResourceKind | None, Query()] = None,
    language: Annotated[Language | None, Query()] = None,
    product: Annotated[Name | None, Query()] = None,
    valid_on: Annotated[Day | None, Query()] = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
) -> Response:
    """Find resources by words, in whatever form their language gives them; the best first."""
    criteria = SupportResourceCriteria(kind, language, product, valid_on)

    async def load(unit: Unit) -> list[Fields]:
        rows = await resource_search.search_support_resources(unit, words, criteria, limit)
        today = unit.now.astimezone(UTC).date()
        return [build_resource_fields(row, today) for row in rows]

    return write_json_answer({"items": await read(load)})


@reads.get("/support-resources/{resource_id}", summary="One support resource", responses=ETAG)
async def get_support_resource(resource_id: UUID, read: Read, response: Response) -> ResourceOut:
    """The resource as it is now, also if it has lapsed."""
    shown_resource = await read(lambda unit: _load_shown(unit, resource_id))
    response.headers["ETag"] = build_etag(shown_resource.version)
    return shown_resource


async def _load_shown(unit: Unit, resource_id: UUID) -> ResourceOut:
    row = await resource_queries.get_resource_with_uses(unit, resource_id)
    return ResourceOut.from_record(row, unit.now.astimezone(UTC).date())


@admin.post(
    "/support-resources",
    status_code=201,
    response_model=ResourceOut,
    summary="Add a support resource",
    responses=refusals(ResourceReferenceTaken),
)
async def add_support_resource(
    resource: ResourceIn, command: Annotated[CommandRunner, perform_command("support_resource.add")]
) -> Response:
    """Add a training, an article, a solution, the support of a membership or a premier contract."""

    async def add(unit: Unit) -> ResourceOut:
        row = await use_cases.resources.add_support_resource(unit, resource.list_fields(), command.caller.subject)
        return await _load_shown(unit, row.id)

    return await command.run(add)


@admin.put(
    "/support-resources/{resource_id}",
    summary="Change a support resource",
    responses={**ETAG, **refusals(ChangedMeanwhile, IfMatchMissing, ResourceReferenceTaken)},
)
async def change_support_resource(
    resource_id: UUID,
    resource: ResourceIn,
    response: Response,
    command: Annotated[ChangeRunner, perform_change("support_resource.change")],
    if_match: Annotated[
        str | None, Header(max_length=40, description="the ETag of the resource", json_schema_extra=NEEDED)
    ] = None,
) -> ResourceOut:
    """Put what is sent in the place of what there is; how often it helped stays."""
    version, fields, actor = parse_if_match(if_match), resource.list_fields(), command.caller.subject

    async def change(unit: Unit) -> ResourceOut:
        await use_cases.resources.change_support_resource(unit, resource_id, version, fields, actor)
        return await _load_shown(unit, resource_id)

    changed_resource = await command.run(change)
    response.headers["ETag"] = build_etag(changed_resource.version)
    return changed_resource


@admin.post(
    "/support-resources:import",
    status_code=200,
    response_model=ResourceImportOut,
    summary="Import support resources",
    responses={415: UNSUPPORTED, **refusals(ResourceFileRefused)},
    dependencies=[accept_larger_body(MAX_FILE_BYTES, is_streamed=True)],
    openapi_extra=FILE,
)
async def import_support_resources(
    request: Request, command: Annotated[CommandRunner, perform_upload("support_resource.import")]
) -> Response:
    """Take the resources of a file, wholly or not at all; one whose reference is known is changed.

    CSV has the names of the fields in its first line, and products parted by `|`. Each wrong line is named.
    """
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type not in ("text/csv", "application/jsonl", "application/x-ndjson", OCTETS):
        raise SupportResourceFormatUnsupported("send text/csv, application/jsonl or application/octet-stream")
    body = await receive_whole_body(request)
    begins_as_json = body.removeprefix(BOM_UTF8).lstrip()[:1] == b"{"
    is_csv = media_type == "text/csv" or (media_type == OCTETS and not begins_as_json)
    lines = await asyncio.to_thread(parse_resource_file, body, is_csv=is_csv)

    async def take(unit: Unit) -> ResourceImportOut:
        new = await use_cases.resources.import_support_resources(unit, lines, command.caller.subject)
        return ResourceImportOut(new=new, changed=len(lines) - new)

    await asyncio.to_thread(command.bind_content, body)
    return await command.run(take, status=200)


@reads.get("/cases/{case_id}/suggestions", summary="What may help in a case")
async def list_resource_suggestions(
    case_id: UUID, read: Read, limit: Annotated[int, Query(ge=1, le=50)] = 10
) -> SuggestionsOut:
    """Resources by the words of the case, its product, and what helped in cases of its kind.

    What has lapsed, and what was consulted in this case, is left out.
    """

    async def load(unit: Unit) -> SuggestionsOut:
        case, today = await case_queries.get_case(unit, case_id), unit.now.astimezone(UTC).date()
        rows = await resource_search.suggest_support_resources(unit, case, today, limit)
        return SuggestionsOut(items=[ResourceOut.from_record(row, today) for row in rows])

    return await read(load)


@writes.post(
    "/cases/{case_id}/consulted-resources",
    status_code=201,
    response_model=ResourceUseOut,
    summary="Record that a resource was consulted",
    responses=refusals(StateMoveRefused),
)
async def consult_support_resource(
    case_id: UUID, consulted: ResourceUseIn, command: Annotated[CommandRunner, perform_command("case.consult")]
) -> Response:
    """Record in the thread which resource was consulted and whether it helped; what helped is suggested sooner."""

    async def consult(unit: Unit) -> ResourceUseOut:
        row = await use_cases.resources.record_resource_consulted(
            unit, case_id, consulted.resource_id, consulted.result, consulted.note or "", command.caller.subject
        )
        return ResourceUseOut.model_validate(row, from_attributes=True)

    return await command.run(consult, subject=case_id)
