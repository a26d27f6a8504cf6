"""Clocks of the vendor: by when it answers a ticket, by its own hours. They stop with its first answer."""

from dataclasses import replace

from services.escalation.domain.clocks import ResponseClock, recompute_response_clock, stop_response_clock
from services.escalation.domain.vendor_tickets import VENDOR_CALENDAR, choose_vendor_response_target
from services.escalation.repository import clock_queries
from services.escalation.repository.clock_queries import ClockOfCase
from services.escalation.tables import CaseRow, VendorTicketRow
from services.escalation.use_cases.case_clocks import publish_missed_deadline
from shared.persistence.database import Unit


async def begin_vendor_clock(unit: Unit, case: CaseRow, ticket: VendorTicketRow) -> None:
    """Begin the clock of the vendor's first answer to a ticket; a case without an account has none."""
    if case.account_id is None:
        return
    items = await clock_queries.list_clocks_of_case(unit, case.id)
    run = 1 + sum(item.clock.whose == "vendor" for item in items)
    target = choose_vendor_response_target(case.kind, ticket.severity, ticket.language)
    clock = recompute_response_clock(ResponseClock("vendor", "first", run, target, unit.now), VENDOR_CALENDAR)
    await clock_queries.save_response_clocks(unit, [ClockOfCase(case.id, case.account_id, clock)])
    ticket.clock_case_id, ticket.clock_run = case.id, run


async def stop_vendor_clock(unit: Unit, ticket: VendorTicketRow) -> None:
    """Stop the clock of a ticket that the vendor has answered; an answer that is too late was missed."""
    item = await _find_clock(unit, ticket)
    if item is None or item.clock.stopped_at is not None:
        return
    clock = stop_response_clock(item.clock, unit.now)
    await clock_queries.save_response_clocks(unit, [replace(item, clock=clock)])
    publish_missed_deadline(unit, item, clock)


async def _find_clock(unit: Unit, ticket: VendorTicketRow) -> ClockOfCase | None:
    if ticket.clock_case_id is None:
        return None
    items = await clock_queries.list_clocks_of_case(unit, ticket.clock_case_id)
    return next((item for item in items if item.clock.whose == "vendor" and item.clock.run == ticket.clock_run), None)
