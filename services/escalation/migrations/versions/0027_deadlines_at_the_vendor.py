"""Support contracts that end and vendor disputes that the vendor does not answer are warned of."""

from shared.persistence.migrations import execute_script

revision = "0027"
down_revision = "0026"

TABLES = """
CREATE TABLE escalation.contract_warnings (
    resource_id UUID NOT NULL,
    valid_to DATE NOT NULL,
    warn_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (resource_id),
    FOREIGN KEY (resource_id) REFERENCES escalation.support_resources (id)
);
CREATE INDEX contract_warnings_due ON escalation.contract_warnings (warn_at) WHERE warn_at IS NOT NULL;
INSERT INTO escalation.streams (subject, sequence)
SELECT id::text, 0 FROM escalation.support_resources WHERE kind = 'premier_contract' AND valid_to IS NOT NULL
ON CONFLICT DO NOTHING;
INSERT INTO escalation.contract_warnings (resource_id, valid_to, warn_at)
SELECT id, valid_to, (valid_to - 30)::timestamp AT TIME ZONE 'UTC'
FROM escalation.support_resources WHERE kind = 'premier_contract' AND valid_to IS NOT NULL;
ALTER TABLE escalation.vendor_disputes
    ADD COLUMN ticket_id UUID REFERENCES escalation.vendor_tickets (id),
    ADD COLUMN warn_at TIMESTAMP WITH TIME ZONE,
    ADD CHECK (warn_at IS NULL OR state = 'open');
UPDATE escalation.vendor_disputes SET warn_at = (deadline - 5)::timestamp AT TIME ZONE 'UTC'
WHERE state = 'open' AND deadline IS NOT NULL;
CREATE INDEX vendor_disputes_due ON escalation.vendor_disputes (warn_at) WHERE warn_at IS NOT NULL;
"""


def upgrade() -> None:
    """Create the warnings of what is there."""
    execute_script(TABLES)
