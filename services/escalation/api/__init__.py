"""The routes of escalation."""

from services.escalation.api import cases, disputes
from shared.http.audit_entries import create_audit_router

ROUTERS = (disputes.reads, disputes.writes, cases.reads, cases.writes, create_audit_router("escalation"))
