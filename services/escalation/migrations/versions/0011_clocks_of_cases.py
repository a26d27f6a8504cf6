"""Cases have clocks: by when the customer is answered, by the hours of the legal entity."""

from shared.persistence.failed_work_tables import create_pending_work
from shared.persistence.migrations import execute_script

revision = "0011"
down_revision = "0010"

TABLES = """
ALTER TABLE escalation.accounts ADD COLUMN legal_entity TEXT, ADD COLUMN support_level TEXT;
CREATE INDEX ix_escalation_accounts_legal_entity ON escalation.accounts (legal_entity);
CREATE TABLE escalation.calendars (
    legal_entity TEXT NOT NULL,
    time_zone TEXT NOT NULL,
    hours JSONB NOT NULL,
    closed_days JSONB NOT NULL,
    covers_until DATE NOT NULL,
    PRIMARY KEY (legal_entity)
);
CREATE TABLE escalation.response_targets (
    support_level TEXT NOT NULL,
    kind TEXT NOT NULL,
    severity TEXT NOT NULL,
    which TEXT NOT NULL,
    minutes INTEGER NOT NULL,
    business_days INTEGER NOT NULL,
    is_round_the_clock BOOLEAN NOT NULL,
    warn_minutes INTEGER NOT NULL,
    set_by TEXT NOT NULL,
    reason TEXT NOT NULL,
    set_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (support_level, kind, severity, which),
    CHECK (severity IN ('A', 'B', 'C', 'none')),
    CHECK (which IN ('first', 'update', 'resolution')),
    CHECK (minutes >= 0 AND business_days >= 0 AND warn_minutes >= 0),
    CHECK ((minutes = 0) <> (business_days = 0)),
    CHECK (business_days = 0 OR NOT is_round_the_clock)
);
CREATE TABLE escalation.case_clocks (
    case_id UUID NOT NULL,
    whose TEXT NOT NULL,
    which TEXT NOT NULL,
    run INTEGER NOT NULL,
    account_id UUID NOT NULL,
    minutes INTEGER NOT NULL,
    business_days INTEGER NOT NULL,
    is_round_the_clock BOOLEAN NOT NULL,
    warn_minutes INTEGER NOT NULL,
    began_at TIMESTAMP WITH TIME ZONE NOT NULL,
    pauses JSONB NOT NULL,
    due_at TIMESTAMP WITH TIME ZONE,
    warn_at TIMESTAMP WITH TIME ZONE,
    wake_at TIMESTAMP WITH TIME ZONE,
    warned_at TIMESTAMP WITH TIME ZONE,
    missed_at TIMESTAMP WITH TIME ZONE,
    stopped_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (case_id, whose, which, run),
    FOREIGN KEY(case_id) REFERENCES escalation.cases (id),
    CHECK (whose IN ('ours', 'vendor')),
    CHECK (which IN ('first', 'update', 'resolution')),
    CHECK (minutes >= 0 AND business_days >= 0 AND warn_minutes >= 0),
    CHECK ((minutes = 0) <> (business_days = 0)),
    CHECK (business_days = 0 OR NOT is_round_the_clock)
);
CREATE INDEX case_clocks_due ON escalation.case_clocks (wake_at) WHERE wake_at IS NOT NULL;
CREATE INDEX case_clocks_unanswered ON escalation.case_clocks (due_at)
    WHERE whose = 'ours' AND which = 'first' AND stopped_at IS NULL;
CREATE INDEX case_clocks_of_account ON escalation.case_clocks (account_id) WHERE stopped_at IS NULL;
CREATE TABLE escalation.moved_calendars (
    account_id UUID NOT NULL,
    due_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (account_id)
);
ALTER TABLE escalation.cases ADD COLUMN next_deadline_at TIMESTAMP WITH TIME ZONE;
CREATE INDEX cases_by_deadline ON escalation.cases (next_deadline_at, id) WHERE next_deadline_at IS NOT NULL;
"""
PAST = """
INSERT INTO escalation.case_clocks (case_id, whose, which, run, account_id, minutes, business_days, is_round_the_clock,
    warn_minutes, began_at, pauses)
SELECT id, 'ours', 'first', 1, account_id,
    CASE WHEN severity = 'A' THEN 120 WHEN severity = 'B' THEN 240 WHEN severity = 'C' THEN 480 WHEN kind = 'fraud' THEN 60
        ELSE 0 END,
    CASE WHEN kind IN ('technical', 'fraud') THEN 0 ELSE 1 END,
    kind = 'fraud' OR severity IS NOT DISTINCT FROM 'A', 60, opened_at, '[]'
FROM escalation.cases c
WHERE state IN ('new', 'resolved') AND account_id IS NOT NULL AND kind <> 'task'
    AND NOT EXISTS (SELECT FROM escalation.entries e WHERE e.case_id = c.id AND e.channel IS NOT NULL);
INSERT INTO escalation.moved_calendars (account_id, due_at)
SELECT account_id, min(began_at) FROM escalation.case_clocks GROUP BY account_id
"""
"""Cases that wait for a first answer get its clock; a sweep computes the deadlines."""

DUE = {
    "clocks": "SELECT account_id::text AS subject, concat(case_id, ' ', which) AS detail, wake_at AS due_at"
    " FROM escalation.case_clocks WHERE wake_at IS NOT NULL",
    "moved_calendars": "SELECT account_id::text AS subject, 'clocks' AS detail, due_at FROM escalation.moved_calendars",
}


def upgrade() -> None:
    """Create the tables, and the view of pending work anew."""
    execute_script(TABLES)
    execute_script(PAST)
    create_pending_work("escalation", DUE)
