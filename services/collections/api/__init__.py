"""The routes of collections."""

from services.collections.api import guard, notices, policies, standing, suspensions
from shared.http.audit_entries import create_audit_router

ROUTERS = (
    policies.public,
    policies.reads,
    policies.publishing,
    standing.reads,
    suspensions.reads,
    suspensions.writes,
    guard.reads,
    guard.writes,
    guard.limits,
    notices.reads,
    notices.writes,
    create_audit_router("collections"),
)
