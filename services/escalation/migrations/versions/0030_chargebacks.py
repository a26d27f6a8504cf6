"""Chargebacks have a case, and a last day on which the card network takes an answer."""

from shared.persistence.migrations import execute_script

revision = "0030"
down_revision = "0029"

TABLE = """
CREATE TABLE escalation.chargebacks (
    chargeback_id UUID NOT NULL,
    case_id UUID NOT NULL,
    account_id UUID NOT NULL,
    answer_by DATE NOT NULL,
    state TEXT NOT NULL,
    warned_at TIMESTAMP WITH TIME ZONE,
    ended_at TIMESTAMP WITH TIME ZONE,
    wake_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (chargeback_id),
    FOREIGN KEY(case_id) REFERENCES escalation.cases (id),
    CHECK (state IN ('open', 'won', 'lost')),
    CHECK ((state = 'open') = (ended_at IS NULL)),
    CHECK (wake_at IS NULL OR state = 'open')
);
CREATE INDEX chargebacks_of_case ON escalation.chargebacks (case_id);
CREATE INDEX chargebacks_due ON escalation.chargebacks (wake_at) WHERE wake_at IS NOT NULL;
ALTER TABLE escalation.case_links DROP CONSTRAINT case_links_kind_check,
    ADD CHECK (kind IN ('account', 'invoice', 'subscription', 'suspension', 'vendor_difference', 'case', 'chargeback'));
"""


def upgrade() -> None:
    """Create the table, empty, and let cases be linked to chargebacks."""
    execute_script(TABLE)
