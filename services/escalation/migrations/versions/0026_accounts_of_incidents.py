"""Accounts with cases that an incident is about are looked at one by one."""

from shared.failed_work_tables import create_pending_work
from shared.migrations import execute

revision = "0026"
down_revision = "0025"

TABLE = """
CREATE TABLE escalation.incident_accounts (
    account_id UUID NOT NULL,
    due_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (account_id)
);
"""
DUE = {
    "clocks": "SELECT account_id::text AS subject, concat(case_id, ' ', which) AS detail, wake_at AS due_at"
    " FROM escalation.case_clocks WHERE wake_at IS NOT NULL",
    "moved_calendars": "SELECT account_id::text AS subject, 'clocks' AS detail, due_at FROM escalation.moved_calendars",
    "paused_disputes": "SELECT account_id::text AS subject, id::text AS detail, paused_until AS due_at"
    " FROM escalation.disputes WHERE paused_until IS NOT NULL AND ended_at IS NULL",
    "service_credits": "SELECT account_id::text AS subject, id::text AS detail, wake_at AS due_at"
    " FROM escalation.service_credits WHERE wake_at IS NOT NULL",
    "vendor_tickets": "SELECT coalesce(account_id, case_id)::text AS subject, id::text AS detail,"
    " next_reading_at AS due_at FROM escalation.vendor_tickets WHERE next_reading_at IS NOT NULL",
    "service_health": "SELECT id::text AS subject, legal_entity AS detail, next_reading_at AS due_at"
    " FROM escalation.health_watches",
    "incident_cases": "SELECT account_id::text AS subject, 'incidents' AS detail, due_at"
    " FROM escalation.incident_accounts",
}


def upgrade() -> None:
    """Create the table, empty, and the view of pending work anew."""
    execute(TABLE)
    create_pending_work("escalation", DUE)
