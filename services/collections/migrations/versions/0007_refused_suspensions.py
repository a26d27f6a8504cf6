"""A suspension that was refused for good says so."""

from shared.persistence.migrations import execute_script

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Make room for the code of a refusal."""
    execute_script("ALTER TABLE collections.suspensions ADD COLUMN vendor_refusal TEXT")
