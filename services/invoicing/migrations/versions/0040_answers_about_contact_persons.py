"""Answers to requests about contact persons are found by their ids, so that they go when the person is erased."""

from shared.persistence.migrations import execute_script

revision = "0040"
down_revision = "0039"

INDEX = """
CREATE INDEX idempotency_of_contact_persons ON invoicing.idempotency ((answer::jsonb ->> 'id'))
WHERE route LIKE '%/contact-persons%';
UPDATE invoicing.idempotency SET answer = 'null'
WHERE route LIKE '%/contact-persons%' AND (answer::jsonb ->> 'id')::uuid IN
    (SELECT id FROM invoicing.contact_persons WHERE erased_at IS NOT NULL)
"""


def upgrade() -> None:
    """Make the index, which no other request writes to, and remove the answers about those who were erased."""
    execute_script(INDEX)
