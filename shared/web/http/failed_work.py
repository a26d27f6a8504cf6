"""Failed work over REST, the same in every service: what is set aside, and having it tried again."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Query, Response
from pydantic import BaseModel, Field

from shared.persistence import failed_work
from shared.persistence.database import Unit
from shared.persistence.failed_work import FailedWork, FailedWorkName, UnknownWorkName, WorkKind
from shared.pure.fields import Code, Prose, ReasonIn, RequestBody, set_model_example
from shared.web.auth import needs
from shared.web.commands import CommandRunner, perform_command
from shared.web.http.paging import Page, Paging
from shared.web.http.problems import PROBLEMS, refusals
from shared.web.http.process import ServiceEdge
from shared.web.http.reading import Read
from shared.web.http.strict_bodies import Router


class FailedWorkOut(BaseModel):
    """An account that broke a sweep, or a call to the outside that broke; it waits until a person retries it."""

    model_config = set_model_example(
        id="01a20d68-41f7-7b60-9e2d-c3a85f7016d4",
        kind="sweep",
        work="steps",
        subject="01a20d60-7458-729b-b244-54f33ab0c1d2",
        account_id="01a20d60-7458-729b-b244-54f33ab0c1d2",
        error="NumericValueOutOfRangeError",
        failed_at="2026-04-14T11:45:00Z",
    )

    id: UUID
    kind: WorkKind
    work: str = Field(description="the sweep, or the kind of call")
    subject: str = Field(description="what the sweep judges, mostly an account; or the id of the call")
    account_id: UUID | None
    error: str = Field(description="the class of the error; its text stands in the log of the process")
    failed_at: datetime = Field(description="system's clock")


class StoppedWorkOut(BaseModel):
    """A sweep or a kind of call of which too many subjects failed: it rests until a person lets it go on."""

    model_config = set_model_example(kind="sweep", work="steps", stopped_at="2026-04-14T11:45:00Z")

    kind: WorkKind
    work: str
    stopped_at: datetime = Field(description="system's clock")


class RetryIn(RequestBody):
    """Work that is tried again, with all of its subjects, and why."""

    model_config = set_model_example(kind="sweep", work="steps", reason="mended with the release of today")

    kind: WorkKind
    work: Code
    reason: Prose


class RetriedOut(BaseModel):
    """How many subjects are tried again."""

    model_config = set_model_example(retried=3)

    retried: int


def _show(failed: FailedWork) -> FailedWorkOut:
    return FailedWorkOut.model_validate(asdict(failed) | {"work": failed.name})


def _list_names(service: ServiceEdge) -> frozenset[str]:
    """List the sweeps and kinds of call that a service has."""
    return frozenset(sweep.name for sweep in service.sweeps) | {kind.name for kind in service.intents}


def create_failed_work_router(service: str) -> Router:
    """Create the routes of failed work of a service."""
    router = Router(prefix="/v1", tags=["operations"], dependencies=[needs(f"{service}:operate")], responses=PROBLEMS)
    router.get("/failed-work", summary="List failed work", responses=refusals(UnknownWorkName))(list_failed_work)
    router.get("/stopped-work", summary="List stopped work")(list_stopped_work)
    router.post(
        "/failed-work/{failed_work_id}:retry",
        status_code=200,
        response_model=FailedWorkOut,
        summary="Retry failed work",
    )(retry_failed_work)
    router.post(
        "/failed-work:retry",
        status_code=200,
        response_model=RetriedOut,
        summary="Retry all failed work of a sweep or kind of call",
        responses=refusals(UnknownWorkName),
    )(retry_all_failed_work)
    return router


async def list_failed_work(
    read: Read,
    paging: Paging,
    kind: Annotated[WorkKind | None, Query()] = None,
    work: Annotated[Code | None, Query(examples=["steps"], description="a sweep, or a kind of call")] = None,
    account_id: Annotated[UUID | None, Query()] = None,
) -> Page[FailedWorkOut]:
    """List what waits for a person, in the order in which it failed."""
    after = paging.get_last_id()

    async def load(unit: Unit) -> list[FailedWorkOut]:
        await failed_work.check_work_name(unit, work, _list_names(read.runtime.service))
        rows = await failed_work.list_failed_work_items(unit, kind, work, account_id, after, paging.limit + 1)
        return [_show(row) for row in rows]

    return paging.page(await read(load), key=lambda failed: failed.id)


async def list_stopped_work(read: Read) -> Page[StoppedWorkOut]:
    """List sweeps and kinds of call that are stopped, since too many of their subjects failed within an hour."""
    stopped = await read(failed_work.list_stopped_work_items)
    items = [StoppedWorkOut(kind=row.kind, work=row.name, stopped_at=row.stopped_at) for row in stopped]
    return Page(items=items, next=None)


async def retry_failed_work(
    failed_work_id: UUID, reason: ReasonIn, command: Annotated[CommandRunner, perform_command("failed_work.retry")]
) -> Response:
    """Have one subject tried again; if it breaks once more, it is set aside once more."""

    async def retry(unit: Unit) -> FailedWorkOut:
        return _show(await failed_work.retry_failed_subject(unit, failed_work_id))

    return await command.run(retry, status=200, reason=reason.reason)


async def retry_all_failed_work(
    retried: RetryIn, command: Annotated[CommandRunner, perform_command("work.retry")]
) -> Response:
    """Have all of what failed of one sweep or kind of call tried again, and let it go on if it was stopped."""

    async def retry(unit: Unit) -> RetriedOut:
        await failed_work.check_work_name(unit, retried.work, _list_names(command.runtime.service))
        return RetriedOut(
            retried=await failed_work.retry_failed_work_items(unit, FailedWorkName(retried.kind, retried.work))
        )

    return await command.run(retry, status=200, reason=retried.reason)
