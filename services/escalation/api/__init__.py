"""The routes of escalation."""

from services.escalation.api import case_moves, cases, disputes, support, threads
from shared.http.audit_entries import create_audit_router
from shared.http.failed_work import create_failed_work_router

ROUTERS = (
    disputes.reads,
    disputes.writes,
    cases.reads,
    cases.writes,
    cases.overviews,
    case_moves.writes,
    threads.reads,
    threads.writes,
    support.reads,
    create_audit_router("escalation"),
    create_failed_work_router("escalation"),
)
