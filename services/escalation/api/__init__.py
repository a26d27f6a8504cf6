"""The routes of escalation."""

from services.escalation.api import (
    case_moves,
    cases,
    clocks,
    disputes,
    handovers,
    incidents,
    resources,
    support,
    threads,
    vendor_tickets,
)
from shared.http.audit_entries import create_audit_router
from shared.http.failed_work import create_failed_work_router

ROUTERS = (
    disputes.reads,
    disputes.writes,
    cases.reads,
    cases.writes,
    cases.overviews,
    case_moves.writes,
    clocks.reads,
    clocks.admin,
    threads.reads,
    threads.writes,
    support.reads,
    resources.reads,
    resources.writes,
    resources.admin,
    handovers.reads,
    handovers.writes,
    handovers.overrides,
    handovers.admin,
    incidents.reads,
    vendor_tickets.reads,
    vendor_tickets.writes,
    create_audit_router("escalation"),
    create_failed_work_router("escalation"),
)
