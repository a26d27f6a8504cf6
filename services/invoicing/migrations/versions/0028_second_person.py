"""A legal entity says whether a second person has to agree to what is within the limit of the first."""

from shared.persistence.migrations import execute_script

revision = "0028"
down_revision = "0027"

TABLE = """
CREATE TABLE invoicing.second_person_rules (
    legal_entity TEXT NOT NULL,
    is_required BOOLEAN NOT NULL,
    set_by TEXT NOT NULL,
    reason TEXT NOT NULL,
    set_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (legal_entity),
    FOREIGN KEY(legal_entity) REFERENCES invoicing.legal_entities (code)
)
"""


def upgrade() -> None:
    """Add the table, empty: a second person is required."""
    execute_script(TABLE)
