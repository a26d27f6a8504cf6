"""The first tables of escalation, the event backbone's, and who may use them."""

from shared.persistence.migrations import grant_monitor_views, create_backbone_tables, execute_script, create_pending_work_view, grant_service_rights

revision = "0001"
down_revision = None

TABLES = """
CREATE TABLE escalation.accounts (
    account_id UUID NOT NULL,
    currency TEXT NOT NULL,
    PRIMARY KEY (account_id)
);

CREATE TABLE escalation.cases (
    id UUID NOT NULL,
    account_id UUID,
    kind TEXT NOT NULL,
    severity TEXT,
    state TEXT NOT NULL,
    subject TEXT NOT NULL,
    cause TEXT,
    opened_at TIMESTAMP WITH TIME ZONE NOT NULL,
    opened_by TEXT,
    outcome TEXT,
    outcome_at TIMESTAMP WITH TIME ZONE,
    closed_at TIMESTAMP WITH TIME ZONE,
    closed_by TEXT,
    no_customer_affected TEXT,
    PRIMARY KEY (id),
    CHECK (kind IN ('billing_question', 'dispute', 'technical', 'fraud')),
    CHECK (state IN ('open', 'resolved', 'closed')),
    CHECK ((kind = 'technical') = (severity IS NOT NULL)),
    CHECK (severity IN ('A', 'B', 'C')),
    CHECK ((state = 'open') = (outcome IS NULL)),
    CHECK ((state = 'closed') = (closed_at IS NOT NULL))
);

CREATE INDEX cases_of_account ON escalation.cases (account_id);

CREATE UNIQUE INDEX cases_one_open_per_cause ON escalation.cases (cause) WHERE state = 'open';

CREATE TABLE escalation.invoices (
    invoice_id UUID NOT NULL,
    account_id UUID NOT NULL,
    number TEXT NOT NULL,
    currency TEXT NOT NULL,
    PRIMARY KEY (invoice_id)
);

CREATE TABLE escalation.contacts (
    id UUID NOT NULL,
    case_id UUID NOT NULL,
    account_id UUID,
    channel TEXT NOT NULL,
    about_outcome BOOLEAN NOT NULL,
    comment TEXT NOT NULL,
    actor TEXT NOT NULL,
    contacted_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (id),
    CHECK (channel IN ('email', 'phone', 'portal', 'letter')),
    FOREIGN KEY(case_id) REFERENCES escalation.cases (id)
);

CREATE INDEX ix_escalation_contacts_case_id ON escalation.contacts (case_id);

CREATE TABLE escalation.disputes (
    id UUID NOT NULL,
    case_id UUID NOT NULL,
    account_id UUID NOT NULL,
    invoice_id UUID NOT NULL,
    currency TEXT NOT NULL,
    lines JSONB NOT NULL,
    total_minor BIGINT NOT NULL,
    comment TEXT,
    state TEXT NOT NULL,
    refusal TEXT,
    requested_at TIMESTAMP WITH TIME ZONE NOT NULL,
    opened_at TIMESTAMP WITH TIME ZONE,
    ended_at TIMESTAMP WITH TIME ZONE,
    credit_note_id UUID,
    PRIMARY KEY (id),
    CHECK (state IN ('requested', 'opened', 'refused', 'upheld', 'rejected', 'withdrawn')),
    CHECK (total_minor > 0),
    FOREIGN KEY(case_id) REFERENCES escalation.cases (id)
);

CREATE INDEX disputes_of_account ON escalation.disputes (account_id);
"""

DUE: dict[str, str] = {}

APPEND_ONLY: tuple[str, ...] = ("contacts",)

AUDIT: dict[str, str] = {
    "audit_cases": """
SELECT c.id AS case_id, c.state, c.outcome_at, c.no_customer_affected, max(k.contacted_at) AS told_at
FROM escalation.cases c LEFT JOIN escalation.contacts k ON k.case_id = c.id AND k.about_outcome
GROUP BY c.id""",
}


def upgrade() -> None:
    """Create everything."""
    execute_script(TABLES)
    create_backbone_tables("escalation")
    create_pending_work_view("escalation", DUE)
    grant_service_rights("escalation", APPEND_ONLY)
    grant_monitor_views("escalation", AUDIT)
