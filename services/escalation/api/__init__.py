"""The routes of escalation."""

from services.escalation.api import (
    attachments,
    case_moves,
    cases,
    clocks,
    disputes,
    inbound_mails,
    messages,
    resources,
    support,
    threads,
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
    messages.writes,
    attachments.reads,
    attachments.writes,
    inbound_mails.reads,
    inbound_mails.writes,
    inbound_mails.relays,
    inbound_mails.case_writes,
    support.reads,
    resources.reads,
    resources.writes,
    resources.admin,
    create_audit_router("escalation"),
    create_failed_work_router("escalation"),
)
