"""The collection policy over REST, and as a page that a customer reads without a token."""

import asyncio
from datetime import date, datetime
from typing import Annotated, Any, Self

from fastapi import Path, Response
from pydantic import AfterValidator, BaseModel, StringConstraints

from services.collections import use_cases
from services.collections.domain.policy import PolicyDocumentRefused, parse_collection_policy
from services.collections.repository import policy_queries
from services.collections.tables import PolicyVersionRow
from services.collections.use_cases.policies import GuardLoosenedByPolicy, PolicyDateRefused
from shared.persistence.database import Unit
from shared.pure.fields import Day, Prose, RequestBody, set_model_example
from shared.pure.hidden_characters import SEEN_ON_LINES, check_multiline_text, normalise_line_breaks
from shared.web.auth import needs
from shared.web.commands import CommandRunner, perform_command
from shared.web.http import PROBLEMS, Page, Read, Router, refusals

reads = Router(prefix="/v1/policies", tags=["policy"], dependencies=[needs("collections:read")], responses=PROBLEMS)
publishing = Router(
    prefix="/v1/policies", tags=["policy"], dependencies=[needs("collections:publish")], responses=PROBLEMS
)

_GENTLE = (
    "name: gentle\n"
    "steps:\n"
    '  - {name: reminder, day: 3, at: "09:00", action: notice, template: reminder_1}\n'
    '  - {name: final_notice, day: 14, at: "09:00", action: notice, template: final_notice}\n'
    '  - {name: suspend, day: 28, at: "09:00", action: suspend,'
    " requires: [{notice: final_notice, days_before: 14}]}\n"
    "guard: {suspensions_per_hour: 25, share_of_accounts_percent: 5}\n"
)


class PolicyIn(RequestBody):
    """A version to be published: the YAML document, the date it takes effect, and why."""

    model_config = set_model_example(
        document=_GENTLE,
        effective_date="2026-04-01",
        reason="two more weeks before access ends, as agreed with sales",
    )

    document: Annotated[
        str,
        StringConstraints(min_length=1, max_length=64_000, pattern=SEEN_ON_LINES),
        AfterValidator(normalise_line_breaks),
        AfterValidator(check_multiline_text),
    ]
    effective_date: Day
    reason: Prose


class PolicyOut(BaseModel):
    """A published version; `policy` is the document as data."""

    model_config = set_model_example(
        version=2,
        name="gentle",
        effective_date="2026-04-01",
        published_at="2026-03-20T10:00:00Z",
        published_by="head-of-collections",
        reason="two more weeks before access ends, as agreed with sales",
        document=_GENTLE,
        policy=parse_collection_policy(_GENTLE).model_dump(mode="json"),
    )

    version: int
    name: str
    effective_date: date
    published_at: datetime
    published_by: str
    reason: str
    document: str
    policy: dict[str, Any]

    @classmethod
    def of(cls, row: PolicyVersionRow) -> Self:
        """The answer for a row."""
        policy = policy_queries.parse_published_policy(row.document)
        fields = row.model_dump() | {"policy": policy.model_dump(mode="json")}
        return cls.model_validate(fields)


@publishing.post(
    "",
    status_code=201,
    response_model=PolicyOut,
    summary="Publish a version of the policy",
    responses=refusals(PolicyDocumentRefused, PolicyDateRefused, GuardLoosenedByPolicy),
)
async def publish_policy(
    policy: PolicyIn, command: Annotated[CommandRunner, perform_command("policy.publish")]
) -> Response:
    """Publish a version; invoices recorded from its effective date on are judged by it. Never edited.

    Tighter limits of the guard hold at once; looser ones than those in force are refused.
    """

    # to read what nobody has checked may take long enough that others would notice
    await asyncio.to_thread(policy_queries.parse_published_policy, policy.document)

    async def publish(unit: Unit) -> PolicyOut:
        row = await use_cases.policies.publish_policy(
            unit, policy.document, policy.effective_date, command.caller.subject, policy.reason
        )
        return PolicyOut.of(row)

    return await command.run(publish, reason=policy.reason)


@reads.get("", summary="List the versions of the policy")
async def list_policies(read: Read) -> Page[PolicyOut]:
    """All versions, oldest first."""
    return Page(items=[PolicyOut.of(row) for row in await read(policy_queries.list_policies)], next=None)


@reads.get("/{version}", summary="One version of the policy")
async def get_policy(version: Annotated[int, Path(ge=1, lt=2**31)], read: Read) -> PolicyOut:
    """A version as it was published."""
    return PolicyOut.of(await read(lambda unit: policy_queries.get_policy(unit, version)))
