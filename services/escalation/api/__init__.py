"""The routes of escalation."""

from services.escalation.api import cases, disputes

ROUTERS = (disputes.reads, disputes.writes, cases.reads, cases.writes)
