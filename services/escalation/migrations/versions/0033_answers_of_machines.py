"""Answers of machines stand in the thread of their case; they stay what they are."""

from shared.migrations import execute

revision = "0033"
down_revision = "0032"

CHECKS = """
ALTER TABLE escalation.inbound_mails
    DROP CONSTRAINT inbound_mails_check,
    ADD CONSTRAINT inbound_mails_check CHECK (
        CASE state WHEN 'joined' THEN case_id IS NOT NULL WHEN 'automatic' THEN true ELSE case_id IS NULL END)
"""


def upgrade() -> None:
    """Let a mail be of a case that a machine wrote."""
    execute(CHECKS)
