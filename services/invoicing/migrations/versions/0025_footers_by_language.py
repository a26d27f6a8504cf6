"""A legal entity has a footer for each language of its documents."""

from shared.persistence.migrations import execute_script

revision = "0025"
down_revision = "0024"

COLUMN = "ALTER TABLE invoicing.legal_entities ADD COLUMN footers JSONB"


def upgrade() -> None:
    """Add the column, empty: the one footer stands in every language."""
    execute_script(COLUMN)
