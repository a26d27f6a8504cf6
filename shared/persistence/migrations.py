"""Parts of every service's schema beside its own tables: the tables of the backbone, views, rights.

Migrations run as the owner; the service's role may then use its own schema's tables and nothing else.
"""

from collections.abc import Mapping, Sequence

from alembic import context, op
from sqlalchemy import ARRAY, Text, bindparam, text
from sqlalchemy.engine import Connection

from shared.pure.actor_names import fold_actor_name

BACKBONE_1 = """
CREATE TABLE {schema}.streams (
    subject text PRIMARY KEY,
    sequence bigint NOT NULL CHECK (sequence >= 0)
) WITH (fillfactor = 70);

CREATE TABLE {schema}.outbox (
    position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    subject text NOT NULL,
    type text NOT NULL,
    headers jsonb NOT NULL,
    data text NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

CREATE TABLE {schema}.published (
    topic text NOT NULL,
    partition int NOT NULL,
    next_offset bigint NOT NULL,
    PRIMARY KEY (topic, partition)
) WITH (fillfactor = 50);

CREATE TABLE {schema}.consumed (
    topic text NOT NULL,
    partition int NOT NULL,
    next_offset bigint NOT NULL,
    owner uuid,
    PRIMARY KEY (topic, partition)
) WITH (fillfactor = 50);

CREATE TABLE {schema}.watermarks (
    topic text NOT NULL,
    subject text NOT NULL,
    sequence bigint NOT NULL,
    PRIMARY KEY (topic, subject)
) WITH (fillfactor = 70);

CREATE TABLE {schema}.parked (
    topic text NOT NULL,
    subject text NOT NULL,
    sequence bigint NOT NULL,
    event_id text NOT NULL,
    type text NOT NULL,
    headers jsonb NOT NULL,
    data bytea NOT NULL,
    error text,
    parked_at timestamptz NOT NULL,
    PRIMARY KEY (topic, subject, sequence)
);

CREATE TABLE {schema}.skipped (
    event_id text PRIMARY KEY,
    topic text NOT NULL,
    subject text NOT NULL,
    sequence bigint NOT NULL,
    type text NOT NULL,
    headers jsonb NOT NULL,
    data bytea NOT NULL,
    actor text NOT NULL,
    reason text NOT NULL,
    skipped_at timestamptz NOT NULL
);

CREATE TABLE {schema}.stopped (
    id int PRIMARY KEY CHECK (id = 1),
    why text NOT NULL,
    stopped_at timestamptz NOT NULL
);

CREATE TABLE {schema}.intents (
    id uuid PRIMARY KEY,
    kind text NOT NULL,
    account_id uuid NOT NULL,
    key text NOT NULL,
    payload jsonb NOT NULL,
    state text NOT NULL CHECK (state IN ('pending', 'done')),
    due_at timestamptz NOT NULL,
    attempts int NOT NULL,
    leased_until timestamptz,
    last_error text,
    traceparent text NOT NULL,
    created_at timestamptz NOT NULL,
    done_at timestamptz
);
CREATE UNIQUE INDEX intents_one_pending ON {schema}.intents (kind, key) WHERE state = 'pending';
CREATE INDEX intents_due ON {schema}.intents (due_at) WHERE state = 'pending';

CREATE TABLE {schema}.idempotency (
    caller text NOT NULL,
    route text NOT NULL,
    key text NOT NULL,
    body_hash text NOT NULL,
    status int,
    answer text,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (caller, route, key)
);
"""

BACKBONE_2 = """
CREATE INDEX idempotency_age ON {schema}.idempotency (created_at)
"""

BACKBONE_3 = """
ALTER TABLE {schema}.consumed ADD COLUMN types text[];
UPDATE {schema}.consumed SET types = ARRAY[]::text[];
ALTER TABLE {schema}.consumed ALTER COLUMN types SET NOT NULL;
ALTER TABLE {schema}.consumed ADD COLUMN past_until bigint;

ALTER TABLE {schema}.parked ADD COLUMN is_past boolean;
UPDATE {schema}.parked SET is_past = false;
ALTER TABLE {schema}.parked ALTER COLUMN is_past SET NOT NULL;

CREATE TABLE {schema}.backfills (
    topic text NOT NULL,
    partition int NOT NULL,
    types text[] NOT NULL,
    next_offset bigint NOT NULL,
    end_offset bigint NOT NULL,
    applied bigint NOT NULL,
    started_at timestamptz NOT NULL,
    finished_at timestamptz,
    PRIMARY KEY (topic, partition)
);

CREATE TABLE {schema}.backfill_marks (
    topic text NOT NULL,
    partition int NOT NULL,
    subject text NOT NULL,
    sequence bigint NOT NULL,
    PRIMARY KEY (topic, partition, subject)
) WITH (fillfactor = 70);

GRANT SELECT, INSERT, UPDATE, DELETE ON {schema}.backfills, {schema}.backfill_marks TO {schema};
GRANT SELECT ON {schema}.backfills TO monitor
"""

AUDIT_2 = """
CREATE TABLE {schema}.audit_entries (
    id uuid PRIMARY KEY,
    occurred_at timestamptz NOT NULL,
    actor text NOT NULL CHECK (actor <> ''),
    action text NOT NULL,
    account_id uuid,
    object_type text NOT NULL,
    object_id text NOT NULL,
    cause_id text NOT NULL,
    before jsonb,
    after jsonb,
    personal jsonb NOT NULL
);
CREATE INDEX audit_entries_by_time ON {schema}.audit_entries (occurred_at, id);
CREATE INDEX audit_entries_by_account ON {schema}.audit_entries (account_id, occurred_at, id)
    WHERE account_id IS NOT NULL;
CREATE INDEX audit_entries_by_actor ON {schema}.audit_entries (actor, occurred_at, id);
CREATE INDEX audit_entries_by_action ON {schema}.audit_entries (action, occurred_at, id);
CREATE INDEX audit_entries_by_object ON {schema}.audit_entries (object_id, occurred_at, id);
REVOKE ALL ON {schema}.audit_entries FROM {schema};
GRANT SELECT, INSERT, UPDATE (personal) ON {schema}.audit_entries TO {schema};
"""

FOLD_CALLER = """
UPDATE {schema}.idempotency i SET caller = :folded WHERE caller = :caller AND NOT EXISTS (
    SELECT FROM {schema}.idempotency known WHERE (known.caller, known.route, known.key) = (:folded, i.route, i.key)
)
"""

MONITOR_1 = """
CREATE VIEW {schema}.pending_work AS
    SELECT 'outbox' AS kind, type AS name, subject AS detail, NULL::timestamptz AS due_at FROM {schema}.outbox
    UNION ALL
    SELECT 'intent', kind, concat(key, ' ', last_error), due_at FROM {schema}.intents WHERE state = 'pending'
    {due};
GRANT USAGE ON SCHEMA {schema} TO monitor;
GRANT SELECT ON {schema}.pending_work, {schema}.published, {schema}.consumed, {schema}.parked,
    {schema}.stopped, {schema}.streams, {schema}.watermarks TO monitor;
"""

RIGHTS_1 = """
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {schema};
GRANT USAGE ON ALL SEQUENCES IN SCHEMA {schema} TO {schema};
REVOKE ALL ON {schema}.alembic_version FROM {schema};
"""


def run_migrations(schema: str) -> None:
    """Migrate a service's schema on the connection that its `migrations/env.py` is given."""
    connection: Connection = context.config.attributes["connection"]
    context.configure(connection=connection, version_table_schema=schema, transaction_per_migration=True)
    with context.begin_transaction():
        context.run_migrations()


def execute_script(script: str) -> None:
    """Execute the statements of a script one by one (asyncpg prepares each of them)."""
    for statement in script.split(";\n"):
        if statement.strip():
            op.execute(statement)


def create_backbone_tables(schema: str) -> None:
    """Create the tables of the event backbone, first version."""
    execute_script(BACKBONE_1.format(schema=schema))


def index_idempotency_keys(schema: str) -> None:
    """Let old idempotency keys be found by their age."""
    execute_script(BACKBONE_2.format(schema=schema))


def create_backfills(schema: str, consumed_types: Mapping[str, Sequence[str]]) -> None:
    """Let a service that begins to consume a type read its past.

    `consumed_types` says by topic which types the service has consumed so far.
    """
    execute_script(BACKBONE_3.format(schema=schema))
    for topic, types in consumed_types.items():
        op.execute(
            text(f"UPDATE {schema}.consumed SET types = :types WHERE topic = :topic").bindparams(
                bindparam("types", list(types), ARRAY(Text)), bindparam("topic", topic)
            )
        )


def create_pending_work_view(schema: str, due: dict[str, str]) -> None:
    """Create the view of pending work, and let the `monitor` role read it.

    `due` names each sweep and a query of its due rows with the columns detail (text) and due_at.
    """
    parts = (
        f"UNION ALL SELECT 'due', '{name}', detail, due_at FROM ({query}) AS {name}" for name, query in due.items()
    )
    execute_script(MONITOR_1.format(schema=schema, due="\n    ".join(parts)))


def grant_service_rights(schema: str, append_only: tuple[str, ...] = ()) -> None:
    """Let the service's role use its tables; those of `append_only` can be neither changed nor deleted."""
    execute_script(RIGHTS_1.format(schema=schema))
    for table in append_only:
        op.execute(f"REVOKE UPDATE, DELETE ON {schema}.{table} FROM {schema}")


def grant_monitor_views(schema: str, views: dict[str, str]) -> None:
    """Offer views to the `monitor` role, for checks of the end state; `views` names each and its query."""
    for name, query in views.items():
        execute_script(f"CREATE VIEW {schema}.{name} AS {query};\nGRANT SELECT ON {schema}.{name} TO monitor;\n")


def create_audit_entries(schema: str) -> None:
    """Create the audit: the service's role may append entries and empty `personal`, and nothing else."""
    execute_script(AUDIT_2.format(schema=schema))


def fold_idempotency_callers(schema: str) -> None:
    """Let the keys of callers count on for them by the name by which they are known from now on."""
    connection = op.get_bind()
    for (caller,) in connection.execute(text(f"SELECT DISTINCT caller FROM {schema}.idempotency")).all():
        if (folded := fold_actor_name(caller)) != caller:
            connection.execute(text(FOLD_CALLER.format(schema=schema)), {"caller": caller, "folded": folded})
