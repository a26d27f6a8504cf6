"""Redrive: apply parked heads again, then what waited behind them; or give one up, with actor and reason.

python -m shared.redrive SERVICE --actor A [--subject S]                again, after the cause is mended
python -m shared.redrive SERVICE --actor A --skip EVENT --reason R      give one event up
python -m shared.redrive SERVICE --actor A --resume                     let a group go on that the flood rule stopped
python -m shared.redrive SERVICE --list                                 what is parked

Whatever it changes leaves an entry in the audit of the service.
"""

import asyncio
from collections import Counter
from typing import Annotated
from uuid import UUID

import typer

from shared.base.kafka import MessageEnvelope
from shared.base.settings import load_settings
from shared.base.telemetry import set_up_telemetry
from shared.base.wakeups import LoopWakeups
from shared.messaging.consumer.batch import EventHandlerFailed, MessageBatch, blame_on_event, lock_watermarks
from shared.messaging.consumer.handlers import EventHandlers
from shared.persistence import parked_events
from shared.persistence.audit import AuditedAct, AuditedChange
from shared.persistence.database import Cause, Unit, Units
from shared.process.service import load_service
from shared.pure.errors import NotFound, Refusal
from shared.pure.ids import new_id
from shared.web.auth import parse_command_actor


class EventNotAtHead(Refusal):
    """Only the head that stops a subject can be given up."""

    code = "not_a_head"


async def redrive_parked_events(
    units: Units, handlers: EventHandlers, subject: str | None = None, *, actor: str
) -> Counter[str]:
    """Apply what waits, from each subject's head in order; counts the events that were `applied` and `failed`."""
    done: Counter[str] = Counter()
    for topic, waiting_subject in await units.run(
        lambda unit: parked_events.list_parked_subjects(unit.connection, subject)
    ):
        await _go_on(units, handlers, (topic, waiting_subject), done, actor)
    return done


async def _go_on(
    units: Units, handlers: EventHandlers, waiting: tuple[str, str], done: Counter[str], actor: str
) -> None:
    """Apply what waits for a topic and subject, up to a gap or to an event that breaks again."""
    broken: set[int] = set()
    applied = 1
    while applied:
        try:
            applied = await units.run(lambda unit: _apply_next(unit, handlers, waiting, broken, actor))
            done["applied"] += applied
        except (
            EventHandlerFailed
        ) as failed:  # all of its unit is undone: what was before it is applied in the next round
            await _keep(units, failed)
            broken.add(failed.event.sequence)
            done["failed"] += 1


async def _apply_next(unit: Unit, handlers: EventHandlers, waits: tuple[str, str], broken: set[int], actor: str) -> int:
    """Apply the next event and its followers in one unit; how many they were."""
    topic, subject = waits
    last = (await lock_watermarks(unit, topic, [subject]))[0][subject]
    waiting = (await parked_events.list_waiting_events(unit.connection, topic, [subject])).get(subject, {})
    is_backfilled = bool(waiting) and min(waiting) <= last
    sequence = min(waiting) if is_backfilled else last + 1
    if sequence not in waiting or sequence in broken:
        return 0
    event = waiting[sequence].envelope
    await parked_events.delete_parked_event(unit.connection, event)
    unit.cause = Cause(event.id, act=AuditedAct(actor, "parked_event.redrive"))  # what follows goes back to the event
    _record_event(unit, event)
    if is_backfilled:  # the watermark stays where it is
        await unit.lock_subjects(subject)
        await blame_on_event(handlers.handle_event(unit, event), event)
        return 1
    counts: Counter[str] = Counter()
    await MessageBatch(unit, handlers, counts).apply_messages(topic, [event])
    return counts["handled"] + counts["passed"] + counts["unknown"]


def _record_event(unit: Unit, event: MessageEnvelope) -> None:
    unit.record(AuditedChange("event", event.id, _account_of(event.subject)))


def _account_of(subject: str) -> UUID | None:
    """The account that events are about, if they are about something with an id."""
    try:
        return UUID(subject)
    except ValueError:
        return None


async def _keep(units: Units, failed: EventHandlerFailed) -> None:
    """Park a head with its error, unless somebody else applied it meanwhile."""
    event, error = failed.event, parked_events.describe_error(failed.__cause__)

    async def keep(unit: Unit) -> None:
        last = (await lock_watermarks(unit, event.topic, [event.subject]))[0][event.subject]
        waiting = (await parked_events.list_waiting_events(unit.connection, event.topic, [event.subject])).get(
            event.subject, {}
        )
        if event.sequence > last or event.sequence in waiting:
            await parked_events.park_event(unit.connection, event, error)

    await units.run(keep)


async def skip_parked_event(
    units: Units, handlers: EventHandlers, event_id: str, *, actor: str, reason: str
) -> Counter[str]:
    """Give the head `event_id` up and go on with what waited behind it. Raises NotFound, BatchOutOfOrder."""

    async def give_up(unit: Unit) -> str:
        heads = [
            head for head in await parked_events.list_parked_heads(unit.connection) if head["event_id"] == event_id
        ]
        if not heads:
            raise NotFound(f"no parked head has the id {event_id}")
        topic, subject, sequence = heads[0]["topic"], heads[0]["subject"], heads[0]["sequence"]
        last = (await lock_watermarks(unit, topic, [subject]))[0][subject]
        waiting = (await parked_events.list_waiting_events(unit.connection, topic, [subject]))[subject]
        if sequence != min(waiting) or sequence > last + 1:
            raise EventNotAtHead(f"{event_id} is not the next event of {subject}")
        await parked_events.give_event_up(unit.connection, waiting[sequence].envelope, actor=actor, reason=reason)
        _record_event(unit, waiting[sequence].envelope)
        await unit.connection.execute(
            "UPDATE watermarks SET sequence = greatest(sequence, $3) WHERE topic = $1 AND subject = $2",
            topic,
            subject,
            sequence,
        )
        return f"{topic} {subject}"

    cause = Cause(str(new_id()), act=AuditedAct(actor, "parked_event.skip", reason))
    topic, subject = (await units.run(give_up, cause)).split(" ", 1)
    done: Counter[str] = Counter(skipped=1)
    await _go_on(units, handlers, (topic, subject), done, actor)
    return done


async def resume_stopped_group(units: Units, service: str, *, actor: str) -> None:
    """Let the group of a service go on, if it is stopped."""

    async def go_on(unit: Unit) -> None:
        if await parked_events.find_group_stop_reason(unit.connection):
            await parked_events.resume_consumer_group(unit.connection)
            unit.record(AuditedChange("consumer_group", service))

    await units.run(go_on, Cause(str(new_id()), act=AuditedAct(actor, "consumer_group.resume")))


def main(
    service: str,
    subject: Annotated[str | None, typer.Option(help="only this subject")] = None,
    skip_event: Annotated[str | None, typer.Option("--skip", help="give this event up")] = None,
    actor: Annotated[str | None, typer.Option(help="who does it; needed unless it only shows")] = None,
    reason: Annotated[str | None, typer.Option(help="why")] = None,
    resume: Annotated[bool, typer.Option(help="let a stopped group go on")] = False,
    show: Annotated[bool, typer.Option("--list", help="show what is parked")] = False,
) -> None:
    """Apply parked events of a service again, in order; or give one up."""
    if skip_event and not (actor and reason):
        raise typer.BadParameter("--skip needs --actor and --reason")
    if not actor and not show:
        raise typer.BadParameter("whatever changes something needs --actor")
    who = parse_command_actor(actor) if actor else ""
    set_up_telemetry(f"{service}/redrive")
    handlers = load_service(service).handlers

    async def run() -> None:
        units = Units(load_settings(), LoopWakeups())
        try:
            if show:
                for head in await units.run(lambda unit: parked_events.list_parked_heads(unit.connection)):
                    typer.echo(f"{head['event_id']}  {head['type']}  {head['subject']}  {head['error']}")
            elif resume:
                await resume_stopped_group(units, service, actor=who)
                typer.echo("the group goes on")
            elif skip_event:
                typer.echo(dict(await skip_parked_event(units, handlers, skip_event, actor=who, reason=reason or "")))
            else:
                typer.echo(dict(await redrive_parked_events(units, handlers, subject, actor=who)))
        finally:
            await units.close()

    try:
        asyncio.run(run())
    except Refusal as refused:
        typer.echo(refused.detail, err=True)
        raise typer.Exit(1) from refused


if __name__ == "__main__":
    typer.run(main)
