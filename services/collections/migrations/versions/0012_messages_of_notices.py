"""Notices are listed over all accounts, and the message of one that was sent is kept apart from them."""

from shared.persistence.migrations import execute_script

revision = "0012"
down_revision = "0011"

MESSAGES = """
CREATE TABLE collections.notice_messages (
    notice_id UUID NOT NULL REFERENCES collections.notices (id),
    account_id UUID NOT NULL,
    recipient TEXT,
    subject TEXT,
    text TEXT,
    sent_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (notice_id),
    CHECK (num_nulls(recipient, subject, text) IN (0, 3))
);
CREATE INDEX ix_collections_notice_messages_account_id ON collections.notice_messages (account_id);
GRANT SELECT, INSERT, UPDATE, DELETE ON collections.notice_messages TO collections;
CREATE INDEX notices_listed ON collections.notices (state, id);
CREATE INDEX notices_by_time ON collections.notices (created_at)
"""


def upgrade() -> None:
    """Let the list be read by index, and make room for messages, which an erasure empties."""
    execute_script(MESSAGES)
