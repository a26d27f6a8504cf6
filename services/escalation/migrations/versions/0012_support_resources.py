"""What the programme gives us to help ourselves is kept, searched, and counted by what it helped."""

from shared.persistence.migrations import execute_script

revision = "0012"
down_revision = "0011"

TABLES = """
CREATE TABLE escalation.support_resources (
    id UUID NOT NULL,
    version INTEGER NOT NULL,
    reference TEXT NOT NULL,
    kind TEXT NOT NULL,
    title TEXT NOT NULL,
    content TEXT NOT NULL,
    language TEXT NOT NULL,
    products TEXT[] NOT NULL,
    link TEXT,
    valid_from DATE,
    valid_to DATE,
    contract_number TEXT,
    requests_left INTEGER,
    channel TEXT,
    response_times TEXT,
    changed_by TEXT NOT NULL,
    changed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (reference),
    CHECK (kind IN ('training', 'knowledge_base', 'solution', 'membership_support', 'premier_contract')),
    CHECK (language IN ('en', 'de', 'fr', 'ru')),
    CHECK (valid_to >= valid_from),
    CHECK (requests_left >= 0),
    CHECK (kind = 'premier_contract' OR num_nonnulls(contract_number, requests_left, channel) = 0)
);
CREATE INDEX support_resources_by_words ON escalation.support_resources USING gin (
    to_tsvector(CASE language WHEN 'de' THEN 'german'::regconfig WHEN 'fr' THEN 'french'::regconfig
        WHEN 'ru' THEN 'russian'::regconfig ELSE 'english'::regconfig END, title || ' ' || content));
CREATE TABLE escalation.resource_uses (
    id UUID NOT NULL,
    resource_id UUID NOT NULL,
    case_id UUID NOT NULL,
    case_kind TEXT NOT NULL,
    result TEXT NOT NULL,
    actor TEXT NOT NULL,
    consulted_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(resource_id) REFERENCES escalation.support_resources (id),
    FOREIGN KEY(case_id) REFERENCES escalation.cases (id),
    CHECK (result IN ('helped', 'did_not_help', 'not_applicable'))
);
CREATE INDEX resource_uses_of_resource ON escalation.resource_uses (resource_id, result);
CREATE INDEX resource_uses_of_case ON escalation.resource_uses (case_id);
ALTER TABLE escalation.entries
    DROP CONSTRAINT entries_kind_check,
    ADD CHECK (kind IN ('note', 'call', 'message', 'vendor_note', 'state', 'change', 'resource'));
REVOKE UPDATE, DELETE ON escalation.resource_uses FROM escalation
"""

APPEND_ONLY = ("resource_uses",)


def upgrade() -> None:
    """Create the tables."""
    execute_script(TABLES)
