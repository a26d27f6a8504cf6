"""A legal entity has its own sender, address for answers, signature and language in mails to its customers."""

from shared.persistence.migrations import execute_script

revision = "0024"
down_revision = "0023"

COLUMNS = """
ALTER TABLE invoicing.legal_entities ADD COLUMN mail_from TEXT;
ALTER TABLE invoicing.legal_entities ADD COLUMN reply_to TEXT;
ALTER TABLE invoicing.legal_entities ADD COLUMN signature TEXT;
ALTER TABLE invoicing.legal_entities ADD COLUMN language TEXT
"""


def upgrade() -> None:
    """Add the columns, empty: nobody has said anything for them."""
    execute_script(COLUMNS)
