"""The routes of collections."""

from services.collections.api import (
    guard,
    guard_limits,
    items,
    late_accounts,
    notice_messages,
    notices,
    policies,
    policy_pages,
    standing,
    suspensions,
    waiting_steps,
)
from shared.web.http.audit_entries import create_audit_router
from shared.web.http.failed_work import create_failed_work_router

ROUTERS = (
    policy_pages.public,
    policies.reads,
    policies.publishing,
    standing.reads,
    items.reads,
    late_accounts.reads,
    suspensions.reads,
    suspensions.writes,
    waiting_steps.reads,
    guard.reads,
    guard.writes,
    guard.limits,
    guard_limits.reads,
    guard_limits.decisions,
    notices.reads,
    notice_messages.reads,
    notices.writes,
    create_audit_router("collections"),
    create_failed_work_router("collections"),
)
