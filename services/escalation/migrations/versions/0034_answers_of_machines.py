"""Answers of machines stand in the thread of their case; answers to requests are found by what they are about."""

from shared.persistence.migrations import execute_script

revision = "0034"
down_revision = "0033"

CHECKS = """
ALTER TABLE escalation.inbound_mails
    DROP CONSTRAINT inbound_mails_check,
    ADD CONSTRAINT inbound_mails_check CHECK (
        CASE state WHEN 'joined' THEN case_id IS NOT NULL WHEN 'automatic' THEN true ELSE case_id IS NULL END)
"""
INDEXES = """
CREATE INDEX idempotency_by_id ON escalation.idempotency ((answer::jsonb ->> 'id'));
CREATE INDEX idempotency_by_case ON escalation.idempotency ((answer::jsonb ->> 'case_id'))
"""


def upgrade() -> None:
    """Let a mail be of a case that a machine wrote, and answers be removed with the words that they have."""
    execute_script(CHECKS)
    execute_script(INDEXES)
