"""Cases have files."""

from shared.persistence.migrations import execute_script

revision = "0019"
down_revision = "0018"

TABLES = """
CREATE TABLE escalation.attachments (
    id UUID NOT NULL,
    case_id UUID,
    inbound_mail_id UUID,
    audience TEXT NOT NULL,
    name TEXT NOT NULL,
    media_type TEXT NOT NULL,
    size_bytes INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    added_by TEXT,
    added_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(case_id) REFERENCES escalation.cases (id),
    FOREIGN KEY(inbound_mail_id) REFERENCES escalation.inbound_mails (id),
    CHECK (audience IN ('customer', 'vendor', 'internal')),
    CHECK (case_id IS NOT NULL OR inbound_mail_id IS NOT NULL),
    CHECK (size_bytes > 0)
);
CREATE INDEX attachments_of_case ON escalation.attachments (case_id, id);
CREATE INDEX attachments_of_mail ON escalation.attachments (inbound_mail_id, id);
CREATE TABLE escalation.attachment_chunks (
    attachment_id UUID NOT NULL,
    place INTEGER NOT NULL,
    content BYTEA NOT NULL,
    PRIMARY KEY (attachment_id, place),
    FOREIGN KEY(attachment_id) REFERENCES escalation.attachments (id)
);
ALTER TABLE escalation.attachment_chunks ALTER COLUMN content SET STORAGE EXTERNAL;
REVOKE UPDATE, DELETE ON escalation.attachment_chunks FROM escalation;
"""

APPEND_ONLY = ("attachment_chunks",)


def upgrade() -> None:
    """Create the tables."""
    execute_script(TABLES)
