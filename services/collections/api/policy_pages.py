"""The collection policy as customers read it: a page, or the same as JSON, in their language and without a token."""

from datetime import date
from typing import Annotated, Literal

from fastapi import Header, Query, Response
from fastapi.responses import HTMLResponse, JSONResponse
from pydantic import BaseModel, Field

from services.collections import policy_page
from services.collections.repository import policy_queries
from services.collections.tables import PolicyVersionRow
from shared.persistence.database import Unit
from shared.pure.errors import NotFound
from shared.pure.fields import get_model_example, set_model_example
from shared.pure.languages import Language
from shared.web.http import OWN_STYLES, PROBLEMS, Read, Router

public = Router(tags=["policy"], responses={422: PROBLEMS[422]})

_PAGE = {"content-security-policy": OWN_STYLES, "cache-control": "no-cache"}
_HEADERS = {
    "content-language": {"description": "the language of the answer", "schema": {"type": "string"}},
    "vary": {"description": "what the answer depends on", "schema": {"type": "string"}},
}


class PolicyStepTextOut(BaseModel):
    """A step of the policy, written out in the language."""

    model_config = set_model_example(
        action="suspend",
        timing="21 days after the due date",
        at="at 09:00, your local time",
        effect="Access to the subscriptions concerned is suspended.",
        notes=["Never earlier than 7 days after our notice “We send a final notice” went out."],
    )

    action: str
    timing: str
    at: str
    effect: str
    notes: list[str]


class PublishedPolicyOut(BaseModel):
    """A version of the policy as the page has it."""

    model_config = set_model_example(
        version=2,
        effective_date="2026-04-01",
        language="en",
        dispute_window_days=60,
        after_release_days=3,
        steps=[get_model_example(PolicyStepTextOut)],
        rules=["An invoice can be disputed for 60 days after its date."],
    )

    version: int
    effective_date: date
    language: Language
    dispute_window_days: int | None = Field(description="days after the issue date; null: no limit")
    after_release_days: int
    steps: list[PolicyStepTextOut]
    rules: list[str] = Field(description="what holds beside the steps, in whole sentences")


@public.get(
    "/policy",
    response_model=PublishedPolicyOut,
    summary="The policy as a page for customers",
    responses={
        200: {
            "content": {"text/html": {}},
            "headers": _HEADERS,
        },
        404: {
            "description": "a page that says which versions there are; a problem where JSON is asked for",
            "content": {"text/html": {}, "application/problem+json": {}},
            "headers": _HEADERS,
        },
    },
)
async def show_published_policy(
    read: Read,
    version: Annotated[int | None, Query(ge=1, lt=2**31)] = None,
    language: Annotated[Language | None, Query(description="else the first of `Accept-Language`")] = None,
    form: Annotated[Literal["html", "json"] | None, Query(alias="format", description="else by `Accept`")] = None,
    accept: Annotated[str, Header(max_length=1000)] = "",
    accept_language: Annotated[str, Header(max_length=1000)] = "",
) -> Response:
    """State the version in force today (UTC), or the one asked for: steps, deadlines, access, until when to dispute.

    An invoice follows the version in force on the day, in its account's zone, on which it was recorded: letters and
    documents link that one.

    A version that there is not is answered by a page too (404), which leads to those that there are.
    """
    spoken = [language] if language else [part.strip()[:2].lower() for part in accept_language.split(",")]
    chosen = policy_page.choose_page_language(spoken)
    is_json = (form or ("json" if "json" in accept else "html")) == "json"
    row, versions = await read(lambda unit: _load_version(unit, version))
    headers = {"cache-control": "no-cache", "vary": "accept, accept-language", "content-language": chosen}
    page_headers = headers | {"content-security-policy": OWN_STYLES}
    if row is None and is_json:
        raise NotFound("there is no such version of the policy")
    if row is None:
        return HTMLResponse(
            policy_page.render_missing_policy_page(version, versions), 404, page_headers | {"content-language": "en"}
        )
    policy = policy_queries.parse_published_policy(row.document)
    if is_json:
        return JSONResponse(_state_policy(row, chosen).model_dump(mode="json"), headers=headers)
    return HTMLResponse(policy_page.render_policy_page(row, policy, versions, chosen), headers=page_headers)


async def _load_version(unit: Unit, version: int | None) -> tuple[PolicyVersionRow | None, list[PolicyVersionRow]]:
    versions = list(await policy_queries.list_policies(unit))
    if version is None and versions:
        return await policy_queries.get_policy_in_force(unit, unit.now.date()), versions
    return next((row for row in versions if row.version == version), None), versions


def _state_policy(row: PolicyVersionRow, language: str) -> PublishedPolicyOut:
    policy = policy_queries.parse_published_policy(row.document)
    stated = {
        "version": row.version,
        "effective_date": row.effective_date,
        "language": language,
        "dispute_window_days": policy.dispute_window_days,
        "after_release_days": policy.after_release_days,
        "steps": [step._asdict() for step in policy_page.list_policy_page_steps(policy, language)],
        "rules": policy_page.list_policy_page_rules(policy, language),
    }
    return PublishedPolicyOut.model_validate(stated)
