"""The tables of failed work in the schema of a service, and the view of pending work without it, for a migration."""

from alembic import op

from shared.persistence.migrations import execute_script

TABLES = """
CREATE TABLE {schema}.failed_work (
    id uuid PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('sweep', 'intent')),
    name text NOT NULL,
    subject text NOT NULL,
    account_id uuid,
    error text NOT NULL,
    failed_at timestamptz NOT NULL,
    UNIQUE (kind, name, subject)
);
CREATE INDEX failed_work_of_account ON {schema}.failed_work (account_id, id) WHERE account_id IS NOT NULL;
CREATE TABLE {schema}.stopped_work (
    kind text NOT NULL CHECK (kind IN ('sweep', 'intent')),
    name text NOT NULL,
    stopped_at timestamptz NOT NULL,
    PRIMARY KEY (kind, name)
);
ALTER TABLE {schema}.intents DROP CONSTRAINT intents_state_check;
ALTER TABLE {schema}.intents ADD CHECK (state IN ('pending', 'done', 'failed'));
ALTER TABLE {schema}.intents ADD COLUMN broken int DEFAULT 0 NOT NULL;
GRANT SELECT ON {schema}.failed_work, {schema}.stopped_work TO monitor;
"""

PENDING_WORK = """
CREATE VIEW {schema}.pending_work AS
    SELECT 'outbox' AS kind, type AS name, subject AS detail, NULL::timestamptz AS due_at FROM {schema}.outbox
    UNION ALL
    SELECT 'intent', kind, concat(key, ' ', last_error), due_at FROM {schema}.intents WHERE state = 'pending'
    {due};
GRANT SELECT ON {schema}.pending_work TO monitor;
"""


def create_failed_work(schema: str, due: dict[str, str]) -> None:
    """Create the tables of failed work, and leave what waits there out of the view of pending work.

    `due` is that of `create_pending_work`.
    """
    execute_script(TABLES.format(schema=schema))
    create_pending_work(schema, due)


def create_pending_work(schema: str, due: dict[str, str]) -> None:
    """Create the view of pending work anew, with all sweeps of a service.

    `due` names each sweep and a query of its due rows with the columns subject (text), detail (text) and due_at.
    """
    parts = (
        f"UNION ALL SELECT 'due', '{name}', detail, due_at FROM ({query}) AS {name} WHERE NOT EXISTS ("
        f"SELECT FROM {schema}.failed_work f WHERE (f.kind, f.name, f.subject) = ('sweep', '{name}', {name}.subject))"
        for name, query in due.items()
    )
    op.execute(f"DROP VIEW {schema}.pending_work")
    execute_script(PENDING_WORK.format(schema=schema, due="\n    ".join(parts)))
