"""The routes of entitlements."""

from services.entitlements.api import access, holds
from shared.web.http.audit_entries import create_audit_router
from shared.web.http.failed_work import create_failed_work_router

ROUTERS = (
    access.reads,
    holds.reads,
    holds.writes,
    create_audit_router("entitlements"),
    create_failed_work_router("entitlements"),
)
