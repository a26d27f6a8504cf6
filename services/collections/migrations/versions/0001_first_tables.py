"""The first tables of collections, the event backbone's, and who may use them."""

from shared.persistence.migrations import grant_monitor_views, create_backbone_tables, execute_script, create_pending_work_view, grant_service_rights

revision = "0001"
down_revision = None

TABLES = """
CREATE TABLE collections.accounts (
    account_id UUID NOT NULL,
    legal_entity TEXT NOT NULL,
    time_zone TEXT NOT NULL,
    registered_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (account_id)
);

CREATE TABLE collections.balances (
    invoice_id UUID NOT NULL,
    sequence BIGINT NOT NULL,
    account_id UUID NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    lines JSONB NOT NULL,
    event_id TEXT,
    PRIMARY KEY (invoice_id, sequence)
);

CREATE TABLE collections.cases (
    id UUID NOT NULL,
    account_id UUID NOT NULL,
    opened_at TIMESTAMP WITH TIME ZONE NOT NULL,
    closed_at TIMESTAMP WITH TIME ZONE,
    stage TEXT,
    PRIMARY KEY (id)
);

CREATE UNIQUE INDEX cases_one_open ON collections.cases (account_id) WHERE closed_at IS NULL;

CREATE TABLE collections.deferrals (
    invoice_id UUID NOT NULL,
    account_id UUID NOT NULL,
    step TEXT NOT NULL,
    cause TEXT NOT NULL,
    until TIMESTAMP WITH TIME ZONE,
    by_guard BOOLEAN NOT NULL,
    since TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (invoice_id)
);

CREATE TABLE collections.guard (
    id INTEGER NOT NULL,
    stopped BOOLEAN NOT NULL,
    approved_until TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (id),
    CHECK (id = 1)
);

CREATE TABLE collections.guard_decisions (
    id UUID NOT NULL,
    decision TEXT NOT NULL,
    actor TEXT NOT NULL,
    reason TEXT NOT NULL,
    decided_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (id),
    CHECK (decision IN ('stop', 'resume', 'approve'))
);

CREATE TABLE collections.items (
    invoice_id UUID NOT NULL,
    account_id UUID NOT NULL,
    number TEXT NOT NULL,
    currency TEXT NOT NULL,
    due_date DATE NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
    open_minor BIGINT NOT NULL,
    sequence BIGINT NOT NULL,
    due_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (invoice_id)
);

CREATE INDEX items_due ON collections.items (due_at) WHERE due_at IS NOT NULL;

CREATE INDEX items_open ON collections.items (account_id) WHERE open_minor > 0;

CREATE TABLE collections.notices (
    id UUID NOT NULL,
    account_id UUID NOT NULL,
    kind TEXT NOT NULL,
    template TEXT NOT NULL,
    items JSONB NOT NULL,
    state TEXT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    delivered_at TIMESTAMP WITH TIME ZONE,
    failure TEXT,
    PRIMARY KEY (id),
    CHECK (kind IN ('steps', 'suspended', 'restored')),
    CHECK (state IN ('pending', 'sent', 'failed')),
    CHECK ((state = 'sent') = (delivered_at IS NOT NULL))
);

CREATE INDEX ix_collections_notices_account_id ON collections.notices (account_id);

CREATE TABLE collections.overdues (
    invoice_id UUID NOT NULL,
    sequence BIGINT NOT NULL,
    account_id UUID NOT NULL,
    judged_at TIMESTAMP WITH TIME ZONE NOT NULL,
    event_id TEXT NOT NULL,
    PRIMARY KEY (invoice_id, sequence)
);

CREATE TABLE collections.policies (
    version INTEGER NOT NULL,
    name TEXT NOT NULL,
    effective_date DATE NOT NULL,
    document TEXT NOT NULL,
    published_at TIMESTAMP WITH TIME ZONE NOT NULL,
    published_by TEXT NOT NULL,
    reason TEXT NOT NULL,
    PRIMARY KEY (version)
);

CREATE TABLE collections.promises (
    id UUID NOT NULL,
    account_id UUID NOT NULL,
    invoice_id UUID NOT NULL,
    amount_minor BIGINT NOT NULL,
    active_from TIMESTAMP WITH TIME ZONE NOT NULL,
    active_until TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (id),
    CHECK (amount_minor > 0),
    CHECK (active_until > active_from)
);

CREATE INDEX ix_collections_promises_invoice_id ON collections.promises (invoice_id);

CREATE TABLE collections.steps_taken (
    invoice_id UUID NOT NULL,
    round INTEGER NOT NULL,
    step TEXT NOT NULL,
    account_id UUID NOT NULL,
    outcome TEXT NOT NULL,
    taken_at TIMESTAMP WITH TIME ZONE NOT NULL,
    instant TIMESTAMP WITH TIME ZONE NOT NULL,
    policy_version INTEGER NOT NULL,
    dunnable_minor BIGINT NOT NULL,
    notice_id UUID,
    replaced_by TEXT,
    PRIMARY KEY (invoice_id, round, step),
    CHECK (outcome IN ('notice', 'skipped', 'requested'))
);

CREATE TABLE collections.suspensions (
    id UUID NOT NULL,
    account_id UUID NOT NULL,
    subscription_id UUID NOT NULL,
    state TEXT NOT NULL,
    policy_version INTEGER NOT NULL,
    step TEXT NOT NULL,
    requested_at TIMESTAMP WITH TIME ZONE NOT NULL,
    effective_at TIMESTAMP WITH TIME ZONE,
    vendor_bills_on BOOLEAN,
    ended_at TIMESTAMP WITH TIME ZONE,
    ended_because TEXT,
    PRIMARY KEY (id),
    CHECK (state IN ('requested', 'effective', 'withdrawn', 'ending', 'ended'))
);

CREATE INDEX ix_collections_suspensions_account_id ON collections.suspensions (account_id);

CREATE UNIQUE INDEX suspensions_one_standing ON collections.suspensions (subscription_id) WHERE state IN ('requested', 'effective');

CREATE INDEX suspensions_requested ON collections.suspensions (requested_at);

CREATE TABLE collections.suspension_causes (
    suspension_id UUID NOT NULL,
    invoice_id UUID NOT NULL,
    round INTEGER NOT NULL,
    account_id UUID NOT NULL,
    caused_at TIMESTAMP WITH TIME ZONE NOT NULL,
    dunnable_minor BIGINT NOT NULL,
    currency TEXT NOT NULL,
    ended_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (suspension_id, invoice_id, round),
    FOREIGN KEY(suspension_id) REFERENCES collections.suspensions (id)
);
"""

DUE: dict[str, str] = {
    "steps": "SELECT invoice_id::text AS detail, due_at FROM collections.items WHERE due_at IS NOT NULL",
}

APPEND_ONLY: tuple[str, ...] = ("policies", "overdues", "guard_decisions")

AUDIT: dict[str, str] = {
    "audit_balances": """
SELECT last.invoice_id, sum((line->>'open_minor')::bigint)::bigint AS open_minor,
    sum((line->>'disputed_minor')::bigint)::bigint AS disputed_minor,
    sum((line->>'in_flight_minor')::bigint)::bigint AS in_flight_minor
FROM (SELECT DISTINCT ON (invoice_id) invoice_id, lines FROM collections.balances
    ORDER BY invoice_id, sequence DESC) last, jsonb_array_elements(last.lines) AS line
GROUP BY last.invoice_id""",
    "audit_steps": """
SELECT s.invoice_id, s.round, s.step AS stands_for, coalesce(n.delivered_at, m.delivered_at) AS delivered_at
FROM collections.steps_taken s
LEFT JOIN collections.notices n ON n.id = s.notice_id
LEFT JOIN collections.steps_taken r
    ON r.invoice_id = s.invoice_id AND r.round = s.round AND r.step = s.replaced_by
LEFT JOIN collections.notices m ON m.id = r.notice_id""",
    "audit_suspensions": """
SELECT s.id, s.account_id, s.step, s.policy_version, c.invoice_id, c.round, c.caused_at
FROM collections.suspensions s JOIN collections.suspension_causes c ON c.suspension_id = s.id""",
}


def upgrade() -> None:
    """Create everything."""
    execute_script(TABLES)
    create_backbone_tables("collections")
    create_pending_work_view("collections", DUE)
    grant_service_rights("collections", APPEND_ONLY)
    grant_monitor_views("collections", AUDIT)
    execute_script("INSERT INTO collections.guard (id, stopped, approved_until) VALUES (1, false, NULL);\n")
