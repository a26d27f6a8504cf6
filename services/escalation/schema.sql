-- The schema escalation as its migrations make it. Written by `make schemas`; a test holds it.
-- It is read, never run: migrations/ changes it.

-- account: The billing customer: who is invoiced, in one currency and time zone.
CREATE TABLE escalation.accounts (
    account_id uuid NOT NULL,
    currency text NOT NULL,
    legal_entity text,
    support_level text,
    CONSTRAINT accounts_pkey PRIMARY KEY (account_id)
);
CREATE INDEX ix_escalation_accounts_legal_entity ON escalation.accounts USING btree (legal_entity);
GRANT SELECT, INSERT, UPDATE, DELETE ON escalation.accounts TO escalation;

CREATE TABLE escalation.alembic_version (
    version_num character varying(32) NOT NULL,
    CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);

-- attachment chunk: A part of an attachment's bytes.
CREATE TABLE escalation.attachment_chunks (
    attachment_id uuid NOT NULL,
    place integer NOT NULL,
    content bytea NOT NULL,
    CONSTRAINT attachment_chunks_pkey PRIMARY KEY (attachment_id, place),
    CONSTRAINT attachment_chunks_attachment_id_fkey FOREIGN KEY (attachment_id) REFERENCES escalation.attachments(id)
);
GRANT SELECT, INSERT, DELETE ON escalation.attachment_chunks TO escalation;

-- attachment: A file of a case, or of an inbound mail.
CREATE TABLE escalation.attachments (
    id uuid NOT NULL,
    case_id uuid,
    inbound_mail_id uuid,
    audience text NOT NULL,
    name text NOT NULL,
    media_type text NOT NULL,
    size_bytes integer NOT NULL,
    sha256 text NOT NULL,
    added_by text,
    added_at timestamp with time zone NOT NULL,
    removed_at timestamp with time zone,
    CONSTRAINT attachments_pkey PRIMARY KEY (id),
    CONSTRAINT attachments_case_id_fkey FOREIGN KEY (case_id) REFERENCES escalation.cases(id),
    CONSTRAINT attachments_inbound_mail_id_fkey FOREIGN KEY (inbound_mail_id) REFERENCES escalation.inbound_mails(id),
    CONSTRAINT attachments_audience_check CHECK ((audience = ANY (ARRAY['customer'::text, 'vendor'::text, 'internal'::text]))),
    CONSTRAINT attachments_check CHECK (((case_id IS NOT NULL) OR (inbound_mail_id IS NOT NULL))),
    CONSTRAINT attachments_check1 CHECK (((removed_at IS NULL) OR (name = ''::text))),
    CONSTRAINT attachments_size_bytes_check CHECK ((size_bytes > 0))
);
CREATE INDEX attachments_of_case ON escalation.attachments USING btree (case_id, id);
CREATE INDEX attachments_of_mail ON escalation.attachments USING btree (inbound_mail_id, id);
GRANT SELECT, INSERT, UPDATE, DELETE ON escalation.attachments TO escalation;

-- audit entry: The record of one request or command that changed something: who, what, when and why.
CREATE TABLE escalation.audit_entries (
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
CREATE INDEX audit_entries_by_account ON escalation.audit_entries USING btree (account_id, occurred_at, id) WHERE (account_id IS NOT NULL);
CREATE INDEX audit_entries_by_action ON escalation.audit_entries USING btree (action, occurred_at, id);
CREATE INDEX audit_entries_by_actor ON escalation.audit_entries USING btree (actor, occurred_at, id);
CREATE INDEX audit_entries_by_object ON escalation.audit_entries USING btree (object_id, occurred_at, id);
CREATE INDEX audit_entries_by_time ON escalation.audit_entries USING btree (occurred_at, id);
GRANT SELECT, INSERT ON escalation.audit_entries TO escalation;
GRANT UPDATE (personal) ON escalation.audit_entries TO escalation;

-- backfill mark: The sequence up to which a subject's past was read.
CREATE TABLE escalation.backfill_marks (
    topic text NOT NULL,
    partition integer NOT NULL,
    subject text NOT NULL,
    sequence bigint NOT NULL,
    CONSTRAINT backfill_marks_pkey PRIMARY KEY (topic, partition, subject)
);
GRANT SELECT, INSERT, UPDATE, DELETE ON escalation.backfill_marks TO escalation;

-- backfill: The reading of a topic's past for types that are consumed for the first time.
CREATE TABLE escalation.backfills (
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
GRANT SELECT, INSERT, UPDATE, DELETE ON escalation.backfills TO escalation;
GRANT SELECT ON escalation.backfills TO monitor;

-- business calendar: When the people of a legal entity work: hours by weekday in a zone, but for closed days.
CREATE TABLE escalation.calendars (
    legal_entity text NOT NULL,
    time_zone text NOT NULL,
    hours jsonb NOT NULL,
    closed_days jsonb NOT NULL,
    covers_until date NOT NULL,
    CONSTRAINT calendars_pkey PRIMARY KEY (legal_entity)
);
GRANT SELECT, INSERT, UPDATE, DELETE ON escalation.calendars TO escalation;

-- reply address: The address of a case, with a secret, to which its mails are answered.
CREATE TABLE escalation.case_addresses (
    case_id uuid NOT NULL,
    token text NOT NULL,
    CONSTRAINT case_addresses_pkey PRIMARY KEY (case_id),
    CONSTRAINT case_addresses_token_key UNIQUE (token),
    CONSTRAINT case_addresses_case_id_fkey FOREIGN KEY (case_id) REFERENCES escalation.cases(id)
);
GRANT SELECT, INSERT, UPDATE, DELETE ON escalation.case_addresses TO escalation;

-- clock: The time in which an answer is owed, from its beginning to its deadline.
CREATE TABLE escalation.case_clocks (
    case_id uuid NOT NULL,
    whose text NOT NULL,
    which text NOT NULL,
    run integer NOT NULL,
    account_id uuid NOT NULL,
    minutes integer NOT NULL,
    business_days integer NOT NULL,
    is_round_the_clock boolean NOT NULL,
    warn_minutes integer NOT NULL,
    began_at timestamp with time zone NOT NULL,
    pauses jsonb NOT NULL,
    due_at timestamp with time zone,
    warn_at timestamp with time zone,
    wake_at timestamp with time zone,
    warned_at timestamp with time zone,
    missed_at timestamp with time zone,
    stopped_at timestamp with time zone,
    CONSTRAINT case_clocks_pkey PRIMARY KEY (case_id, whose, which, run),
    CONSTRAINT case_clocks_case_id_fkey FOREIGN KEY (case_id) REFERENCES escalation.cases(id),
    CONSTRAINT case_clocks_check CHECK (((minutes >= 0) AND (business_days >= 0) AND (warn_minutes >= 0))),
    CONSTRAINT case_clocks_check1 CHECK (((minutes = 0) <> (business_days = 0))),
    CONSTRAINT case_clocks_check2 CHECK (((business_days = 0) OR (NOT is_round_the_clock))),
    CONSTRAINT case_clocks_which_check CHECK ((which = ANY (ARRAY['first'::text, 'update'::text, 'resolution'::text]))),
    CONSTRAINT case_clocks_whose_check CHECK ((whose = ANY (ARRAY['ours'::text, 'vendor'::text])))
);
CREATE INDEX case_clocks_due ON escalation.case_clocks USING btree (wake_at) WHERE (wake_at IS NOT NULL);
CREATE INDEX case_clocks_of_account ON escalation.case_clocks USING btree (account_id) WHERE (stopped_at IS NULL);
CREATE INDEX case_clocks_unanswered ON escalation.case_clocks USING btree (due_at) WHERE ((whose = 'ours'::text) AND (which = 'first'::text) AND (stopped_at IS NULL));
GRANT SELECT, INSERT, UPDATE, DELETE ON escalation.case_clocks TO escalation;

-- case link: That a case is about something: an invoice, a subscription, another case.
CREATE TABLE escalation.case_links (
    case_id uuid NOT NULL,
    kind text NOT NULL,
    target_id uuid NOT NULL,
    line integer NOT NULL,
    added_by text,
    added_at timestamp with time zone NOT NULL,
    CONSTRAINT case_links_pkey PRIMARY KEY (case_id, kind, target_id, line),
    CONSTRAINT case_links_case_id_fkey FOREIGN KEY (case_id) REFERENCES escalation.cases(id),
    CONSTRAINT case_links_check CHECK (((line = 0) OR (kind = 'invoice'::text))),
    CONSTRAINT case_links_kind_check CHECK ((kind = ANY (ARRAY['account'::text, 'invoice'::text, 'subscription'::text, 'suspension'::text, 'vendor_difference'::text, 'case'::text, 'chargeback'::text])))
);
CREATE INDEX case_links_of_target ON escalation.case_links USING btree (target_id);
GRANT SELECT, INSERT, UPDATE, DELETE ON escalation.case_links TO escalation;

-- message: What a person writes to the customer in a case, sent as mail.
CREATE TABLE escalation.case_mails (
    entry_id uuid NOT NULL,
    case_id uuid NOT NULL,
    account_id uuid NOT NULL,
    contact_person_id uuid,
    secret text NOT NULL,
    in_reply_to text,
    about_outcome boolean NOT NULL,
    outcome_sequence bigint,
    sequence bigint,
    state text NOT NULL,
    code text,
    queued_at timestamp with time zone NOT NULL,
    settled_at timestamp with time zone,
    CONSTRAINT case_mails_pkey PRIMARY KEY (entry_id),
    CONSTRAINT case_mails_secret_key UNIQUE (secret),
    CONSTRAINT case_mails_case_id_fkey FOREIGN KEY (case_id) REFERENCES escalation.cases(id),
    CONSTRAINT case_mails_entry_id_fkey FOREIGN KEY (entry_id) REFERENCES escalation.entries(id),
    CONSTRAINT case_mails_check CHECK (((state <> 'delivered'::text) OR (sequence IS NOT NULL))),
    CONSTRAINT case_mails_check1 CHECK (((state = ANY (ARRAY['refused'::text, 'bounced'::text])) = (code IS NOT NULL))),
    CONSTRAINT case_mails_state_check CHECK ((state = ANY (ARRAY['queued'::text, 'delivered'::text, 'refused'::text, 'bounced'::text])))
);
CREATE INDEX case_mails_of_case ON escalation.case_mails USING btree (case_id);
CREATE INDEX case_mails_of_person ON escalation.case_mails USING btree (contact_person_id, entry_id) WHERE (contact_person_id IS NOT NULL);
GRANT SELECT, INSERT, UPDATE, DELETE ON escalation.case_mails TO escalation;

-- case words: The words of a case's texts, by which it is found.
CREATE TABLE escalation.case_words (
    text_id uuid NOT NULL,
    case_id uuid NOT NULL,
    words tsvector NOT NULL,
    CONSTRAINT case_words_pkey PRIMARY KEY (text_id),
    CONSTRAINT case_words_case_id_fkey FOREIGN KEY (case_id) REFERENCES escalation.cases(id)
);
CREATE INDEX case_words_by_words ON escalation.case_words USING gin (words);
CREATE INDEX case_words_of_case ON escalation.case_words USING btree (case_id);
GRANT SELECT, INSERT, UPDATE, DELETE ON escalation.case_words TO escalation;

CREATE TABLE escalation.cases (
    id uuid NOT NULL,
    account_id uuid,
    kind text NOT NULL,
    severity text,
    state text NOT NULL,
    subject text NOT NULL,
    cause text,
    opened_at timestamp with time zone NOT NULL,
    opened_by text,
    outcome text,
    outcome_at timestamp with time zone,
    closed_at timestamp with time zone,
    closed_by text,
    no_customer_affected text,
    outcome_sequence bigint,
    number bigint NOT NULL GENERATED BY DEFAULT AS IDENTITY,
    version bigint NOT NULL,
    state_since timestamp with time zone NOT NULL,
    description text,
    product text,
    queue text NOT NULL,
    assignee text,
    contact_person_id uuid,
    merged_into uuid,
    next_deadline_at timestamp with time zone,
    inform_by timestamp with time zone,
    unread_answers integer NOT NULL,
    is_subject_internal boolean,
    words_since timestamp with time zone,
    words_removed_at timestamp with time zone,
    CONSTRAINT cases_pkey PRIMARY KEY (id),
    CONSTRAINT cases_number_key UNIQUE (number),
    CONSTRAINT cases_merged_into_fkey FOREIGN KEY (merged_into) REFERENCES escalation.cases(id),
    CONSTRAINT cases_check CHECK (((kind = 'technical'::text) = (severity IS NOT NULL))),
    CONSTRAINT cases_check1 CHECK (((state = ANY (ARRAY['resolved'::text, 'closed'::text])) = (outcome IS NOT NULL))),
    CONSTRAINT cases_check2 CHECK (((state = 'closed'::text) = (closed_at IS NOT NULL))),
    CONSTRAINT cases_check3 CHECK (((state = 'merged'::text) = (merged_into IS NOT NULL))),
    CONSTRAINT cases_check4 CHECK ((merged_into <> id)),
    CONSTRAINT cases_kind_check CHECK ((kind = ANY (ARRAY['billing_question'::text, 'dispute'::text, 'technical'::text, 'fraud'::text, 'service_credit'::text, 'vendor_refusal'::text, 'task'::text]))),
    CONSTRAINT cases_severity_check CHECK ((severity = ANY (ARRAY['A'::text, 'B'::text, 'C'::text]))),
    CONSTRAINT cases_state_check CHECK ((state = ANY (ARRAY['new'::text, 'in_progress'::text, 'waiting_for_customer'::text, 'waiting_for_vendor'::text, 'resolved'::text, 'closed'::text, 'merged'::text])))
);
CREATE INDEX cases_by_deadline ON escalation.cases USING btree (next_deadline_at, id) WHERE (next_deadline_at IS NOT NULL);
CREATE INDEX cases_by_state ON escalation.cases USING btree (state, id);
CREATE INDEX cases_merged_into ON escalation.cases USING btree (merged_into);
CREATE INDEX cases_of_account ON escalation.cases USING btree (account_id, id);
CREATE INDEX cases_of_assignee ON escalation.cases USING btree (assignee, state, id);
CREATE INDEX cases_of_cause ON escalation.cases USING btree (cause) WHERE (cause IS NOT NULL);
CREATE INDEX cases_of_products ON escalation.cases USING btree (lower(product)) WHERE ((kind = 'technical'::text) AND (state = ANY (ARRAY['new'::text, 'in_progress'::text, 'waiting_for_customer'::text, 'waiting_for_vendor'::text])));
CREATE INDEX cases_of_queue ON escalation.cases USING btree (queue, state, id);
CREATE UNIQUE INDEX cases_one_open_per_cause ON escalation.cases USING btree (cause) WHERE (state = ANY (ARRAY['new'::text, 'in_progress'::text, 'waiting_for_customer'::text, 'waiting_for_vendor'::text]));
CREATE INDEX cases_to_inform ON escalation.cases USING btree (inform_by, id) WHERE (inform_by IS NOT NULL);
CREATE INDEX cases_unread ON escalation.cases USING btree (id) WHERE (unread_answers > 0);
CREATE INDEX cases_with_words ON escalation.cases USING btree (words_since) WHERE (words_since IS NOT NULL);
GRANT SELECT, INSERT, UPDATE, DELETE ON escalation.cases TO escalation;

-- chargeback evidence: That files were given to a card network, when and by whom.
CREATE TABLE escalation.chargeback_evidence (
    id uuid NOT NULL,
    chargeback_id uuid NOT NULL,
    account_id uuid NOT NULL,
    attachment_ids uuid[] NOT NULL,
    submitted_by text NOT NULL,
    submitted_at timestamp with time zone NOT NULL,
    recorded_at timestamp with time zone NOT NULL,
    is_late boolean NOT NULL,
    CONSTRAINT chargeback_evidence_pkey PRIMARY KEY (id),
    CONSTRAINT chargeback_evidence_chargeback_id_fkey FOREIGN KEY (chargeback_id) REFERENCES escalation.chargebacks(chargeback_id),
    CONSTRAINT chargeback_evidence_check CHECK ((submitted_at <= recorded_at))
);
CREATE INDEX chargeback_evidence_of_chargeback ON escalation.chargeback_evidence USING btree (chargeback_id, id);
GRANT SELECT, INSERT ON escalation.chargeback_evidence TO escalation;

-- chargeback: A part of a payment that a card network took back, until it decides whose the money is.
CREATE TABLE escalation.chargebacks (
    chargeback_id uuid NOT NULL,
    case_id uuid NOT NULL,
    account_id uuid NOT NULL,
    answer_by date NOT NULL,
    state text NOT NULL,
    warned_at timestamp with time zone,
    ended_at timestamp with time zone,
    wake_at timestamp with time zone,
    CONSTRAINT chargebacks_pkey PRIMARY KEY (chargeback_id),
    CONSTRAINT chargebacks_case_id_fkey FOREIGN KEY (case_id) REFERENCES escalation.cases(id),
    CONSTRAINT chargebacks_check CHECK (((state = 'open'::text) = (ended_at IS NULL))),
    CONSTRAINT chargebacks_check1 CHECK (((wake_at IS NULL) OR (state = 'open'::text))),
    CONSTRAINT chargebacks_state_check CHECK ((state = ANY (ARRAY['open'::text, 'won'::text, 'lost'::text])))
);
CREATE INDEX chargebacks_due ON escalation.chargebacks USING btree (wake_at) WHERE (wake_at IS NOT NULL);
CREATE INDEX chargebacks_of_case ON escalation.chargebacks USING btree (case_id);
GRANT SELECT, INSERT, UPDATE, DELETE ON escalation.chargebacks TO escalation;

-- published offset: The offset of a partition up to which the relay has published.
CREATE TABLE escalation.consumed (
    topic text NOT NULL,
    partition integer NOT NULL,
    next_offset bigint NOT NULL,
    owner uuid,
    types text[] NOT NULL,
    past_until bigint,
    CONSTRAINT consumed_pkey PRIMARY KEY (topic, partition)
);
GRANT SELECT, INSERT, UPDATE, DELETE ON escalation.consumed TO escalation;
GRANT SELECT ON escalation.consumed TO monitor;

-- contract warning: When the end of a premier contract is warned of.
CREATE TABLE escalation.contract_warnings (
    resource_id uuid NOT NULL,
    valid_to date NOT NULL,
    warn_at timestamp with time zone,
    CONSTRAINT contract_warnings_pkey PRIMARY KEY (resource_id),
    CONSTRAINT contract_warnings_resource_id_fkey FOREIGN KEY (resource_id) REFERENCES escalation.support_resources(id)
);
CREATE INDEX contract_warnings_due ON escalation.contract_warnings USING btree (warn_at) WHERE (warn_at IS NOT NULL);
GRANT SELECT, INSERT, UPDATE, DELETE ON escalation.contract_warnings TO escalation;

-- amendment: Other amounts of a dispute, numbered; a fact once they are reserved.
CREATE TABLE escalation.dispute_amendments (
    dispute_id uuid NOT NULL,
    number integer NOT NULL,
    account_id uuid NOT NULL,
    lines jsonb NOT NULL,
    total_minor bigint NOT NULL,
    reason text NOT NULL,
    state text NOT NULL,
    refusal text,
    requested_by text NOT NULL,
    requested_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    CONSTRAINT dispute_amendments_pkey PRIMARY KEY (dispute_id, number),
    CONSTRAINT dispute_amendments_dispute_id_fkey FOREIGN KEY (dispute_id) REFERENCES escalation.disputes(id),
    CONSTRAINT dispute_amendments_check CHECK (((state = 'refused'::text) = (refusal IS NOT NULL))),
    CONSTRAINT dispute_amendments_check1 CHECK (((state = 'requested'::text) = (ended_at IS NULL))),
    CONSTRAINT dispute_amendments_number_check CHECK ((number > 0)),
    CONSTRAINT dispute_amendments_state_check CHECK ((state = ANY (ARRAY['requested'::text, 'done'::text, 'refused'::text])))
);
CREATE UNIQUE INDEX dispute_amendments_pending ON escalation.dispute_amendments USING btree (dispute_id) WHERE (state = 'requested'::text);
GRANT SELECT, INSERT, UPDATE, DELETE ON escalation.dispute_amendments TO escalation;

-- dispute reason: Why invoices are disputed, by a code of ours, and what it does.
CREATE TABLE escalation.dispute_reasons (
    code text NOT NULL,
    titles jsonb NOT NULL,
    pause_days integer,
    is_active boolean NOT NULL,
    CONSTRAINT dispute_reasons_pkey PRIMARY KEY (code),
    CONSTRAINT dispute_reasons_pause_days_check CHECK (((pause_days >= 1) AND (pause_days <= 366)))
);
GRANT SELECT, INSERT, UPDATE, DELETE ON escalation.dispute_reasons TO escalation;

-- dispute: A customer's objection to invoice lines and amounts.
CREATE TABLE escalation.disputes (
    id uuid NOT NULL,
    case_id uuid NOT NULL,
    account_id uuid NOT NULL,
    invoice_id uuid NOT NULL,
    currency text NOT NULL,
    lines jsonb NOT NULL,
    total_minor bigint NOT NULL,
    comment text,
    state text NOT NULL,
    refusal text,
    requested_at timestamp with time zone NOT NULL,
    opened_at timestamp with time zone,
    ended_at timestamp with time zone,
    credit_note_id uuid,
    uphold_proposed_by text,
    uphold_proposed_at timestamp with time zone,
    ended_reason text,
    credit_note_number text,
    review_began_at timestamp with time zone,
    paused_until timestamp with time zone,
    question_cause text,
    CONSTRAINT disputes_pkey PRIMARY KEY (id),
    CONSTRAINT disputes_case_id_fkey FOREIGN KEY (case_id) REFERENCES escalation.cases(id),
    CONSTRAINT disputes_check CHECK ((num_nulls(uphold_proposed_by, uphold_proposed_at) = ANY (ARRAY[0, 2]))),
    CONSTRAINT disputes_check1 CHECK (((state <> 'waiting_for_second_person'::text) OR (uphold_proposed_by IS NOT NULL))),
    CONSTRAINT disputes_check2 CHECK (((state <> 'question'::text) OR (question_cause IS NOT NULL))),
    CONSTRAINT disputes_question_cause_check CHECK ((question_cause = ANY (ARRAY['rejected_before'::text, 'too_late'::text]))),
    CONSTRAINT disputes_state_check CHECK ((state = ANY (ARRAY['question'::text, 'requested'::text, 'opened'::text, 'under_review'::text, 'refused'::text, 'waiting_for_second_person'::text, 'upheld'::text, 'partly_upheld'::text, 'rejected'::text, 'withdrawn'::text]))),
    CONSTRAINT disputes_total_minor_check CHECK ((total_minor > 0))
);
CREATE INDEX disputes_of_account ON escalation.disputes USING btree (account_id);
CREATE INDEX disputes_of_invoice ON escalation.disputes USING btree (invoice_id);
CREATE INDEX disputes_paused ON escalation.disputes USING btree (paused_until) WHERE ((paused_until IS NOT NULL) AND (ended_at IS NULL));
GRANT SELECT, INSERT, UPDATE, DELETE ON escalation.disputes TO escalation;

-- entry: What was said, done or changed in a case, for one audience.
CREATE TABLE escalation.entries (
    id uuid NOT NULL,
    case_id uuid NOT NULL,
    account_id uuid,
    kind text NOT NULL,
    audience text NOT NULL,
    actor text,
    content text NOT NULL,
    details jsonb NOT NULL,
    channel text,
    about_outcome boolean,
    sequence bigint,
    entered_at timestamp with time zone NOT NULL,
    removed_at timestamp with time zone,
    CONSTRAINT entries_pkey PRIMARY KEY (id),
    CONSTRAINT entries_case_id_fkey FOREIGN KEY (case_id) REFERENCES escalation.cases(id),
    CONSTRAINT entries_audience_check CHECK ((audience = ANY (ARRAY['customer'::text, 'vendor'::text, 'internal'::text]))),
    CONSTRAINT entries_channel_check CHECK ((channel = ANY (ARRAY['email'::text, 'phone'::text, 'portal'::text, 'letter'::text]))),
    CONSTRAINT entries_check CHECK (((kind = 'attachment'::text) OR (audience =
CASE
    WHEN (kind = ANY (ARRAY['call'::text, 'message'::text, 'mail_out'::text, 'mail_in'::text])) THEN 'customer'::text
    WHEN (kind = 'vendor_note'::text) THEN 'vendor'::text
    ELSE 'internal'::text
END))),
    CONSTRAINT entries_check1 CHECK (((kind = ANY (ARRAY['call'::text, 'message'::text])) = (channel IS NOT NULL))),
    CONSTRAINT entries_check2 CHECK ((num_nulls(channel, about_outcome, sequence) = ANY (ARRAY[0, 3]))),
    CONSTRAINT entries_check3 CHECK (((removed_at IS NULL) OR (content = ''::text))),
    CONSTRAINT entries_kind_check CHECK ((kind = ANY (ARRAY['note'::text, 'call'::text, 'message'::text, 'vendor_note'::text, 'state'::text, 'change'::text, 'resource'::text, 'mail_out'::text, 'mail_in'::text, 'attachment'::text, 'health_check'::text, 'attempt'::text, 'override'::text])))
);
CREATE INDEX entries_of_case ON escalation.entries USING btree (case_id, id);
CREATE TRIGGER check_emptying BEFORE UPDATE ON escalation.entries FOR EACH ROW EXECUTE FUNCTION escalation.check_emptying();
GRANT SELECT, INSERT ON escalation.entries TO escalation;
GRANT UPDATE (content, details, removed_at) ON escalation.entries TO escalation;

-- failed work: An account that breaks a sweep, or a call that breaks, set aside until a person has it tried again.
CREATE TABLE escalation.failed_work (
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
CREATE INDEX failed_work_of_account ON escalation.failed_work USING btree (account_id, id) WHERE (account_id IS NOT NULL);
GRANT SELECT, INSERT, UPDATE, DELETE ON escalation.failed_work TO escalation;
GRANT SELECT ON escalation.failed_work TO monitor;

-- health watch: Where we last looked for incidents.
CREATE TABLE escalation.health_watches (
    id uuid NOT NULL,
    legal_entity text NOT NULL,
    next_reading_at timestamp with time zone NOT NULL,
    read_at timestamp with time zone,
    reading_refusal text,
    CONSTRAINT health_watches_pkey PRIMARY KEY (id),
    CONSTRAINT health_watches_legal_entity_key UNIQUE (legal_entity),
    CONSTRAINT health_watches_legal_entity_fkey FOREIGN KEY (legal_entity) REFERENCES escalation.vendor_channels(legal_entity)
);
CREATE INDEX health_watches_due ON escalation.health_watches USING btree (next_reading_at);
GRANT SELECT, INSERT, UPDATE, DELETE ON escalation.health_watches TO escalation;

-- idempotency key: The caller's name for one change; a repeat gets the first answer.
CREATE TABLE escalation.idempotency (
    caller text NOT NULL,
    route text NOT NULL,
    key text NOT NULL,
    body_hash text NOT NULL,
    status integer,
    answer text,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT idempotency_pkey PRIMARY KEY (caller, route, key)
);
CREATE INDEX idempotency_age ON escalation.idempotency USING btree (created_at);
CREATE INDEX idempotency_by_case ON escalation.idempotency USING btree ((((answer)::jsonb ->> 'case_id'::text)));
CREATE INDEX idempotency_by_id ON escalation.idempotency USING btree ((((answer)::jsonb ->> 'id'::text)));
GRANT SELECT, INSERT, UPDATE, DELETE ON escalation.idempotency TO escalation;

-- inbound mail: A mail that came in, and what became of it.
CREATE TABLE escalation.inbound_mails (
    id uuid NOT NULL,
    mail_key text NOT NULL,
    digest text NOT NULL,
    is_first boolean NOT NULL,
    message_id text,
    state text NOT NULL,
    reason text,
    case_id uuid,
    entry_id uuid,
    sender text,
    subject text NOT NULL,
    content text NOT NULL,
    details jsonb NOT NULL,
    received_at timestamp with time zone NOT NULL,
    settled_at timestamp with time zone,
    settled_by text,
    read_at timestamp with time zone,
    contact_person_id uuid,
    removed_at timestamp with time zone,
    CONSTRAINT inbound_mails_pkey PRIMARY KEY (id),
    CONSTRAINT inbound_mails_case_id_fkey FOREIGN KEY (case_id) REFERENCES escalation.cases(id),
    CONSTRAINT inbound_mails_entry_id_fkey FOREIGN KEY (entry_id) REFERENCES escalation.entries(id),
    CONSTRAINT inbound_mails_check CHECK (
CASE state
    WHEN 'joined'::text THEN (case_id IS NOT NULL)
    WHEN 'automatic'::text THEN true
    ELSE (case_id IS NULL)
END),
    CONSTRAINT inbound_mails_check1 CHECK ((num_nulls(case_id, entry_id) = ANY (ARRAY[0, 2]))),
    CONSTRAINT inbound_mails_check2 CHECK (((removed_at IS NULL) OR ((num_nonnulls(sender, message_id) = 0) AND (subject = ''::text) AND (content = ''::text)))),
    CONSTRAINT inbound_mails_state_check CHECK ((state = ANY (ARRAY['triage'::text, 'joined'::text, 'automatic'::text, 'bounce'::text, 'discarded'::text])))
);
CREATE INDEX inbound_mails_by_state ON escalation.inbound_mails USING btree (state, id);
CREATE UNIQUE INDEX inbound_mails_first ON escalation.inbound_mails USING btree (mail_key) WHERE is_first;
CREATE INDEX inbound_mails_of_case ON escalation.inbound_mails USING btree (case_id, entry_id);
CREATE UNIQUE INDEX inbound_mails_of_key ON escalation.inbound_mails USING btree (mail_key, digest);
CREATE INDEX inbound_mails_of_no_case ON escalation.inbound_mails USING btree (received_at) WHERE ((case_id IS NULL) AND (removed_at IS NULL));
CREATE INDEX inbound_mails_of_person ON escalation.inbound_mails USING btree (contact_person_id, id) WHERE (contact_person_id IS NOT NULL);
CREATE INDEX inbound_mails_of_sender ON escalation.inbound_mails USING btree (sender, id) WHERE (sender IS NOT NULL);
GRANT SELECT, INSERT, UPDATE, DELETE ON escalation.inbound_mails TO escalation;

-- incident case: A case that an incident fits, and what its owner was asked.
CREATE TABLE escalation.incident_accounts (
    account_id uuid NOT NULL,
    due_at timestamp with time zone NOT NULL,
    CONSTRAINT incident_accounts_pkey PRIMARY KEY (account_id)
);
GRANT SELECT, INSERT, UPDATE, DELETE ON escalation.incident_accounts TO escalation;

-- incident case: A case that an incident fits, and what its owner was asked.
CREATE TABLE escalation.incident_cases (
    reference text NOT NULL,
    case_id uuid NOT NULL,
    linked_at timestamp with time zone NOT NULL,
    asked_at timestamp with time zone,
    CONSTRAINT incident_cases_pkey PRIMARY KEY (reference, case_id),
    CONSTRAINT incident_cases_case_id_fkey FOREIGN KEY (case_id) REFERENCES escalation.cases(id),
    CONSTRAINT incident_cases_reference_fkey FOREIGN KEY (reference) REFERENCES escalation.incidents(reference)
);
CREATE INDEX incident_cases_of_case ON escalation.incident_cases USING btree (case_id);
CREATE INDEX incident_cases_to_ask ON escalation.incident_cases USING btree (reference) WHERE (asked_at IS NULL);
GRANT SELECT, INSERT, UPDATE, DELETE ON escalation.incident_cases TO escalation;

-- incident: A problem of its services that the vendor knows of.
CREATE TABLE escalation.incidents (
    reference text NOT NULL,
    title text NOT NULL,
    content text NOT NULL,
    services text[] NOT NULL,
    regions text[] NOT NULL,
    status text NOT NULL,
    began_at timestamp with time zone,
    ended_at timestamp with time zone,
    seen_at timestamp with time zone NOT NULL,
    CONSTRAINT incidents_pkey PRIMARY KEY (reference),
    CONSTRAINT incidents_status_check CHECK ((status = ANY (ARRAY['active'::text, 'resolved'::text])))
);
CREATE INDEX incidents_by_status ON escalation.incidents USING btree (status, reference);
GRANT SELECT, INSERT, UPDATE, DELETE ON escalation.incidents TO escalation;

-- intent: A committed wish to call the outside.
CREATE TABLE escalation.intents (
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
CREATE INDEX intents_due ON escalation.intents USING btree (due_at) WHERE (state = 'pending'::text);
CREATE UNIQUE INDEX intents_one_pending ON escalation.intents USING btree (kind, key) WHERE (state = 'pending'::text);
GRANT SELECT, INSERT, UPDATE, DELETE ON escalation.intents TO escalation;

-- invoice: A numbered demand for payment that never changes once issued.
CREATE TABLE escalation.invoices (
    invoice_id uuid NOT NULL,
    account_id uuid NOT NULL,
    number text NOT NULL,
    currency text NOT NULL,
    CONSTRAINT invoices_pkey PRIMARY KEY (invoice_id)
);
GRANT SELECT, INSERT, UPDATE, DELETE ON escalation.invoices TO escalation;

-- moved calendar: A business calendar that has changed, until the clocks of an account are computed by it.
CREATE TABLE escalation.moved_calendars (
    account_id uuid NOT NULL,
    due_at timestamp with time zone NOT NULL,
    CONSTRAINT moved_calendars_pkey PRIMARY KEY (account_id)
);
GRANT SELECT, INSERT, UPDATE, DELETE ON escalation.moved_calendars TO escalation;

-- bounce id: The digest of the secret of a mail, by which its bounce is announced.
CREATE TABLE escalation.other_bounces (
    bounce_id uuid NOT NULL,
    code text NOT NULL,
    received_at timestamp with time zone NOT NULL,
    CONSTRAINT other_bounces_pkey PRIMARY KEY (bounce_id)
);
CREATE INDEX other_bounces_by_time ON escalation.other_bounces USING btree (received_at);
GRANT SELECT, INSERT, DELETE ON escalation.other_bounces TO escalation;

-- outbox: Events that are committed and not yet published.
CREATE TABLE escalation.outbox (
    position bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    subject text NOT NULL,
    type text NOT NULL,
    headers jsonb NOT NULL,
    data text NOT NULL,
    CONSTRAINT outbox_pkey PRIMARY KEY ("position")
);
GRANT SELECT, INSERT, UPDATE, DELETE ON escalation.outbox TO escalation;

-- parked event: An event that could not be applied and waits for a person.
CREATE TABLE escalation.parked (
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
GRANT SELECT, INSERT, UPDATE, DELETE ON escalation.parked TO escalation;
GRANT SELECT ON escalation.parked TO monitor;

-- published offset: The offset of a partition up to which the relay has published.
CREATE TABLE escalation.published (
    topic text NOT NULL,
    partition integer NOT NULL,
    next_offset bigint NOT NULL,
    CONSTRAINT published_pkey PRIMARY KEY (topic, partition)
);
GRANT SELECT, INSERT, UPDATE, DELETE ON escalation.published TO escalation;
GRANT SELECT ON escalation.published TO monitor;

-- resource use: That a support resource was consulted in a case, and whether it helped.
CREATE TABLE escalation.resource_uses (
    id uuid NOT NULL,
    resource_id uuid NOT NULL,
    case_id uuid NOT NULL,
    case_kind text NOT NULL,
    result text NOT NULL,
    actor text NOT NULL,
    consulted_at timestamp with time zone NOT NULL,
    CONSTRAINT resource_uses_pkey PRIMARY KEY (id),
    CONSTRAINT resource_uses_case_id_fkey FOREIGN KEY (case_id) REFERENCES escalation.cases(id),
    CONSTRAINT resource_uses_resource_id_fkey FOREIGN KEY (resource_id) REFERENCES escalation.support_resources(id),
    CONSTRAINT resource_uses_result_check CHECK ((result = ANY (ARRAY['helped'::text, 'did_not_help'::text, 'not_applicable'::text])))
);
CREATE INDEX resource_uses_of_case ON escalation.resource_uses USING btree (case_id);
CREATE INDEX resource_uses_of_resource ON escalation.resource_uses USING btree (resource_id, result);
GRANT SELECT, INSERT ON escalation.resource_uses TO escalation;

-- resource words: The words of a support resource, as its language forms them.
CREATE TABLE escalation.resource_words (
    resource_id uuid NOT NULL,
    language text NOT NULL,
    words tsvector NOT NULL,
    CONSTRAINT resource_words_pkey PRIMARY KEY (resource_id),
    CONSTRAINT resource_words_resource_id_fkey FOREIGN KEY (resource_id) REFERENCES escalation.support_resources(id)
);
CREATE INDEX resource_words_de ON escalation.resource_words USING gin (words) WITH (fastupdate=off) WHERE (language = 'de'::text);
CREATE INDEX resource_words_en ON escalation.resource_words USING gin (words) WITH (fastupdate=off) WHERE (language = 'en'::text);
CREATE INDEX resource_words_fr ON escalation.resource_words USING gin (words) WITH (fastupdate=off) WHERE (language = 'fr'::text);
CREATE INDEX resource_words_ru ON escalation.resource_words USING gin (words) WITH (fastupdate=off) WHERE (language = 'ru'::text);
GRANT SELECT, INSERT, UPDATE, DELETE ON escalation.resource_words TO escalation;

-- target: How long an answer may take.
CREATE TABLE escalation.response_targets (
    support_level text NOT NULL,
    kind text NOT NULL,
    severity text NOT NULL,
    which text NOT NULL,
    minutes integer NOT NULL,
    business_days integer NOT NULL,
    is_round_the_clock boolean NOT NULL,
    warn_minutes integer NOT NULL,
    set_by text NOT NULL,
    reason text NOT NULL,
    set_at timestamp with time zone NOT NULL,
    CONSTRAINT response_targets_pkey PRIMARY KEY (support_level, kind, severity, which),
    CONSTRAINT response_targets_check CHECK (((minutes >= 0) AND (business_days >= 0) AND (warn_minutes >= 0))),
    CONSTRAINT response_targets_check1 CHECK (((minutes = 0) <> (business_days = 0))),
    CONSTRAINT response_targets_check2 CHECK (((business_days = 0) OR (NOT is_round_the_clock))),
    CONSTRAINT response_targets_severity_check CHECK ((severity = ANY (ARRAY['A'::text, 'B'::text, 'C'::text, 'none'::text]))),
    CONSTRAINT response_targets_which_check CHECK ((which = ANY (ARRAY['first'::text, 'update'::text, 'resolution'::text])))
);
GRANT SELECT, INSERT, UPDATE, DELETE ON escalation.response_targets TO escalation;

-- retention period: For how long the words of closed cases are kept.
CREATE TABLE escalation.retention_period (
    id integer NOT NULL,
    days integer NOT NULL,
    set_by text,
    reason text,
    set_at timestamp with time zone,
    CONSTRAINT retention_period_pkey PRIMARY KEY (id),
    CONSTRAINT retention_period_days_check CHECK (((days >= 31) AND (days <= 36600))),
    CONSTRAINT retention_period_id_check CHECK ((id = 1))
);
GRANT SELECT, INSERT, UPDATE, DELETE ON escalation.retention_period TO escalation;

-- service credit type: What may be claimed of the vendor, by when and with which evidence.
CREATE TABLE escalation.service_credit_types (
    code text NOT NULL,
    title text NOT NULL,
    counts_from text NOT NULL,
    days integer,
    months integer,
    evidence text[] NOT NULL,
    is_active boolean NOT NULL,
    CONSTRAINT service_credit_types_pkey PRIMARY KEY (code),
    CONSTRAINT service_credit_types_check CHECK ((num_nonnulls(days, months) <= 1)),
    CONSTRAINT service_credit_types_days_check CHECK (((days >= 1) AND (days <= 3660))),
    CONSTRAINT service_credit_types_months_check CHECK (((months >= 1) AND (months <= 120)))
);
GRANT SELECT, INSERT, UPDATE, DELETE ON escalation.service_credit_types TO escalation;

-- service credit: What the vendor is asked to give back for a customer.
CREATE TABLE escalation.service_credits (
    id uuid NOT NULL,
    case_id uuid NOT NULL,
    account_id uuid NOT NULL,
    type_code text NOT NULL,
    subscription_id uuid,
    counts_since date NOT NULL,
    last_day date,
    currency text NOT NULL,
    expected_minor bigint NOT NULL,
    state text NOT NULL,
    evidence jsonb NOT NULL,
    opened_by text NOT NULL,
    opened_at timestamp with time zone NOT NULL,
    vendor_reference text,
    requested_at timestamp with time zone,
    granted_minor bigint,
    granted_at timestamp with time zone,
    ended_at timestamp with time zone,
    ended_reason text,
    credit_note_id uuid,
    credit_note_number text,
    credited_minor bigint,
    warned_at timestamp with time zone,
    wake_at timestamp with time zone,
    CONSTRAINT service_credits_pkey PRIMARY KEY (id),
    CONSTRAINT service_credits_case_id_fkey FOREIGN KEY (case_id) REFERENCES escalation.cases(id),
    CONSTRAINT service_credits_type_code_fkey FOREIGN KEY (type_code) REFERENCES escalation.service_credit_types(code),
    CONSTRAINT service_credits_check CHECK ((num_nulls(granted_minor, granted_at) = ANY (ARRAY[0, 2]))),
    CONSTRAINT service_credits_check1 CHECK (((state = 'granted'::text) = (granted_at IS NOT NULL))),
    CONSTRAINT service_credits_check2 CHECK ((num_nulls(credit_note_id, credit_note_number, credited_minor) = ANY (ARRAY[0, 3]))),
    CONSTRAINT service_credits_state_check CHECK ((state = ANY (ARRAY['draft'::text, 'requested'::text, 'granted'::text, 'refused'::text, 'lapsed'::text, 'withdrawn'::text])))
);
CREATE INDEX service_credits_by_last_day ON escalation.service_credits USING btree (last_day, id) WHERE (state = 'draft'::text);
CREATE INDEX service_credits_due ON escalation.service_credits USING btree (wake_at) WHERE (wake_at IS NOT NULL);
CREATE INDEX service_credits_not_passed_on ON escalation.service_credits USING btree (granted_at) WHERE ((state = 'granted'::text) AND (credit_note_id IS NULL));
CREATE INDEX service_credits_of_account ON escalation.service_credits USING btree (account_id, id);
CREATE INDEX service_credits_of_case ON escalation.service_credits USING btree (case_id);
GRANT SELECT, INSERT, UPDATE, DELETE ON escalation.service_credits TO escalation;

-- redrive: To continue with what is parked.
CREATE TABLE escalation.skipped (
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
GRANT SELECT, INSERT, UPDATE, DELETE ON escalation.skipped TO escalation;

-- stopped group: A consumer that has stopped, since too many events of different subjects failed at once.
CREATE TABLE escalation.stopped (
    id integer NOT NULL,
    why text NOT NULL,
    stopped_at timestamp with time zone NOT NULL,
    CONSTRAINT stopped_pkey PRIMARY KEY (id),
    CONSTRAINT stopped_id_check CHECK ((id = 1))
);
GRANT SELECT, INSERT, UPDATE, DELETE ON escalation.stopped TO escalation;
GRANT SELECT ON escalation.stopped TO monitor;

-- stopped work: A sweep or kind of call of which too many subjects failed.
CREATE TABLE escalation.stopped_work (
    kind text NOT NULL,
    name text NOT NULL,
    stopped_at timestamp with time zone NOT NULL,
    CONSTRAINT stopped_work_pkey PRIMARY KEY (kind, name),
    CONSTRAINT stopped_work_kind_check CHECK ((kind = ANY (ARRAY['sweep'::text, 'intent'::text])))
);
GRANT SELECT, INSERT, UPDATE, DELETE ON escalation.stopped_work TO escalation;
GRANT SELECT ON escalation.stopped_work TO monitor;

-- stream: The last sequence of a subject, and the lock under which it changes.
CREATE TABLE escalation.streams (
    subject text NOT NULL,
    sequence bigint NOT NULL,
    CONSTRAINT streams_pkey PRIMARY KEY (subject),
    CONSTRAINT streams_sequence_check CHECK ((sequence >= 0))
);
GRANT SELECT, INSERT, UPDATE, DELETE ON escalation.streams TO escalation;
GRANT SELECT ON escalation.streams TO monitor;

-- support resource: What the vendor's programme gives us to solve a problem ourselves.
CREATE TABLE escalation.support_resources (
    id uuid NOT NULL,
    version integer NOT NULL,
    reference text NOT NULL,
    kind text NOT NULL,
    title text NOT NULL,
    content text NOT NULL,
    language text NOT NULL,
    products text[] NOT NULL,
    link text,
    valid_from date,
    valid_to date,
    contract_number text,
    requests_left integer,
    channel text,
    response_times text,
    changed_by text NOT NULL,
    changed_at timestamp with time zone NOT NULL,
    CONSTRAINT support_resources_pkey PRIMARY KEY (id),
    CONSTRAINT support_resources_reference_key UNIQUE (reference),
    CONSTRAINT support_resources_check CHECK ((valid_to >= valid_from)),
    CONSTRAINT support_resources_check1 CHECK (((kind = 'premier_contract'::text) OR (num_nonnulls(contract_number, requests_left, channel) = 0))),
    CONSTRAINT support_resources_kind_check CHECK ((kind = ANY (ARRAY['training'::text, 'knowledge_base'::text, 'solution'::text, 'membership_support'::text, 'premier_contract'::text]))),
    CONSTRAINT support_resources_language_check CHECK ((language = ANY (ARRAY['en'::text, 'de'::text, 'fr'::text, 'ru'::text]))),
    CONSTRAINT support_resources_requests_left_check CHECK ((requests_left >= 0))
);
GRANT SELECT, INSERT, UPDATE, DELETE ON escalation.support_resources TO escalation;

-- support statement: What a legal entity publishes about its support, in one language.
CREATE TABLE escalation.support_statements (
    legal_entity text NOT NULL,
    language text NOT NULL,
    content jsonb NOT NULL,
    changed_by text NOT NULL,
    changed_at timestamp with time zone NOT NULL,
    CONSTRAINT support_statements_pkey PRIMARY KEY (legal_entity, language),
    CONSTRAINT support_statements_language_check CHECK ((language = ANY (ARRAY['en'::text, 'de'::text, 'fr'::text, 'ru'::text])))
);
GRANT SELECT, INSERT, UPDATE, DELETE ON escalation.support_statements TO escalation;

-- ticket note: A note in a vendor ticket, ours or the vendor's, with what became of it.
CREATE TABLE escalation.ticket_notes (
    entry_id uuid NOT NULL,
    ticket_id uuid NOT NULL,
    is_ours boolean NOT NULL,
    content text NOT NULL,
    fingerprint text,
    written_at timestamp with time zone NOT NULL,
    sent_at timestamp with time zone,
    CONSTRAINT ticket_notes_pkey PRIMARY KEY (entry_id),
    CONSTRAINT ticket_notes_ticket_id_fingerprint_key UNIQUE (ticket_id, fingerprint),
    CONSTRAINT ticket_notes_entry_id_fkey FOREIGN KEY (entry_id) REFERENCES escalation.entries(id),
    CONSTRAINT ticket_notes_ticket_id_fkey FOREIGN KEY (ticket_id) REFERENCES escalation.vendor_tickets(id)
);
GRANT SELECT, INSERT, UPDATE, DELETE ON escalation.ticket_notes TO escalation;

-- vendor channel: How a legal entity reaches the vendor's support: portal or distributor.
CREATE TABLE escalation.vendor_channels (
    legal_entity text NOT NULL,
    kind text NOT NULL,
    company text NOT NULL,
    contact_name text NOT NULL,
    contact_email text NOT NULL,
    contact_phone text NOT NULL,
    distributor_email text,
    language text NOT NULL,
    countries text[] NOT NULL,
    changed_by text NOT NULL,
    reason text NOT NULL,
    changed_at timestamp with time zone NOT NULL,
    CONSTRAINT vendor_channels_pkey PRIMARY KEY (legal_entity),
    CONSTRAINT vendor_channels_check CHECK (((kind = 'distributor'::text) = (distributor_email IS NOT NULL))),
    CONSTRAINT vendor_channels_kind_check CHECK ((kind = ANY (ARRAY['portal'::text, 'distributor'::text])))
);
GRANT SELECT, INSERT, UPDATE, DELETE ON escalation.vendor_channels TO escalation;

-- vendor credit: A credit on a vendor's invoice, matched with a service credit.
CREATE TABLE escalation.vendor_credits (
    difference_id uuid NOT NULL,
    vendor_invoice_id uuid NOT NULL,
    reconciliation_id uuid NOT NULL,
    vendor_customer_id text,
    vendor_subscription_id text,
    currency text NOT NULL,
    amount_minor bigint NOT NULL,
    received_at timestamp with time zone NOT NULL,
    service_credit_id uuid,
    set_aside_by text,
    set_aside_at timestamp with time zone,
    set_aside_reason text,
    CONSTRAINT vendor_credits_pkey PRIMARY KEY (difference_id),
    CONSTRAINT vendor_credits_service_credit_id_fkey FOREIGN KEY (service_credit_id) REFERENCES escalation.service_credits(id),
    CONSTRAINT vendor_credits_amount_minor_check CHECK ((amount_minor > 0)),
    CONSTRAINT vendor_credits_check CHECK ((num_nulls(set_aside_by, set_aside_at, set_aside_reason) = ANY (ARRAY[0, 3])))
);
CREATE INDEX vendor_credits_of_invoice ON escalation.vendor_credits USING btree (vendor_invoice_id);
CREATE INDEX vendor_credits_of_request ON escalation.vendor_credits USING btree (service_credit_id);
CREATE INDEX vendor_credits_unmatched ON escalation.vendor_credits USING btree (difference_id) WHERE ((service_credit_id IS NULL) AND (set_aside_at IS NULL));
GRANT SELECT, INSERT, UPDATE, DELETE ON escalation.vendor_credits TO escalation;

-- vendor dispute: What we contest of a vendor invoice, and what the vendor answers.
CREATE TABLE escalation.vendor_disputes (
    id uuid NOT NULL,
    case_id uuid NOT NULL,
    dispute_id uuid,
    vendor_invoice_id uuid NOT NULL,
    vendor_invoice_number text NOT NULL,
    legal_entity text NOT NULL,
    currency text NOT NULL,
    items jsonb NOT NULL,
    contested_minor bigint NOT NULL,
    reason_code text NOT NULL,
    reason text NOT NULL,
    vendor_reference text,
    deadline date,
    state text NOT NULL,
    opened_by text NOT NULL,
    opened_at timestamp with time zone NOT NULL,
    accepted_minor bigint,
    ended_at timestamp with time zone,
    ended_by text,
    ended_reason text,
    ticket_id uuid,
    warn_at timestamp with time zone,
    CONSTRAINT vendor_disputes_pkey PRIMARY KEY (id),
    CONSTRAINT vendor_disputes_case_id_fkey FOREIGN KEY (case_id) REFERENCES escalation.cases(id),
    CONSTRAINT vendor_disputes_dispute_id_fkey FOREIGN KEY (dispute_id) REFERENCES escalation.disputes(id),
    CONSTRAINT vendor_disputes_ticket_id_fkey FOREIGN KEY (ticket_id) REFERENCES escalation.vendor_tickets(id),
    CONSTRAINT vendor_disputes_check CHECK (((accepted_minor >= 0) AND (accepted_minor <= contested_minor))),
    CONSTRAINT vendor_disputes_check1 CHECK (((state = 'open'::text) = (accepted_minor IS NULL))),
    CONSTRAINT vendor_disputes_check2 CHECK ((num_nulls(accepted_minor, ended_at, ended_by, ended_reason) = ANY (ARRAY[0, 4]))),
    CONSTRAINT vendor_disputes_check3 CHECK (((warn_at IS NULL) OR (state = 'open'::text))),
    CONSTRAINT vendor_disputes_contested_minor_check CHECK ((contested_minor > 0)),
    CONSTRAINT vendor_disputes_state_check CHECK ((state = ANY (ARRAY['open'::text, 'accepted'::text, 'partly_accepted'::text, 'rejected'::text, 'withdrawn'::text])))
);
CREATE INDEX vendor_disputes_by_state ON escalation.vendor_disputes USING btree (state, id);
CREATE INDEX vendor_disputes_due ON escalation.vendor_disputes USING btree (warn_at) WHERE (warn_at IS NOT NULL);
CREATE INDEX vendor_disputes_of_case ON escalation.vendor_disputes USING btree (case_id);
CREATE INDEX vendor_disputes_of_dispute ON escalation.vendor_disputes USING btree (dispute_id, id) WHERE (dispute_id IS NOT NULL);
CREATE INDEX vendor_disputes_of_invoice ON escalation.vendor_disputes USING btree (vendor_invoice_id, id);
GRANT SELECT, INSERT, UPDATE, DELETE ON escalation.vendor_disputes TO escalation;

-- request by mail: A vendor ticket that goes to a distributor as mail with its evidence pack, and the notes of ours after it.
CREATE TABLE escalation.vendor_ticket_mails (
    id uuid NOT NULL,
    ticket_id uuid NOT NULL,
    entry_id uuid,
    recipient text NOT NULL,
    reply_token text NOT NULL,
    secret text NOT NULL,
    state text NOT NULL,
    code text,
    queued_by text NOT NULL,
    queued_at timestamp with time zone NOT NULL,
    settled_at timestamp with time zone,
    CONSTRAINT vendor_ticket_mails_pkey PRIMARY KEY (id),
    CONSTRAINT vendor_ticket_mails_reply_token_key UNIQUE (reply_token),
    CONSTRAINT vendor_ticket_mails_secret_key UNIQUE (secret),
    CONSTRAINT vendor_ticket_mails_entry_id_fkey FOREIGN KEY (entry_id) REFERENCES escalation.entries(id),
    CONSTRAINT vendor_ticket_mails_ticket_id_fkey FOREIGN KEY (ticket_id) REFERENCES escalation.vendor_tickets(id),
    CONSTRAINT vendor_ticket_mails_check CHECK (((state = ANY (ARRAY['refused'::text, 'bounced'::text])) = (code IS NOT NULL))),
    CONSTRAINT vendor_ticket_mails_state_check CHECK ((state = ANY (ARRAY['queued'::text, 'delivered'::text, 'refused'::text, 'bounced'::text])))
);
CREATE INDEX vendor_ticket_mails_of_ticket ON escalation.vendor_ticket_mails USING btree (ticket_id, id);
GRANT SELECT, INSERT, UPDATE, DELETE ON escalation.vendor_ticket_mails TO escalation;

-- vendor ticket: A request to the vendor's support about a case, with contact data of ours.
CREATE TABLE escalation.vendor_tickets (
    id uuid NOT NULL,
    case_id uuid NOT NULL,
    account_id uuid,
    legal_entity text NOT NULL,
    channel text NOT NULL,
    number text,
    status text NOT NULL,
    status_since timestamp with time zone NOT NULL,
    severity text,
    category text,
    language text NOT NULL,
    product text,
    title text NOT NULL,
    description text NOT NULL,
    contact jsonb NOT NULL,
    checks jsonb NOT NULL,
    entries jsonb NOT NULL,
    decisions jsonb NOT NULL,
    compared_lines jsonb NOT NULL,
    no_line_reason text,
    waived text[] NOT NULL,
    resource_id uuid,
    prepared_by text NOT NULL,
    prepared_at timestamp with time zone NOT NULL,
    submitted_by text,
    submitted_at timestamp with time zone,
    clock_case_id uuid,
    clock_run integer,
    answered_at timestamp with time zone,
    read_at timestamp with time zone,
    reading_refusal text,
    next_reading_at timestamp with time zone,
    is_solved boolean,
    solved_reason text,
    solved_by text,
    solved_at timestamp with time zone,
    attachment_ids uuid[] NOT NULL,
    CONSTRAINT vendor_tickets_pkey PRIMARY KEY (id),
    CONSTRAINT vendor_tickets_legal_entity_number_key UNIQUE (legal_entity, number),
    CONSTRAINT vendor_tickets_case_id_fkey FOREIGN KEY (case_id) REFERENCES escalation.cases(id),
    CONSTRAINT vendor_tickets_clock_case_id_fkey FOREIGN KEY (clock_case_id) REFERENCES escalation.cases(id),
    CONSTRAINT vendor_tickets_resource_id_fkey FOREIGN KEY (resource_id) REFERENCES escalation.support_resources(id),
    CONSTRAINT vendor_tickets_channel_check CHECK ((channel = ANY (ARRAY['portal'::text, 'distributor'::text]))),
    CONSTRAINT vendor_tickets_check CHECK (((status = ANY (ARRAY['prepared'::text, 'discarded'::text])) = (number IS NULL))),
    CONSTRAINT vendor_tickets_check1 CHECK ((num_nulls(number, submitted_by, submitted_at) = ANY (ARRAY[0, 3]))),
    CONSTRAINT vendor_tickets_check2 CHECK ((num_nulls(is_solved, solved_reason, solved_by, solved_at) = ANY (ARRAY[0, 4]))),
    CONSTRAINT vendor_tickets_severity_check CHECK ((severity = ANY (ARRAY['A'::text, 'B'::text, 'C'::text]))),
    CONSTRAINT vendor_tickets_status_check CHECK ((status = ANY (ARRAY['prepared'::text, 'discarded'::text, 'open'::text, 'attention_needed'::text, 'closed'::text])))
);
CREATE INDEX vendor_tickets_by_status ON escalation.vendor_tickets USING btree (status, id);
CREATE INDEX vendor_tickets_of_account ON escalation.vendor_tickets USING btree (account_id, id);
CREATE INDEX vendor_tickets_of_case ON escalation.vendor_tickets USING btree (case_id, id);
CREATE INDEX vendor_tickets_to_read ON escalation.vendor_tickets USING btree (next_reading_at) WHERE (next_reading_at IS NOT NULL);
GRANT SELECT, INSERT, UPDATE, DELETE ON escalation.vendor_tickets TO escalation;

-- watermark: The sequence that a consumer last applied for a subject.
CREATE TABLE escalation.watermarks (
    topic text NOT NULL,
    subject text NOT NULL,
    sequence bigint NOT NULL,
    CONSTRAINT watermarks_pkey PRIMARY KEY (topic, subject)
);
GRANT SELECT, INSERT, UPDATE, DELETE ON escalation.watermarks TO escalation;
GRANT SELECT ON escalation.watermarks TO monitor;

CREATE VIEW escalation.audit_cases AS
 SELECT c.id AS case_id,
    c.kind,
    c.state,
    c.outcome_at,
    c.outcome_sequence,
    c.no_customer_affected,
    GREATEST(( SELECT max(e.sequence) AS max
           FROM escalation.entries e
          WHERE ((e.case_id = c.id) AND e.about_outcome)), ( SELECT max(m.sequence) AS max
           FROM escalation.case_mails m
          WHERE ((m.case_id = c.id) AND m.about_outcome AND (m.state = 'delivered'::text) AND (m.outcome_sequence = c.outcome_sequence)))) AS informed_sequence
   FROM escalation.cases c;
GRANT SELECT, INSERT, UPDATE, DELETE ON escalation.audit_cases TO escalation;
GRANT SELECT ON escalation.audit_cases TO monitor;

CREATE VIEW escalation.pending_work AS
 SELECT 'outbox'::text AS kind,
    outbox.type AS name,
    outbox.subject AS detail,
    NULL::timestamp with time zone AS due_at
   FROM escalation.outbox
UNION ALL
 SELECT 'intent'::text AS kind,
    intents.kind AS name,
    concat(intents.key, ' ', intents.last_error) AS detail,
    intents.due_at
   FROM escalation.intents
  WHERE (intents.state = 'pending'::text)
UNION ALL
 SELECT 'due'::text AS kind,
    'clocks'::text AS name,
    clocks.detail,
    clocks.due_at
   FROM ( SELECT (case_clocks.account_id)::text AS subject,
            concat(case_clocks.case_id, ' ', case_clocks.which) AS detail,
            case_clocks.wake_at AS due_at
           FROM escalation.case_clocks
          WHERE (case_clocks.wake_at IS NOT NULL)) clocks
  WHERE (NOT (EXISTS ( SELECT
           FROM escalation.failed_work f
          WHERE ((f.kind = 'sweep'::text) AND (f.name = 'clocks'::text) AND (f.subject = clocks.subject)))))
UNION ALL
 SELECT 'due'::text AS kind,
    'moved_calendars'::text AS name,
    moved_calendars.detail,
    moved_calendars.due_at
   FROM ( SELECT (moved_calendars_1.account_id)::text AS subject,
            'clocks'::text AS detail,
            moved_calendars_1.due_at
           FROM escalation.moved_calendars moved_calendars_1) moved_calendars
  WHERE (NOT (EXISTS ( SELECT
           FROM escalation.failed_work f
          WHERE ((f.kind = 'sweep'::text) AND (f.name = 'moved_calendars'::text) AND (f.subject = moved_calendars.subject)))))
UNION ALL
 SELECT 'due'::text AS kind,
    'paused_disputes'::text AS name,
    paused_disputes.detail,
    paused_disputes.due_at
   FROM ( SELECT (disputes.account_id)::text AS subject,
            (disputes.id)::text AS detail,
            disputes.paused_until AS due_at
           FROM escalation.disputes
          WHERE ((disputes.paused_until IS NOT NULL) AND (disputes.ended_at IS NULL))) paused_disputes
  WHERE (NOT (EXISTS ( SELECT
           FROM escalation.failed_work f
          WHERE ((f.kind = 'sweep'::text) AND (f.name = 'paused_disputes'::text) AND (f.subject = paused_disputes.subject)))))
UNION ALL
 SELECT 'due'::text AS kind,
    'service_credits'::text AS name,
    service_credits.detail,
    service_credits.due_at
   FROM ( SELECT (service_credits_1.account_id)::text AS subject,
            (service_credits_1.id)::text AS detail,
            service_credits_1.wake_at AS due_at
           FROM escalation.service_credits service_credits_1
          WHERE (service_credits_1.wake_at IS NOT NULL)) service_credits
  WHERE (NOT (EXISTS ( SELECT
           FROM escalation.failed_work f
          WHERE ((f.kind = 'sweep'::text) AND (f.name = 'service_credits'::text) AND (f.subject = service_credits.subject)))))
UNION ALL
 SELECT 'due'::text AS kind,
    'vendor_tickets'::text AS name,
    vendor_tickets.detail,
    vendor_tickets.due_at
   FROM ( SELECT (COALESCE(vendor_tickets_1.account_id, vendor_tickets_1.case_id))::text AS subject,
            (vendor_tickets_1.id)::text AS detail,
            vendor_tickets_1.next_reading_at AS due_at
           FROM escalation.vendor_tickets vendor_tickets_1
          WHERE (vendor_tickets_1.next_reading_at IS NOT NULL)) vendor_tickets
  WHERE (NOT (EXISTS ( SELECT
           FROM escalation.failed_work f
          WHERE ((f.kind = 'sweep'::text) AND (f.name = 'vendor_tickets'::text) AND (f.subject = vendor_tickets.subject)))))
UNION ALL
 SELECT 'due'::text AS kind,
    'service_health'::text AS name,
    service_health.detail,
    service_health.due_at
   FROM ( SELECT (health_watches.id)::text AS subject,
            health_watches.legal_entity AS detail,
            health_watches.next_reading_at AS due_at
           FROM escalation.health_watches) service_health
  WHERE (NOT (EXISTS ( SELECT
           FROM escalation.failed_work f
          WHERE ((f.kind = 'sweep'::text) AND (f.name = 'service_health'::text) AND (f.subject = service_health.subject)))))
UNION ALL
 SELECT 'due'::text AS kind,
    'incident_cases'::text AS name,
    incident_cases.detail,
    incident_cases.due_at
   FROM ( SELECT (incident_accounts.account_id)::text AS subject,
            'incidents'::text AS detail,
            incident_accounts.due_at
           FROM escalation.incident_accounts) incident_cases
  WHERE (NOT (EXISTS ( SELECT
           FROM escalation.failed_work f
          WHERE ((f.kind = 'sweep'::text) AND (f.name = 'incident_cases'::text) AND (f.subject = incident_cases.subject)))))
UNION ALL
 SELECT 'due'::text AS kind,
    'support_contracts'::text AS name,
    support_contracts.detail,
    support_contracts.due_at
   FROM ( SELECT (contract_warnings.resource_id)::text AS subject,
            'valid_to'::text AS detail,
            contract_warnings.warn_at AS due_at
           FROM escalation.contract_warnings
          WHERE (contract_warnings.warn_at IS NOT NULL)) support_contracts
  WHERE (NOT (EXISTS ( SELECT
           FROM escalation.failed_work f
          WHERE ((f.kind = 'sweep'::text) AND (f.name = 'support_contracts'::text) AND (f.subject = support_contracts.subject)))))
UNION ALL
 SELECT 'due'::text AS kind,
    'vendor_disputes'::text AS name,
    vendor_disputes.detail,
    vendor_disputes.due_at
   FROM ( SELECT (vendor_disputes_1.vendor_invoice_id)::text AS subject,
            (vendor_disputes_1.id)::text AS detail,
            vendor_disputes_1.warn_at AS due_at
           FROM escalation.vendor_disputes vendor_disputes_1
          WHERE (vendor_disputes_1.warn_at IS NOT NULL)) vendor_disputes
  WHERE (NOT (EXISTS ( SELECT
           FROM escalation.failed_work f
          WHERE ((f.kind = 'sweep'::text) AND (f.name = 'vendor_disputes'::text) AND (f.subject = vendor_disputes.subject)))))
UNION ALL
 SELECT 'due'::text AS kind,
    'chargebacks'::text AS name,
    chargebacks.detail,
    chargebacks.due_at
   FROM ( SELECT (chargebacks_1.account_id)::text AS subject,
            (chargebacks_1.chargeback_id)::text AS detail,
            chargebacks_1.wake_at AS due_at
           FROM escalation.chargebacks chargebacks_1
          WHERE (chargebacks_1.wake_at IS NOT NULL)) chargebacks
  WHERE (NOT (EXISTS ( SELECT
           FROM escalation.failed_work f
          WHERE ((f.kind = 'sweep'::text) AND (f.name = 'chargebacks'::text) AND (f.subject = chargebacks.subject)))))
UNION ALL
 SELECT 'due'::text AS kind,
    'words_of_cases'::text AS name,
    words_of_cases.detail,
    words_of_cases.due_at
   FROM ( SELECT (COALESCE(c.account_id, c.id))::text AS subject,
            (c.id)::text AS detail,
            (c.words_since + make_interval(days => r.days)) AS due_at
           FROM escalation.cases c,
            escalation.retention_period r
          WHERE ((c.words_since IS NOT NULL) AND (c.unread_answers = 0))) words_of_cases
  WHERE (NOT (EXISTS ( SELECT
           FROM escalation.failed_work f
          WHERE ((f.kind = 'sweep'::text) AND (f.name = 'words_of_cases'::text) AND (f.subject = words_of_cases.subject)))))
UNION ALL
 SELECT 'due'::text AS kind,
    'mails_of_no_case'::text AS name,
    mails_of_no_case.detail,
    mails_of_no_case.due_at
   FROM ( SELECT (m.id)::text AS subject,
            m.state AS detail,
            (m.received_at + make_interval(days => r.days)) AS due_at
           FROM escalation.inbound_mails m,
            escalation.retention_period r
          WHERE ((m.case_id IS NULL) AND (m.removed_at IS NULL))) mails_of_no_case
  WHERE (NOT (EXISTS ( SELECT
           FROM escalation.failed_work f
          WHERE ((f.kind = 'sweep'::text) AND (f.name = 'mails_of_no_case'::text) AND (f.subject = mails_of_no_case.subject)))))
UNION ALL
 SELECT 'due'::text AS kind,
    'old_bounces'::text AS name,
    old_bounces.detail,
    old_bounces.due_at
   FROM ( SELECT (other_bounces.bounce_id)::text AS subject,
            other_bounces.code AS detail,
            (other_bounces.received_at + '90 days'::interval) AS due_at
           FROM escalation.other_bounces) old_bounces
  WHERE (NOT (EXISTS ( SELECT
           FROM escalation.failed_work f
          WHERE ((f.kind = 'sweep'::text) AND (f.name = 'old_bounces'::text) AND (f.subject = old_bounces.subject)))));
GRANT SELECT, INSERT, UPDATE, DELETE ON escalation.pending_work TO escalation;
GRANT SELECT ON escalation.pending_work TO monitor;

CREATE OR REPLACE FUNCTION escalation.check_emptying()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
    IF NEW.removed_at IS NULL OR NOT OLD.details @> NEW.details THEN
        RAISE insufficient_privilege USING MESSAGE = 'an entry is emptied, and nothing else of it changes';
    END IF;
    RETURN NEW;
END $function$;
