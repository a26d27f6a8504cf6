"""Documents that are sent carry a secret, by which it is known that one came back."""

from shared.persistence.migrations import execute_script

revision = "0037"
down_revision = "0036"

SECRETS = """
ALTER TABLE invoicing.document_deliveries ADD COLUMN secret TEXT, ADD COLUMN bounce_id UUID UNIQUE
"""


def upgrade() -> None:
    """Add the secret and its digest: each delivery gets them before it is sent."""
    execute_script(SECRETS)
