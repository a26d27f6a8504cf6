"""Notices carry a secret, by which it is known that one came back."""

from shared.persistence.migrations import execute_script

revision = "0015"
down_revision = "0014"

SECRETS = """
ALTER TABLE collections.notices ADD COLUMN secret TEXT, ADD COLUMN bounce_id UUID UNIQUE
"""


def upgrade() -> None:
    """Add the secret and its digest: each notice gets them before it is sent."""
    execute_script(SECRETS)
