-- The schema entitlements as its migrations make it. Written by `make schemas`; a test holds it.
-- It is read, never run: migrations/ changes it.

-- account: The billing customer: who is invoiced, in one currency and time zone.
CREATE TABLE entitlements.accounts (
    account_id uuid NOT NULL,
    time_zone text NOT NULL,
    CONSTRAINT accounts_pkey PRIMARY KEY (account_id)
);
GRANT SELECT, INSERT, UPDATE, DELETE ON entitlements.accounts TO entitlements;

CREATE TABLE entitlements.alembic_version (
    version_num character varying(32) NOT NULL,
    CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);

-- audit entry: The record of one request or command that changed something: who, what, when and why.
CREATE TABLE entitlements.audit_entries (
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
CREATE INDEX audit_entries_by_account ON entitlements.audit_entries USING btree (account_id, occurred_at, id) WHERE (account_id IS NOT NULL);
CREATE INDEX audit_entries_by_action ON entitlements.audit_entries USING btree (action, occurred_at, id);
CREATE INDEX audit_entries_by_actor ON entitlements.audit_entries USING btree (actor, occurred_at, id);
CREATE INDEX audit_entries_by_object ON entitlements.audit_entries USING btree (object_id, occurred_at, id);
CREATE INDEX audit_entries_by_time ON entitlements.audit_entries USING btree (occurred_at, id);
GRANT SELECT, INSERT ON entitlements.audit_entries TO entitlements;
GRANT UPDATE (personal) ON entitlements.audit_entries TO entitlements;

-- backfill mark: The sequence up to which a subject's past was read.
CREATE TABLE entitlements.backfill_marks (
    topic text NOT NULL,
    partition integer NOT NULL,
    subject text NOT NULL,
    sequence bigint NOT NULL,
    CONSTRAINT backfill_marks_pkey PRIMARY KEY (topic, partition, subject)
);
GRANT SELECT, INSERT, UPDATE, DELETE ON entitlements.backfill_marks TO entitlements;

-- backfill: The reading of a topic's past for types that are consumed for the first time.
CREATE TABLE entitlements.backfills (
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
GRANT SELECT, INSERT, UPDATE, DELETE ON entitlements.backfills TO entitlements;
GRANT SELECT ON entitlements.backfills TO monitor;

-- published offset: The offset of a partition up to which the relay has published.
CREATE TABLE entitlements.consumed (
    topic text NOT NULL,
    partition integer NOT NULL,
    next_offset bigint NOT NULL,
    owner uuid,
    types text[] NOT NULL,
    past_until bigint,
    CONSTRAINT consumed_pkey PRIMARY KEY (topic, partition)
);
GRANT SELECT, INSERT, UPDATE, DELETE ON entitlements.consumed TO entitlements;
GRANT SELECT ON entitlements.consumed TO monitor;

-- entitlement: The right to use a subscription, as it is now.
CREATE TABLE entitlements.entitlements (
    subscription_id uuid NOT NULL,
    account_id uuid NOT NULL,
    vendor_customer_id text NOT NULL,
    vendor_subscription_id text NOT NULL,
    bills_while_suspended boolean NOT NULL,
    granted_at timestamp with time zone NOT NULL,
    state text NOT NULL,
    allowed boolean NOT NULL,
    since timestamp with time zone NOT NULL,
    snapshot jsonb,
    seen_status text,
    seen_at timestamp with time zone,
    failure_wanted text,
    failure_code text,
    failure_detail text,
    failed_at timestamp with time zone,
    waiting_for text,
    ended_on date,
    term_end date,
    ends_at timestamp with time zone,
    renewal_off_at timestamp with time zone,
    CONSTRAINT entitlements_pkey PRIMARY KEY (subscription_id),
    CONSTRAINT entitlements_vendor_subscription_id_key UNIQUE (vendor_subscription_id),
    CONSTRAINT entitlements_check CHECK (((seen_status IS NULL) = (seen_at IS NULL))),
    CONSTRAINT entitlements_check1 CHECK ((num_nulls(failure_wanted, failure_code, failure_detail, failed_at) = ANY (ARRAY[0, 4]))),
    CONSTRAINT entitlements_check2 CHECK (((state <> 'ended'::text) OR ((ended_on IS NOT NULL) AND (NOT allowed)))),
    CONSTRAINT entitlements_check3 CHECK ((num_nulls(ended_on, term_end, ends_at) = ANY (ARRAY[0, 3]))),
    CONSTRAINT entitlements_failure_wanted_check CHECK ((failure_wanted = ANY (ARRAY['active'::text, 'suspended'::text, 'auto_renew_off'::text]))),
    CONSTRAINT entitlements_state_check CHECK ((state = ANY (ARRAY['active'::text, 'suspending'::text, 'suspended'::text, 'ended'::text])))
);
CREATE INDEX entitlements_of_account ON entitlements.entitlements USING btree (account_id, subscription_id);
CREATE INDEX entitlements_to_end ON entitlements.entitlements USING btree (ends_at) WHERE (state <> 'ended'::text);
GRANT SELECT, INSERT, UPDATE, DELETE ON entitlements.entitlements TO entitlements;

-- failed work: An account that breaks a sweep, or a call that breaks, set aside until a person has it tried again.
CREATE TABLE entitlements.failed_work (
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
CREATE INDEX failed_work_of_account ON entitlements.failed_work USING btree (account_id, id) WHERE (account_id IS NOT NULL);
GRANT SELECT, INSERT, UPDATE, DELETE ON entitlements.failed_work TO entitlements;
GRANT SELECT ON entitlements.failed_work TO monitor;

-- hold: A reason for which access is closed; several may stand at once.
CREATE TABLE entitlements.holds (
    id uuid NOT NULL,
    account_id uuid NOT NULL,
    subscription_id uuid NOT NULL,
    reason text NOT NULL,
    owner text NOT NULL,
    comment text,
    placed_at timestamp with time zone NOT NULL,
    suspension_id uuid,
    invoice_ids uuid[] NOT NULL,
    released_at timestamp with time zone,
    attempted_at timestamp with time zone,
    effective_at timestamp with time zone,
    ended_at timestamp with time zone,
    CONSTRAINT holds_pkey PRIMARY KEY (id),
    CONSTRAINT holds_suspension_id_key UNIQUE (suspension_id),
    CONSTRAINT holds_check CHECK (((reason = 'non_payment'::text) = (suspension_id IS NOT NULL))),
    CONSTRAINT holds_check1 CHECK ((released_at >= placed_at)),
    CONSTRAINT holds_check2 CHECK (((ended_at IS NULL) OR ((effective_at IS NOT NULL) AND (released_at IS NOT NULL)))),
    CONSTRAINT holds_reason_check CHECK ((reason = ANY (ARRAY['non_payment'::text, 'fraud'::text, 'customer_request'::text, 'admin'::text])))
);
CREATE INDEX holds_by_reason ON entitlements.holds USING btree (reason, id);
CREATE INDEX holds_of_account ON entitlements.holds USING btree (account_id, id);
CREATE INDEX holds_of_subscription ON entitlements.holds USING btree (subscription_id);
CREATE INDEX holds_standing ON entitlements.holds USING btree (id) WHERE (released_at IS NULL);
CREATE INDEX holds_standing_by_reason ON entitlements.holds USING btree (reason, id) WHERE (released_at IS NULL);
GRANT SELECT, INSERT, UPDATE, DELETE ON entitlements.holds TO entitlements;

-- idempotency key: The caller's name for one change; a repeat gets the first answer.
CREATE TABLE entitlements.idempotency (
    caller text NOT NULL,
    route text NOT NULL,
    key text NOT NULL,
    body_hash text NOT NULL,
    status integer,
    answer text,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT idempotency_pkey PRIMARY KEY (caller, route, key)
);
CREATE INDEX idempotency_age ON entitlements.idempotency USING btree (created_at);
GRANT SELECT, INSERT, UPDATE, DELETE ON entitlements.idempotency TO entitlements;

-- intent: A committed wish to call the outside.
CREATE TABLE entitlements.intents (
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
CREATE INDEX intents_due ON entitlements.intents USING btree (due_at) WHERE (state = 'pending'::text);
CREATE UNIQUE INDEX intents_one_pending ON entitlements.intents USING btree (kind, key) WHERE (state = 'pending'::text);
GRANT SELECT, INSERT, UPDATE, DELETE ON entitlements.intents TO entitlements;

-- outbox: Events that are committed and not yet published.
CREATE TABLE entitlements.outbox (
    position bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    subject text NOT NULL,
    type text NOT NULL,
    headers jsonb NOT NULL,
    data text NOT NULL,
    CONSTRAINT outbox_pkey PRIMARY KEY ("position")
);
GRANT SELECT, INSERT, UPDATE, DELETE ON entitlements.outbox TO entitlements;

-- parked event: An event that could not be applied and waits for a person.
CREATE TABLE entitlements.parked (
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
GRANT SELECT, INSERT, UPDATE, DELETE ON entitlements.parked TO entitlements;
GRANT SELECT ON entitlements.parked TO monitor;

-- published offset: The offset of a partition up to which the relay has published.
CREATE TABLE entitlements.published (
    topic text NOT NULL,
    partition integer NOT NULL,
    next_offset bigint NOT NULL,
    CONSTRAINT published_pkey PRIMARY KEY (topic, partition)
);
GRANT SELECT, INSERT, UPDATE, DELETE ON entitlements.published TO entitlements;
GRANT SELECT ON entitlements.published TO monitor;

-- redrive: To continue with what is parked.
CREATE TABLE entitlements.skipped (
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
GRANT SELECT, INSERT, UPDATE, DELETE ON entitlements.skipped TO entitlements;

-- stopped group: A consumer that has stopped, since too many events of different subjects failed at once.
CREATE TABLE entitlements.stopped (
    id integer NOT NULL,
    why text NOT NULL,
    stopped_at timestamp with time zone NOT NULL,
    CONSTRAINT stopped_pkey PRIMARY KEY (id),
    CONSTRAINT stopped_id_check CHECK ((id = 1))
);
GRANT SELECT, INSERT, UPDATE, DELETE ON entitlements.stopped TO entitlements;
GRANT SELECT ON entitlements.stopped TO monitor;

-- stopped work: A sweep or kind of call of which too many subjects failed.
CREATE TABLE entitlements.stopped_work (
    kind text NOT NULL,
    name text NOT NULL,
    stopped_at timestamp with time zone NOT NULL,
    CONSTRAINT stopped_work_pkey PRIMARY KEY (kind, name),
    CONSTRAINT stopped_work_kind_check CHECK ((kind = ANY (ARRAY['sweep'::text, 'intent'::text])))
);
GRANT SELECT, INSERT, UPDATE, DELETE ON entitlements.stopped_work TO entitlements;
GRANT SELECT ON entitlements.stopped_work TO monitor;

-- stream: The last sequence of a subject, and the lock under which it changes.
CREATE TABLE entitlements.streams (
    subject text NOT NULL,
    sequence bigint NOT NULL,
    CONSTRAINT streams_pkey PRIMARY KEY (subject),
    CONSTRAINT streams_sequence_check CHECK ((sequence >= 0))
);
GRANT SELECT, INSERT, UPDATE, DELETE ON entitlements.streams TO entitlements;
GRANT SELECT ON entitlements.streams TO monitor;

-- watermark: The sequence that a consumer last applied for a subject.
CREATE TABLE entitlements.watermarks (
    topic text NOT NULL,
    subject text NOT NULL,
    sequence bigint NOT NULL,
    CONSTRAINT watermarks_pkey PRIMARY KEY (topic, subject)
);
GRANT SELECT, INSERT, UPDATE, DELETE ON entitlements.watermarks TO entitlements;
GRANT SELECT ON entitlements.watermarks TO monitor;

CREATE VIEW entitlements.audit_access AS
 SELECT e.subscription_id,
    e.account_id,
    e.vendor_customer_id,
    e.vendor_subscription_id,
        CASE
            WHEN (e.state = 'ended'::text) THEN COALESCE(e.seen_status, 'active'::text)
            WHEN (EXISTS ( SELECT
               FROM entitlements.holds h
              WHERE ((h.subscription_id = e.subscription_id) AND (h.released_at IS NULL)))) THEN 'suspended'::text
            ELSE 'active'::text
        END AS wanted,
    e.seen_status AS actual,
    (e.state = 'ended'::text) AS is_ended
   FROM entitlements.entitlements e;
GRANT SELECT, INSERT, UPDATE, DELETE ON entitlements.audit_access TO entitlements;
GRANT SELECT ON entitlements.audit_access TO monitor;

CREATE VIEW entitlements.audit_holds AS
 SELECT holds.id AS hold_id,
    holds.subscription_id,
    holds.reason,
    holds.invoice_ids
   FROM entitlements.holds
  WHERE (holds.released_at IS NULL);
GRANT SELECT, INSERT, UPDATE, DELETE ON entitlements.audit_holds TO entitlements;
GRANT SELECT ON entitlements.audit_holds TO monitor;

CREATE VIEW entitlements.pending_work AS
 SELECT 'outbox'::text AS kind,
    outbox.type AS name,
    outbox.subject AS detail,
    NULL::timestamp with time zone AS due_at
   FROM entitlements.outbox
UNION ALL
 SELECT 'intent'::text AS kind,
    intents.kind AS name,
    concat(intents.key, ' ', intents.last_error) AS detail,
    intents.due_at
   FROM entitlements.intents
  WHERE (intents.state = 'pending'::text)
UNION ALL
 SELECT 'due'::text AS kind,
    'ends'::text AS name,
    ends.detail,
    ends.due_at
   FROM ( SELECT (entitlements.account_id)::text AS subject,
            (entitlements.subscription_id)::text AS detail,
            entitlements.ends_at AS due_at
           FROM entitlements.entitlements
          WHERE ((entitlements.ends_at IS NOT NULL) AND (entitlements.state <> 'ended'::text))) ends
  WHERE (NOT (EXISTS ( SELECT
           FROM entitlements.failed_work f
          WHERE ((f.kind = 'sweep'::text) AND (f.name = 'ends'::text) AND (f.subject = ends.subject)))));
GRANT SELECT, INSERT, UPDATE, DELETE ON entitlements.pending_work TO entitlements;
GRANT SELECT ON entitlements.pending_work TO monitor;
