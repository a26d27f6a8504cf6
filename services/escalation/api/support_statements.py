"""The support that a legal entity publishes: kept over REST, read by anybody as a page or as JSON."""

from datetime import UTC, date
from typing import Annotated, Literal, Self

from fastapi import Header, Path, Query, Response
from fastapi.responses import HTMLResponse, JSONResponse
from pydantic import BaseModel, Field, HttpUrl

from services.escalation import support_page
from services.escalation.repository import statement_queries
from services.escalation.tables import SupportStatementRow
from shared.persistence.audit import AuditedChange
from shared.persistence.database import Unit
from shared.pure.errors import NotFound
from shared.pure.fields import Code, Name, Prose, RequestBody, get_model_example, set_model_example
from shared.pure.languages import Language
from shared.web.auth import needs
from shared.web.commands import ChangeRunner, perform_change
from shared.web.http import OWN_STYLES, PROBLEMS, Page, Read, Router

reads = Router(
    prefix="/v1/support-statements", tags=["support"], dependencies=[needs("escalation:read")], responses=PROBLEMS
)
admin = Router(
    prefix="/v1/support-statements", tags=["support"], dependencies=[needs("escalation:admin")], responses=PROBLEMS
)
public = Router(tags=["support"])

_HEADERS = {"content-language": "the language of the answer", "vary": "what the answer depends on"}


class SupportChannelIn(RequestBody):
    """A way to reach support."""

    model_config = set_model_example(kind="phone", value="+49 30 901820", note="in German and English")

    kind: Literal["email", "phone", "portal", "letter"]
    value: Name
    note: Name | None = None


class SupportStatementIn(RequestBody):
    """A statement of what support is given, in one language; hours and response times come from what is kept."""

    model_config = set_model_example(
        company="Goodstanding GmbH",
        offer=["Questions about invoices and subscriptions", "Problems with the services that we sell"],
        channels=[get_model_example(SupportChannelIn)],
        price="Support is part of the subscription.",
        how_to_dispute="Write to us with the number of the invoice and the line. We collect only what is not disputed.",
        policy_url="https://policy.goodstanding.example/policy",
    )

    company: Name
    offer: list[Name] = Field(min_length=1, max_length=20)
    channels: list[SupportChannelIn] = Field(min_length=1, max_length=10)
    price: Prose
    how_to_dispute: Prose
    policy_url: HttpUrl | None = None


class SupportStatementOut(BaseModel):
    """A statement as it is kept."""

    model_config = set_model_example(legal_entity="GS-DE", language="en", content=get_model_example(SupportStatementIn))

    legal_entity: str
    language: Language
    content: SupportStatementIn

    @classmethod
    def from_row(cls, row: SupportStatementRow) -> Self:
        """Build the answer for a row."""
        return cls.model_validate(row, from_attributes=True)


class SupportHoursOut(BaseModel):
    """The hours of a weekday, written out in the language."""

    model_config = set_model_example(weekday="Monday", hours="9:00 AM – 5:00 PM")

    weekday: str
    hours: str


class PublishedResponseTimeOut(BaseModel):
    """How long the first answer may take, written out in the language."""

    model_config = set_model_example(kind="The service is down", takes="2 hours, day and night")

    kind: str
    takes: str


class PublishedSupportOut(BaseModel):
    """The support that a legal entity gives, as the page has it."""

    model_config = set_model_example(
        legal_entity="GS-DE",
        language="en",
        languages=["de", "en"],
        content=get_model_example(SupportStatementIn),
        time_zone="Europe/Berlin",
        weekdays=[get_model_example(SupportHoursOut)],
        closed_days=["Monday, April 6, 2026"],
        response_times=[get_model_example(PublishedResponseTimeOut)],
    )

    legal_entity: str
    language: Language
    languages: list[Language]
    content: SupportStatementIn
    time_zone: str
    weekdays: list[SupportHoursOut]
    closed_days: list[str]
    response_times: list[PublishedResponseTimeOut]


@reads.get("", summary="List statements of support")
async def list_support_statements(read: Read) -> Page[SupportStatementOut]:
    """Every statement, by legal entity and language."""
    rows = await read(statement_queries.list_support_statements)
    return Page(items=[SupportStatementOut.from_row(row) for row in rows], next=None)


@admin.put("/{legal_entity}/{language}", summary="Publish a statement of support")
async def put_support_statement(
    legal_entity: Annotated[Code, Path()],
    language: Annotated[Language, Path()],
    statement: SupportStatementIn,
    command: Annotated[ChangeRunner, perform_change("support_statement.put")],
) -> SupportStatementOut:
    """Publish what support is given, in the place of a former statement; anybody may read it at once."""
    content = statement.model_dump(mode="json")

    async def save_statement(unit: Unit) -> SupportStatementOut:
        row = SupportStatementRow(
            legal_entity=legal_entity,
            language=language,
            content=content,
            changed_by=command.caller.subject,
            changed_at=unit.now,
        )
        before = await statement_queries.save_support_statement(unit, row)
        unit.record(AuditedChange("support_statement", f"{legal_entity}/{language}", None, before, content))
        return SupportStatementOut.from_row(row)

    return await command.run(save_statement)


@public.get(
    "/support",
    response_model=PublishedSupportOut,
    summary="The support that we give, for customers",
    responses={
        200: {
            "content": {"text/html": {}},
            "headers": {name: {"description": words, "schema": {"type": "string"}} for name, words in _HEADERS.items()},
        },
        404: {"description": "nothing is published", "content": {"application/problem+json": {}}},
    },
)
async def show_support(
    read: Read,
    legal_entity: Annotated[Code | None, Query()] = None,
    language: Annotated[Language | None, Query(description="else the first of `Accept-Language`")] = None,
    form: Annotated[Literal["html", "json"] | None, Query(alias="format", description="else by `Accept`")] = None,
    accept: Annotated[str, Header(max_length=1000)] = "",
    accept_language: Annotated[str, Header(max_length=1000)] = "",
) -> Response:
    """State what is supported, when and how support is reached, response times, price, how an invoice is disputed.

    No token is needed. A page, or JSON where `Accept` names it.
    """
    languages: list[str] = [language] if language else [part.strip()[:2].lower() for part in accept_language.split(",")]
    support, page = await read(lambda unit: _load_support(unit, legal_entity, languages))
    headers = {"cache-control": "no-cache", "vary": "accept, accept-language", "content-language": support.language}
    if (form or ("json" if "json" in accept else "html")) == "json":
        return JSONResponse(support.model_dump(mode="json"), headers=headers)
    return HTMLResponse(page, headers=headers | {"content-security-policy": OWN_STYLES})


async def _load_support(unit: Unit, legal_entity: str | None, languages: list[str]) -> tuple[PublishedSupportOut, str]:
    published = support_page.list_published_statements(
        await statement_queries.list_support_statements(unit), legal_entity
    )
    row = support_page.choose_support_statement(published, languages)
    if row is None:
        raise NotFound("no statement of support is published")
    calendar = await statement_queries.get_support_calendar(unit, row.legal_entity)
    weekdays = support_page.list_weekday_hours(calendar, row.language)
    today: date = unit.now.astimezone(UTC).date()
    closed_days = support_page.list_closed_days(calendar, today, row.language)
    times = support_page.list_response_times(await statement_queries.map_first_answer_targets(unit), row.language)
    spoken = [other.language for other in published]
    support = PublishedSupportOut(
        legal_entity=row.legal_entity,
        language=row.language,
        languages=spoken,
        content=row.content,
        time_zone=calendar.time_zone,
        weekdays=[SupportHoursOut(**weekday._asdict()) for weekday in weekdays],
        closed_days=closed_days,
        response_times=[PublishedResponseTimeOut(**time._asdict()) for time in times],
    )
    others = [other for other in spoken if other != row.language]
    return support, support_page.render_support_page(row, weekdays, calendar.time_zone, closed_days, times, others)
