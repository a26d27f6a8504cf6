"""Incidents of the vendor's services are known, and the cases that fit are linked to them."""

from shared.persistence.failed_work_tables import create_pending_work
from shared.persistence.migrations import execute_script

revision = "0021"
down_revision = "0020"

TABLES = """
CREATE TABLE escalation.health_watches (
    id UUID NOT NULL,
    legal_entity TEXT NOT NULL,
    next_reading_at TIMESTAMP WITH TIME ZONE NOT NULL,
    read_at TIMESTAMP WITH TIME ZONE,
    reading_refusal TEXT,
    PRIMARY KEY (id),
    UNIQUE (legal_entity),
    FOREIGN KEY(legal_entity) REFERENCES escalation.vendor_channels (legal_entity)
);
CREATE INDEX health_watches_due ON escalation.health_watches (next_reading_at);
CREATE TABLE escalation.incidents (
    reference TEXT NOT NULL,
    title TEXT NOT NULL,
    content TEXT NOT NULL,
    services TEXT[] NOT NULL,
    regions TEXT[] NOT NULL,
    status TEXT NOT NULL,
    began_at TIMESTAMP WITH TIME ZONE,
    ended_at TIMESTAMP WITH TIME ZONE,
    seen_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (reference),
    CHECK (status IN ('active', 'resolved'))
);
CREATE INDEX incidents_by_status ON escalation.incidents (status, reference);
CREATE TABLE escalation.incident_cases (
    reference TEXT NOT NULL,
    case_id UUID NOT NULL,
    linked_at TIMESTAMP WITH TIME ZONE NOT NULL,
    asked_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (reference, case_id),
    FOREIGN KEY(reference) REFERENCES escalation.incidents (reference),
    FOREIGN KEY(case_id) REFERENCES escalation.cases (id)
);
CREATE INDEX incident_cases_of_case ON escalation.incident_cases (case_id);
CREATE INDEX incident_cases_to_ask ON escalation.incident_cases (reference) WHERE asked_at IS NULL;
CREATE INDEX cases_of_products ON escalation.cases (lower(product)) WHERE kind = 'technical'
    AND state IN ('new', 'in_progress', 'waiting_for_customer', 'waiting_for_vendor')
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
}


def upgrade() -> None:
    """Create the tables, and the view of pending work anew."""
    execute_script(TABLES)
    create_pending_work("escalation", DUE)
