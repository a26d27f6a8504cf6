"""The routes of escalation."""

from services.escalation.api import (
    case_moves,
    cases,
    clocks,
    credit_matching,
    dispute_reasons,
    disputes,
    resources,
    service_credit_types,
    service_credits,
    support,
    threads,
    upholding,
)
from shared.http.audit_entries import create_audit_router
from shared.http.failed_work import create_failed_work_router

ROUTERS = (
    disputes.reads,
    disputes.writes,
    disputes.overrides,
    upholding.writes,
    dispute_reasons.reads,
    dispute_reasons.admin,
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
    service_credits.reads,
    service_credits.writes,
    credit_matching.reads,
    credit_matching.writes,
    service_credit_types.reads,
    service_credit_types.admin,
    create_audit_router("escalation"),
    create_failed_work_router("escalation"),
)
