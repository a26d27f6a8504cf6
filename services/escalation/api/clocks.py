"""Clocks of cases over REST: by when the customer is answered, how that comes about, and what is promised."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal, Self
from uuid import UUID

from fastapi import Response
from pydantic import BaseModel, Field, model_validator

from services.escalation import use_cases
from services.escalation.api.case_bodies import CaseOut, build_case_fields
from services.escalation.api.cases import Criteria
from services.escalation.domain.clocks import DEFAULT_TARGETS, compute_remaining_business_time
from services.escalation.domain.vendor_tickets import VENDOR_CALENDAR
from services.escalation.repository import case_queries, case_search, clock_queries
from services.escalation.repository.clock_queries import NO_SEVERITY, AccountSupportTerms, ClockOfCase
from services.escalation.tables import ResponseTargetRow
from shared.events.escalation import CaseKind, ClockName, ClockOwner
from shared.persistence.database import Unit
from shared.pure.fields import Code, Prose, RequestBody, get_model_example, set_model_example
from shared.web.auth import needs
from shared.web.commands import ChangeRunner, perform_change
from shared.web.http import PROBLEMS, Fields, Page, PageCursorRefused, Read, Router, TextPaging

reads = Router(prefix="/v1", tags=["clocks"], dependencies=[needs("escalation:read")], responses=PROBLEMS)
admin = Router(prefix="/v1", tags=["clocks"], dependencies=[needs("escalation:admin")], responses=PROBLEMS)

SeverityName = Literal["A", "B", "C", "none"]


class ClockPauseOut(BaseModel):
    """A time in which a clock stood, since the customer was waited for; without an end it still does."""

    model_config = set_model_example(begin="2026-04-02T10:12:00Z", end="2026-04-03T08:00:00Z")

    begin: datetime
    end: datetime | None


class ClockOut(BaseModel):
    """A run of a clock, with all that its deadline comes of."""

    model_config = set_model_example(
        whose="ours",
        which="update",
        run=1,
        minutes=0,
        business_days=3,
        is_round_the_clock=False,
        began_at="2026-04-02T09:30:00Z",
        pauses=[get_model_example(ClockPauseOut)],
        due_at="2026-04-08T07:18:00Z",
        warn_at="2026-04-07T14:18:00Z",
        remaining_minutes=1482,
        warned_at=None,
        missed_at=None,
        stopped_at=None,
    )

    whose: ClockOwner
    which: ClockName
    run: int = Field(description="counts up where it begins anew")
    minutes: int = Field(description="how long the answer may take: business time, or round the clock")
    business_days: int
    is_round_the_clock: bool
    began_at: datetime
    pauses: list[ClockPauseOut]
    due_at: datetime | None = Field(description="null while it is paused")
    warn_at: datetime | None
    remaining_minutes: int | None = Field(description="of the same time; null while it is paused or when it stopped")
    warned_at: datetime | None
    missed_at: datetime | None
    stopped_at: datetime | None

    @classmethod
    def from_clock(cls, item: ClockOfCase, support: AccountSupportTerms, now: datetime) -> Self:
        """Build the answer for a clock as it is now."""
        clock = item.clock
        calendar = VENDOR_CALENDAR if clock.whose == "vendor" else support.calendar
        remaining = None if clock.stopped_at else compute_remaining_business_time(calendar, clock, now)
        return cls(
            whose=clock.whose,
            which=clock.which,
            run=clock.run,
            minutes=clock.target.minutes,
            business_days=clock.target.business_days,
            is_round_the_clock=clock.target.is_round_the_clock,
            began_at=clock.began_at,
            pauses=[ClockPauseOut(begin=pause.begin, end=pause.end) for pause in clock.pauses],
            due_at=clock.due_at,
            warn_at=clock.warn_at,
            remaining_minutes=None if remaining is None else int(remaining.total_seconds() // 60),
            warned_at=clock.warned_at,
            missed_at=clock.missed_at,
            stopped_at=clock.stopped_at,
        )


class ClocksOut(BaseModel):
    """The clocks of a case, and the hours by which our business time is counted; the vendor's clocks have its own."""

    model_config = set_model_example(
        legal_entity="GS-DE",
        support_level="standard",
        time_zone="Europe/Berlin",
        hours=[*([[[540, 1020]]] * 5), [], []],
        clocks=[get_model_example(ClockOut)],
    )

    legal_entity: str | None
    support_level: str
    time_zone: str
    hours: list[list[tuple[int, int]]] = Field(
        description="of each weekday from Monday on: from and until, in minutes from local midnight"
    )
    clocks: list[ClockOut]


class ResponseTargetIn(RequestBody):
    """How long an answer may take: minutes, or whole business days; and when before that somebody is warned."""

    model_config = set_model_example(
        minutes=120, is_round_the_clock=True, warn_minutes=30, reason="support contract of 2026"
    )

    minutes: int = Field(default=0, ge=0, le=525_600, strict=True, description="business time, or round the clock")
    business_days: int = Field(default=0, ge=0, le=100, strict=True)
    is_round_the_clock: bool = Field(default=False, strict=True)
    warn_minutes: int = Field(default=60, ge=0, le=10_080, strict=True)
    reason: Prose

    @model_validator(mode="after")
    def _one_measure(self) -> Self:
        if (self.minutes == 0) == (self.business_days == 0):
            raise ValueError("give minutes or business days")
        if self.business_days and self.is_round_the_clock:
            raise ValueError("business days are not round the clock")
        return self


class ResponseTargetOut(BaseModel):
    """How long an answer may take for a support level; without `set_by` it is what holds where nobody set it."""

    model_config = set_model_example(
        support_level="gold",
        kind="technical",
        severity="A",
        which="first",
        minutes=120,
        business_days=0,
        is_round_the_clock=True,
        warn_minutes=30,
        set_by="support-lead",
        reason="support contract of 2026",
        set_at="2026-04-02T09:30:00Z",
    )

    support_level: str
    kind: CaseKind
    severity: SeverityName
    which: ClockName
    minutes: int
    business_days: int
    is_round_the_clock: bool
    warn_minutes: int
    set_by: str | None
    reason: str | None
    set_at: datetime | None


class ResponseTargetsOut(BaseModel):
    """All targets: those that were set, and those that hold for the standard level where nobody set one."""

    model_config = set_model_example(targets=[get_model_example(ResponseTargetOut)])

    targets: list[ResponseTargetOut]


@reads.get("/cases/{case_id}/clocks", summary="The clocks of a case")
async def list_case_clocks(case_id: UUID, read: Read) -> ClocksOut:
    """Each deadline with its arithmetic: target, calendar, pauses, and the time that is left."""

    async def load(unit: Unit) -> ClocksOut:
        row = await case_queries.get_case(unit, case_id)
        account_id = row.account_id or row.id
        support = (await clock_queries.get_support_of_accounts(unit, [account_id]))[account_id]
        clocks = await clock_queries.list_clocks_of_case(unit, case_id)
        return ClocksOut(
            legal_entity=support.legal_entity,
            support_level=support.support_level,
            time_zone=support.calendar.zone.key,
            hours=[list(openings) for openings in support.calendar.hours],
            clocks=[ClockOut.from_clock(item, support, unit.now) for item in clocks],
        )

    return await read(load)


EPOCH, MICROSECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(microseconds=1)


def _build_cursor(case: Fields) -> str:
    """Build the cursor of a case: its deadline, in microseconds, and its id."""
    return f"{(case['next_deadline_at'] - EPOCH) // MICROSECOND}/{case['id']}"


def _parse_cursor(cursor: str | None) -> tuple[datetime, UUID] | None:
    """Parse the deadline and the case of a cursor. Raises PageCursorRefused."""
    if cursor is None:
        return None
    deadline, _, case_id = cursor.partition("/")
    try:
        return EPOCH + int(deadline) * MICROSECOND, UUID(case_id)
    except (ValueError, OverflowError) as error:
        raise PageCursorRefused("`after` is not a cursor of this list") from error


@reads.get("/cases-by-deadline", response_model=Page[CaseOut], summary="List cases by their next deadline")
async def list_cases_by_deadline(read: Read, paging: TextPaging, criteria: Criteria) -> Response:
    """Cases that owe the customer an answer, the most urgent first; the filters are those of the list of cases."""
    after = _parse_cursor(paging.after)
    rows = await read(lambda unit: case_search.list_cases_by_deadline(unit, criteria, after, paging.limit + 1))
    return paging.answer([build_case_fields(row) for row in rows], key=_build_cursor)


@reads.get("/response-targets", name="list_response_targets", summary="List how long answers may take")
async def list_targets(read: Read) -> ResponseTargetsOut:
    """Targets by support level, kind and severity; what was set for a level counts before what holds for all."""
    rows = await read(clock_queries.list_response_targets)
    targets = [ResponseTargetOut.model_validate(row.model_dump()) for row in rows]
    places = {(target.support_level, target.kind, target.severity, target.which) for target in targets}
    for (kind, severity, which), target in DEFAULT_TARGETS.items():
        place = (clock_queries.STANDARD, kind, severity or NO_SEVERITY, which)
        if place not in places:
            names = ("minutes", "business_days", "is_round_the_clock", "warn_minutes")
            fields = {name: getattr(target, name) for name in names}
            keys = dict(zip(("support_level", "kind", "severity", "which"), place, strict=True))
            targets.append(
                ResponseTargetOut.model_validate(keys | fields | {"set_by": None, "reason": None, "set_at": None})
            )
    return ResponseTargetsOut(targets=targets)


@admin.put("/response-targets/{support_level}/{kind}/{severity}/{which}", summary="Say how long an answer may take")
async def put_response_target(
    support_level: Code,
    kind: CaseKind,
    severity: SeverityName,
    which: ClockName,
    wanted: ResponseTargetIn,
    command: Annotated[ChangeRunner, perform_change("response_target.set")],
) -> ResponseTargetOut:
    """Set a target, in the place of a former one, for clocks that begin from now on and those whose severity changes.

    `none` is the severity of a case that has none.
    """
    actor = command.caller.subject

    async def set_target(unit: Unit) -> ResponseTargetOut:
        row = ResponseTargetRow(
            support_level=support_level,
            kind=kind,
            severity=severity,
            which=which,
            set_by=actor,
            set_at=unit.now,
            **wanted.model_dump(),
        )
        await use_cases.case_clocks.set_response_target(unit, row)
        return ResponseTargetOut.model_validate(row.model_dump())

    return await command.run(set_target, reason=wanted.reason)
