"""What a legal entity publishes about its support."""

from shared.persistence.migrations import execute_script

revision = "0017"
down_revision = "0016"

TABLE = """
CREATE TABLE escalation.support_statements (
    legal_entity TEXT NOT NULL,
    language TEXT NOT NULL,
    content JSONB NOT NULL,
    changed_by TEXT NOT NULL,
    changed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (legal_entity, language),
    CHECK (language IN ('en', 'de', 'fr', 'ru'))
);
"""


def upgrade() -> None:
    """Create the table, empty: nothing is published."""
    execute_script(TABLE)
