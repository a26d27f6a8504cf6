-- The schema collections as its migrations make it. Written by `make schemas`; a test holds it.
-- It is read, never run: migrations/ changes it.

-- account: The billing customer: who is invoiced, in one currency and time zone.
CREATE TABLE collections.accounts (
    account_id uuid NOT NULL,
    legal_entity text NOT NULL,
    time_zone text NOT NULL,
    registered_at timestamp with time zone NOT NULL,
    CONSTRAINT accounts_pkey PRIMARY KEY (account_id)
);
CREATE INDEX accounts_by_entity ON collections.accounts USING btree (legal_entity, account_id);
GRANT SELECT, INSERT, UPDATE, DELETE ON collections.accounts TO collections;

CREATE TABLE collections.alembic_version (
    version_num character varying(32) NOT NULL,
    CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);

-- audit entry: The record of one request or command that changed something: who, what, when and why.
CREATE TABLE collections.audit_entries (
    id uuid NOT NULL,
    occurred_at timestamp with time zone NOT NULL,
    actor text NOT NULL,
    action text NOT NULL,
    account_id uuid,
    object_type text NOT NULL,
    object_id text NOT NULL,
    cause_id text NOT NULL,
    before jsonb,
    after jsonb,
    personal jsonb NOT NULL,
    CONSTRAINT audit_entries_pkey PRIMARY KEY (id),
    CONSTRAINT audit_entries_actor_check CHECK ((actor <> ''::text))
);
CREATE INDEX audit_entries_by_account ON collections.audit_entries USING btree (account_id, occurred_at, id) WHERE (account_id IS NOT NULL);
CREATE INDEX audit_entries_by_action ON collections.audit_entries USING btree (action, occurred_at, id);
CREATE INDEX audit_entries_by_actor ON collections.audit_entries USING btree (actor, occurred_at, id);
CREATE INDEX audit_entries_by_object ON collections.audit_entries USING btree (object_id, occurred_at, id);
CREATE INDEX audit_entries_by_time ON collections.audit_entries USING btree (occurred_at, id);
GRANT SELECT, INSERT ON collections.audit_entries TO collections;
GRANT UPDATE (personal) ON collections.audit_entries TO collections;

-- backfill mark: The sequence up to which a subject's past was read.
CREATE TABLE collections.backfill_marks (
    topic text NOT NULL,
    partition integer NOT NULL,
    subject text NOT NULL,
    sequence bigint NOT NULL,
    CONSTRAINT backfill_marks_pkey PRIMARY KEY (topic, partition, subject)
);
GRANT SELECT, INSERT, UPDATE, DELETE ON collections.backfill_marks TO collections;

-- backfill: The reading of a topic's past for types that are consumed for the first time.
CREATE TABLE collections.backfills (
    topic text NOT NULL,
    partition integer NOT NULL,
    types text[] NOT NULL,
    next_offset bigint NOT NULL,
    end_offset bigint NOT NULL,
    applied bigint NOT NULL,
    started_at timestamp with time zone NOT NULL,
    finished_at timestamp with time zone,
    CONSTRAINT backfills_pkey PRIMARY KEY (topic, partition)
);
GRANT SELECT, INSERT, UPDATE, DELETE ON collections.backfills TO collections;
GRANT SELECT ON collections.backfills TO monitor;

-- balance: What an invoice comes to at a sequence: open, disputed, in flight, as collections heard it.
CREATE TABLE collections.balances (
    invoice_id uuid NOT NULL,
    sequence bigint NOT NULL,
    account_id uuid NOT NULL,
    at timestamp with time zone NOT NULL,
    lines jsonb NOT NULL,
    event_id text,
    CONSTRAINT balances_pkey PRIMARY KEY (invoice_id, sequence)
);
GRANT SELECT, INSERT, UPDATE, DELETE ON collections.balances TO collections;

CREATE TABLE collections.cases (
    id uuid NOT NULL,
    account_id uuid NOT NULL,
    opened_at timestamp with time zone NOT NULL,
    closed_at timestamp with time zone,
    stage text,
    oldest_due_date date,
    CONSTRAINT cases_pkey PRIMARY KEY (id),
    CONSTRAINT cases_check CHECK (((closed_at IS NOT NULL) OR (oldest_due_date IS NOT NULL)))
);
CREATE UNIQUE INDEX cases_one_open ON collections.cases USING btree (account_id) WHERE (closed_at IS NULL);
CREATE INDEX cases_open ON collections.cases USING btree (id) WHERE (closed_at IS NULL);
CREATE INDEX cases_open_by_age ON collections.cases USING btree (oldest_due_date) WHERE (closed_at IS NULL);
CREATE INDEX cases_open_by_stage ON collections.cases USING btree (stage, id) WHERE (closed_at IS NULL);
GRANT SELECT, INSERT, UPDATE, DELETE ON collections.cases TO collections;

-- published offset: The offset of a partition up to which the relay has published.
CREATE TABLE collections.consumed (
    topic text NOT NULL,
    partition integer NOT NULL,
    next_offset bigint NOT NULL,
    owner uuid,
    types text[] NOT NULL,
    past_until bigint,
    CONSTRAINT consumed_pkey PRIMARY KEY (topic, partition)
);
GRANT SELECT, INSERT, UPDATE, DELETE ON collections.consumed TO collections;
GRANT SELECT ON collections.consumed TO monitor;

-- deferral: A step whose day has come and that waits, with the cause.
CREATE TABLE collections.deferrals (
    invoice_id uuid NOT NULL,
    account_id uuid NOT NULL,
    step text NOT NULL,
    cause text NOT NULL,
    until timestamp with time zone,
    since timestamp with time zone NOT NULL,
    waits_for text NOT NULL,
    CONSTRAINT deferrals_pkey PRIMARY KEY (invoice_id),
    CONSTRAINT deferrals_waits_for_check CHECK ((waits_for = ANY (ARRAY['guard'::text, 'bank_data'::text, 'policy'::text])))
);
CREATE INDEX deferrals_listed ON collections.deferrals USING btree (waits_for, invoice_id);
CREATE INDEX ix_collections_deferrals_account_id ON collections.deferrals USING btree (account_id);
GRANT SELECT, INSERT, UPDATE, DELETE ON collections.deferrals TO collections;

-- failed work: An account that breaks a sweep, or a call that breaks, set aside until a person has it tried again.
CREATE TABLE collections.failed_work (
    id uuid NOT NULL,
    kind text NOT NULL,
    name text NOT NULL,
    subject text NOT NULL,
    account_id uuid,
    error text NOT NULL,
    failed_at timestamp with time zone NOT NULL,
    CONSTRAINT failed_work_pkey PRIMARY KEY (id),
    CONSTRAINT failed_work_kind_name_subject_key UNIQUE (kind, name, subject),
    CONSTRAINT failed_work_kind_check CHECK ((kind = ANY (ARRAY['sweep'::text, 'intent'::text])))
);
CREATE INDEX failed_work_of_account ON collections.failed_work USING btree (account_id, id) WHERE (account_id IS NOT NULL);
GRANT SELECT, INSERT, UPDATE, DELETE ON collections.failed_work TO collections;
GRANT SELECT ON collections.failed_work TO monitor;

-- guard: The limit on suspensions that stops a flood until a person approves.
CREATE TABLE collections.guard (
    id integer NOT NULL,
    stopped boolean NOT NULL,
    approved_until timestamp with time zone,
    suspensions_per_hour integer,
    share_of_accounts_percent integer,
    CONSTRAINT guard_pkey PRIMARY KEY (id),
    CONSTRAINT guard_check CHECK (((suspensions_per_hour IS NULL) = (share_of_accounts_percent IS NULL))),
    CONSTRAINT guard_id_check CHECK ((id = 1)),
    CONSTRAINT guard_share_of_accounts_percent_check CHECK (((share_of_accounts_percent >= 0) AND (share_of_accounts_percent <= 100))),
    CONSTRAINT guard_suspensions_per_hour_check CHECK ((suspensions_per_hour >= 0))
);
GRANT SELECT, INSERT, UPDATE, DELETE ON collections.guard TO collections;

-- guard decision: What a person decided about suspensions that the guard had stopped.
CREATE TABLE collections.guard_decisions (
    id uuid NOT NULL,
    decision text NOT NULL,
    actor text NOT NULL,
    reason text NOT NULL,
    decided_at timestamp with time zone NOT NULL,
    CONSTRAINT guard_decisions_pkey PRIMARY KEY (id),
    CONSTRAINT guard_decisions_decision_check CHECK ((decision = ANY (ARRAY['stop'::text, 'resume'::text, 'approve'::text, 'set_limits'::text])))
);
GRANT SELECT, INSERT ON collections.guard_decisions TO collections;

-- guard limit change: A change of the limits of the guard: carried out at once, or proposed to a second person.
CREATE TABLE collections.guard_limit_changes (
    id uuid NOT NULL,
    former jsonb NOT NULL,
    wanted jsonb NOT NULL,
    reason text NOT NULL,
    state text NOT NULL,
    proposed_by text NOT NULL,
    proposed_at timestamp with time zone NOT NULL,
    decided_by text,
    decision_reason text,
    decided_at timestamp with time zone,
    CONSTRAINT guard_limit_changes_pkey PRIMARY KEY (id),
    CONSTRAINT guard_limit_changes_check CHECK (((state = 'proposed'::text) = (decided_at IS NULL))),
    CONSTRAINT guard_limit_changes_check1 CHECK ((num_nulls(decided_by, decision_reason) = ANY (ARRAY[0, 2]))),
    CONSTRAINT guard_limit_changes_check2 CHECK (((state = ANY (ARRAY['proposed'::text, 'carried_out'::text])) OR (decided_by IS NOT NULL))),
    CONSTRAINT guard_limit_changes_check3 CHECK (((state = 'withdrawn'::text) OR (decided_by IS DISTINCT FROM proposed_by))),
    CONSTRAINT guard_limit_changes_state_check CHECK ((state = ANY (ARRAY['proposed'::text, 'carried_out'::text, 'declined'::text, 'withdrawn'::text])))
);
CREATE UNIQUE INDEX guard_limit_changes_standing ON collections.guard_limit_changes USING btree (state) WHERE (state = 'proposed'::text);
GRANT SELECT, INSERT ON collections.guard_limit_changes TO collections;
GRANT UPDATE (state, decided_by, decision_reason, decided_at) ON collections.guard_limit_changes TO collections;

-- idempotency key: The caller's name for one change; a repeat gets the first answer.
CREATE TABLE collections.idempotency (
    caller text NOT NULL,
    route text NOT NULL,
    key text NOT NULL,
    body_hash text NOT NULL,
    status integer,
    answer text,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT idempotency_pkey PRIMARY KEY (caller, route, key)
);
CREATE INDEX idempotency_age ON collections.idempotency USING btree (created_at);
GRANT SELECT, INSERT, UPDATE, DELETE ON collections.idempotency TO collections;

-- intent: A committed wish to call the outside.
CREATE TABLE collections.intents (
    id uuid NOT NULL,
    kind text NOT NULL,
    account_id uuid NOT NULL,
    key text NOT NULL,
    payload jsonb NOT NULL,
    state text NOT NULL,
    due_at timestamp with time zone NOT NULL,
    attempts integer NOT NULL,
    leased_until timestamp with time zone,
    last_error text,
    traceparent text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    done_at timestamp with time zone,
    broken integer NOT NULL DEFAULT 0,
    CONSTRAINT intents_pkey PRIMARY KEY (id),
    CONSTRAINT intents_state_check CHECK ((state = ANY (ARRAY['pending'::text, 'done'::text, 'failed'::text])))
);
CREATE INDEX intents_due ON collections.intents USING btree (due_at) WHERE (state = 'pending'::text);
CREATE UNIQUE INDEX intents_one_pending ON collections.intents USING btree (kind, key) WHERE (state = 'pending'::text);
GRANT SELECT, INSERT, UPDATE, DELETE ON collections.intents TO collections;

-- dunning item: One invoice as collections sees it.
CREATE TABLE collections.items (
    invoice_id uuid NOT NULL,
    account_id uuid NOT NULL,
    number text NOT NULL,
    currency text NOT NULL,
    due_date date NOT NULL,
    recorded_at timestamp with time zone NOT NULL,
    open_minor bigint NOT NULL,
    sequence bigint NOT NULL,
    due_at timestamp with time zone,
    CONSTRAINT items_pkey PRIMARY KEY (invoice_id)
);
CREATE INDEX items_due ON collections.items USING btree (due_at) WHERE (due_at IS NOT NULL);
CREATE INDEX items_standing ON collections.items USING btree (account_id) WHERE ((open_minor > 0) OR (due_at IS NOT NULL));
GRANT SELECT, INSERT, UPDATE, DELETE ON collections.items TO collections;

-- notice message: One message of a notice to one recipient, with what became of it.
CREATE TABLE collections.notice_messages (
    notice_id uuid NOT NULL,
    account_id uuid NOT NULL,
    recipient text,
    subject text,
    text text,
    sent_at timestamp with time zone NOT NULL,
    CONSTRAINT notice_messages_pkey PRIMARY KEY (notice_id),
    CONSTRAINT notice_messages_notice_id_fkey FOREIGN KEY (notice_id) REFERENCES collections.notices(id),
    CONSTRAINT notice_messages_check CHECK ((num_nulls(recipient, subject, text) = ANY (ARRAY[0, 3])))
);
CREATE INDEX ix_collections_notice_messages_account_id ON collections.notice_messages USING btree (account_id);
GRANT SELECT, INSERT, UPDATE, DELETE ON collections.notice_messages TO collections;

-- notice: A message that a policy step or a change of access sends.
CREATE TABLE collections.notices (
    id uuid NOT NULL,
    account_id uuid NOT NULL,
    kind text NOT NULL,
    template text NOT NULL,
    items jsonb NOT NULL,
    state text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    delivered_at timestamp with time zone,
    failure text,
    subscription_ids uuid[] NOT NULL,
    secret text,
    bounce_id uuid,
    CONSTRAINT notices_pkey PRIMARY KEY (id),
    CONSTRAINT notices_bounce_id_key UNIQUE (bounce_id),
    CONSTRAINT notices_check CHECK (((state = 'sent'::text) = (delivered_at IS NOT NULL))),
    CONSTRAINT notices_kind_check CHECK ((kind = ANY (ARRAY['steps'::text, 'suspended'::text, 'restored'::text]))),
    CONSTRAINT notices_state_check CHECK ((state = ANY (ARRAY['pending'::text, 'sent'::text, 'failed'::text, 'withdrawn'::text])))
);
CREATE INDEX ix_collections_notices_account_id ON collections.notices USING btree (account_id);
CREATE INDEX notices_by_time ON collections.notices USING btree (created_at);
CREATE INDEX notices_listed ON collections.notices USING btree (state, id);
GRANT SELECT, INSERT, UPDATE, DELETE ON collections.notices TO collections;

-- outbox: Events that are committed and not yet published.
CREATE TABLE collections.outbox (
    position bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    subject text NOT NULL,
    type text NOT NULL,
    headers jsonb NOT NULL,
    data text NOT NULL,
    CONSTRAINT outbox_pkey PRIMARY KEY ("position")
);
GRANT SELECT, INSERT, UPDATE, DELETE ON collections.outbox TO collections;

-- overdue: Past the due date at a local midnight with something due.
CREATE TABLE collections.overdues (
    invoice_id uuid NOT NULL,
    sequence bigint NOT NULL,
    account_id uuid NOT NULL,
    judged_at timestamp with time zone NOT NULL,
    event_id text NOT NULL,
    CONSTRAINT overdues_pkey PRIMARY KEY (invoice_id, sequence)
);
GRANT SELECT, INSERT ON collections.overdues TO collections;

-- parked event: An event that could not be applied and waits for a person.
CREATE TABLE collections.parked (
    topic text NOT NULL,
    subject text NOT NULL,
    sequence bigint NOT NULL,
    event_id text NOT NULL,
    type text NOT NULL,
    headers jsonb NOT NULL,
    data bytea NOT NULL,
    error text,
    parked_at timestamp with time zone NOT NULL,
    is_past boolean NOT NULL,
    CONSTRAINT parked_pkey PRIMARY KEY (topic, subject, sequence)
);
GRANT SELECT, INSERT, UPDATE, DELETE ON collections.parked TO collections;
GRANT SELECT ON collections.parked TO monitor;

-- collection policy: The versioned document of steps that customers can read.
CREATE TABLE collections.policies (
    version integer NOT NULL,
    name text NOT NULL,
    effective_date date NOT NULL,
    document text NOT NULL,
    published_at timestamp with time zone NOT NULL,
    published_by text NOT NULL,
    reason text NOT NULL,
    CONSTRAINT policies_pkey PRIMARY KEY (version)
);
GRANT SELECT, INSERT ON collections.policies TO collections;

-- promise to pay: A date and amount that the customer has promised.
CREATE TABLE collections.promises (
    id uuid NOT NULL,
    account_id uuid NOT NULL,
    invoice_id uuid NOT NULL,
    amount_minor bigint NOT NULL,
    active_from timestamp with time zone NOT NULL,
    active_until timestamp with time zone NOT NULL,
    CONSTRAINT promises_pkey PRIMARY KEY (id),
    CONSTRAINT promises_amount_minor_check CHECK ((amount_minor > 0)),
    CONSTRAINT promises_check CHECK ((active_until > active_from))
);
CREATE INDEX ix_collections_promises_invoice_id ON collections.promises USING btree (invoice_id);
GRANT SELECT, INSERT, UPDATE, DELETE ON collections.promises TO collections;

-- published offset: The offset of a partition up to which the relay has published.
CREATE TABLE collections.published (
    topic text NOT NULL,
    partition integer NOT NULL,
    next_offset bigint NOT NULL,
    CONSTRAINT published_pkey PRIMARY KEY (topic, partition)
);
GRANT SELECT, INSERT, UPDATE, DELETE ON collections.published TO collections;
GRANT SELECT ON collections.published TO monitor;

-- release of a suspension: A person gives access back up to a day, though the debt stands.
CREATE TABLE collections.releases (
    suspension_id uuid NOT NULL,
    invoice_id uuid NOT NULL,
    account_id uuid NOT NULL,
    released_at timestamp with time zone NOT NULL,
    until date NOT NULL,
    CONSTRAINT releases_pkey PRIMARY KEY (suspension_id, invoice_id),
    CONSTRAINT releases_suspension_id_fkey FOREIGN KEY (suspension_id) REFERENCES collections.suspensions(id)
);
CREATE INDEX ix_collections_releases_invoice_id ON collections.releases USING btree (invoice_id);
GRANT SELECT, INSERT, UPDATE, DELETE ON collections.releases TO collections;

-- redrive: To continue with what is parked.
CREATE TABLE collections.skipped (
    event_id text NOT NULL,
    topic text NOT NULL,
    subject text NOT NULL,
    sequence bigint NOT NULL,
    type text NOT NULL,
    headers jsonb NOT NULL,
    data bytea NOT NULL,
    actor text NOT NULL,
    reason text NOT NULL,
    skipped_at timestamp with time zone NOT NULL,
    CONSTRAINT skipped_pkey PRIMARY KEY (event_id)
);
GRANT SELECT, INSERT, UPDATE, DELETE ON collections.skipped TO collections;

CREATE TABLE collections.steps_taken (
    invoice_id uuid NOT NULL,
    round integer NOT NULL,
    step text NOT NULL,
    account_id uuid NOT NULL,
    outcome text NOT NULL,
    taken_at timestamp with time zone NOT NULL,
    instant timestamp with time zone NOT NULL,
    policy_version integer NOT NULL,
    dunnable_minor bigint NOT NULL,
    notice_id uuid,
    replaced_by text,
    attempt integer NOT NULL,
    CONSTRAINT steps_taken_pkey PRIMARY KEY (invoice_id, round, step, attempt),
    CONSTRAINT steps_taken_outcome_check CHECK ((outcome = ANY (ARRAY['notice'::text, 'skipped'::text, 'requested'::text])))
);
GRANT SELECT, INSERT, UPDATE, DELETE ON collections.steps_taken TO collections;

-- stopped group: A consumer that has stopped, since too many events of different subjects failed at once.
CREATE TABLE collections.stopped (
    id integer NOT NULL,
    why text NOT NULL,
    stopped_at timestamp with time zone NOT NULL,
    CONSTRAINT stopped_pkey PRIMARY KEY (id),
    CONSTRAINT stopped_id_check CHECK ((id = 1))
);
GRANT SELECT, INSERT, UPDATE, DELETE ON collections.stopped TO collections;
GRANT SELECT ON collections.stopped TO monitor;

-- stopped work: A sweep or kind of call of which too many subjects failed.
CREATE TABLE collections.stopped_work (
    kind text NOT NULL,
    name text NOT NULL,
    stopped_at timestamp with time zone NOT NULL,
    CONSTRAINT stopped_work_pkey PRIMARY KEY (kind, name),
    CONSTRAINT stopped_work_kind_check CHECK ((kind = ANY (ARRAY['sweep'::text, 'intent'::text])))
);
GRANT SELECT, INSERT, UPDATE, DELETE ON collections.stopped_work TO collections;
GRANT SELECT ON collections.stopped_work TO monitor;

-- stream: The last sequence of a subject, and the lock under which it changes.
CREATE TABLE collections.streams (
    subject text NOT NULL,
    sequence bigint NOT NULL,
    CONSTRAINT streams_pkey PRIMARY KEY (subject),
    CONSTRAINT streams_sequence_check CHECK ((sequence >= 0))
);
GRANT SELECT, INSERT, UPDATE, DELETE ON collections.streams TO collections;
GRANT SELECT ON collections.streams TO monitor;

-- cause: An invoice for which a suspension stands.
CREATE TABLE collections.suspension_causes (
    suspension_id uuid NOT NULL,
    invoice_id uuid NOT NULL,
    round integer NOT NULL,
    account_id uuid NOT NULL,
    caused_at timestamp with time zone NOT NULL,
    dunnable_minor bigint NOT NULL,
    currency text NOT NULL,
    ended_at timestamp with time zone,
    CONSTRAINT suspension_causes_pkey PRIMARY KEY (suspension_id, invoice_id, round),
    CONSTRAINT suspension_causes_suspension_id_fkey FOREIGN KEY (suspension_id) REFERENCES collections.suspensions(id)
);
GRANT SELECT, INSERT, UPDATE, DELETE ON collections.suspension_causes TO collections;

-- suspension: The wanted end of access for unpaid invoices, from request to end.
CREATE TABLE collections.suspensions (
    id uuid NOT NULL,
    account_id uuid NOT NULL,
    subscription_id uuid NOT NULL,
    state text NOT NULL,
    policy_version integer NOT NULL,
    step text NOT NULL,
    requested_at timestamp with time zone NOT NULL,
    effective_at timestamp with time zone,
    vendor_bills_on boolean,
    ended_at timestamp with time zone,
    ended_because text,
    vendor_refusal text,
    CONSTRAINT suspensions_pkey PRIMARY KEY (id),
    CONSTRAINT suspensions_state_check CHECK ((state = ANY (ARRAY['requested'::text, 'effective'::text, 'withdrawn'::text, 'ending'::text, 'ended'::text])))
);
CREATE INDEX ix_collections_suspensions_account_id ON collections.suspensions USING btree (account_id);
CREATE INDEX suspensions_listed ON collections.suspensions USING btree (state, id);
CREATE UNIQUE INDEX suspensions_one_standing ON collections.suspensions USING btree (subscription_id) WHERE (state = ANY (ARRAY['requested'::text, 'effective'::text]));
CREATE INDEX suspensions_requested ON collections.suspensions USING btree (requested_at);
GRANT SELECT, INSERT, UPDATE, DELETE ON collections.suspensions TO collections;

-- watermark: The sequence that a consumer last applied for a subject.
CREATE TABLE collections.watermarks (
    topic text NOT NULL,
    subject text NOT NULL,
    sequence bigint NOT NULL,
    CONSTRAINT watermarks_pkey PRIMARY KEY (topic, subject)
);
GRANT SELECT, INSERT, UPDATE, DELETE ON collections.watermarks TO collections;
GRANT SELECT ON collections.watermarks TO monitor;

CREATE VIEW collections.audit_balances AS
 SELECT last.invoice_id,
    (sum(((line.value ->> 'open_minor'::text))::bigint))::bigint AS open_minor,
    (sum(((line.value ->> 'disputed_minor'::text))::bigint))::bigint AS disputed_minor,
    (sum(((line.value ->> 'in_flight_minor'::text))::bigint))::bigint AS in_flight_minor
   FROM ( SELECT DISTINCT ON (balances.invoice_id) balances.invoice_id,
            balances.lines
           FROM collections.balances
          ORDER BY balances.invoice_id, balances.sequence DESC) last,
    LATERAL jsonb_array_elements(last.lines) line(value)
  GROUP BY last.invoice_id;
GRANT SELECT, INSERT, UPDATE, DELETE ON collections.audit_balances TO collections;
GRANT SELECT ON collections.audit_balances TO monitor;

CREATE VIEW collections.audit_steps AS
 SELECT s.invoice_id,
    s.round,
    s.step AS stands_for,
    COALESCE(n.delivered_at, m.delivered_at) AS delivered_at
   FROM (((collections.steps_taken s
     LEFT JOIN collections.notices n ON ((n.id = s.notice_id)))
     LEFT JOIN collections.steps_taken r ON (((r.invoice_id = s.invoice_id) AND (r.round = s.round) AND (r.step = s.replaced_by))))
     LEFT JOIN collections.notices m ON ((m.id = r.notice_id)));
GRANT SELECT, INSERT, UPDATE, DELETE ON collections.audit_steps TO collections;
GRANT SELECT ON collections.audit_steps TO monitor;

CREATE VIEW collections.audit_suspensions AS
 SELECT s.id,
    s.account_id,
    s.step,
    s.policy_version,
    c.invoice_id,
    c.round,
    c.caused_at
   FROM (collections.suspensions s
     JOIN collections.suspension_causes c ON ((c.suspension_id = s.id)));
GRANT SELECT, INSERT, UPDATE, DELETE ON collections.audit_suspensions TO collections;
GRANT SELECT ON collections.audit_suspensions TO monitor;

CREATE VIEW collections.pending_work AS
 SELECT 'outbox'::text AS kind,
    outbox.type AS name,
    outbox.subject AS detail,
    NULL::timestamp with time zone AS due_at
   FROM collections.outbox
UNION ALL
 SELECT 'intent'::text AS kind,
    intents.kind AS name,
    concat(intents.key, ' ', intents.last_error) AS detail,
    intents.due_at
   FROM collections.intents
  WHERE (intents.state = 'pending'::text)
UNION ALL
 SELECT 'due'::text AS kind,
    'steps'::text AS name,
    steps.detail,
    steps.due_at
   FROM ( SELECT (items.account_id)::text AS subject,
            (items.invoice_id)::text AS detail,
            items.due_at
           FROM collections.items
          WHERE (items.due_at IS NOT NULL)) steps
  WHERE (NOT (EXISTS ( SELECT
           FROM collections.failed_work f
          WHERE ((f.kind = 'sweep'::text) AND (f.name = 'steps'::text) AND (f.subject = steps.subject)))));
GRANT SELECT, INSERT, UPDATE, DELETE ON collections.pending_work TO collections;
GRANT SELECT ON collections.pending_work TO monitor;
