"""The routes of escalation."""

from services.escalation.api import cases, disputes
from shared.http.audit_entries import create_audit_router
from shared.http.failed_work import create_failed_work_router

ROUTERS = (
    disputes.reads,
    disputes.writes,
    cases.reads,
    cases.writes,
    create_audit_router("escalation"),
    create_failed_work_router("escalation"),
)
