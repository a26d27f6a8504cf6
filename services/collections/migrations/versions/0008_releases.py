"""A release of a suspension is a fact with an end; a step that counts no more can be taken again."""

from shared.persistence.migrations import execute_script

revision = "0008"
down_revision = "0007"

RELEASES = """
CREATE TABLE collections.releases (
    suspension_id UUID NOT NULL REFERENCES collections.suspensions (id),
    invoice_id UUID NOT NULL,
    account_id UUID NOT NULL,
    released_at TIMESTAMPTZ NOT NULL,
    until DATE NOT NULL,
    PRIMARY KEY (suspension_id, invoice_id)
);
CREATE INDEX ix_collections_releases_invoice_id ON collections.releases (invoice_id);
ALTER TABLE collections.steps_taken ADD COLUMN attempt INTEGER;
UPDATE collections.steps_taken SET attempt = 1;
ALTER TABLE collections.steps_taken ALTER COLUMN attempt SET NOT NULL;
ALTER TABLE collections.steps_taken DROP CONSTRAINT steps_taken_pkey;
ALTER TABLE collections.steps_taken ADD PRIMARY KEY (invoice_id, round, step, attempt)
"""


def upgrade() -> None:
    """Make room for releases, and number how often a step was taken in a round."""
    execute_script(RELEASES)
