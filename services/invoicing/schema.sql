-- The schema invoicing as its migrations make it. Written by `make schemas`; a test holds it.
-- It is read, never run: migrations/ changes it.

-- account: The billing customer: who is invoiced, in one currency and time zone.
CREATE TABLE invoicing.accounts (
    id uuid NOT NULL,
    name text NOT NULL,
    legal_entity text NOT NULL,
    currency text NOT NULL,
    time_zone text NOT NULL,
    billing_email text NOT NULL,
    terms_days integer NOT NULL,
    external_reference text,
    vendor_customer_ids text[] NOT NULL,
    version integer NOT NULL,
    registered_at timestamp with time zone NOT NULL,
    country text,
    tax_status text NOT NULL,
    tax_id text,
    language text NOT NULL,
    address text[],
    support_level text NOT NULL,
    CONSTRAINT accounts_pkey PRIMARY KEY (id),
    CONSTRAINT accounts_external_reference_key UNIQUE (external_reference),
    CONSTRAINT accounts_legal_entity_fkey FOREIGN KEY (legal_entity) REFERENCES invoicing.legal_entities(code),
    CONSTRAINT accounts_tax_status_check CHECK ((tax_status = ANY (ARRAY['standard'::text, 'exempt'::text, 'reverse_charge'::text])))
);
CREATE INDEX accounts_by_beginning ON invoicing.accounts USING btree (lower(name) COLLATE "C");
CREATE INDEX accounts_by_email ON invoicing.accounts USING btree (lower(billing_email));
CREATE INDEX accounts_by_entity ON invoicing.accounts USING btree (legal_entity, id);
CREATE INDEX accounts_by_plain_name ON invoicing.accounts USING btree (regexp_replace(regexp_replace(replace(replace(replace(replace(replace(replace(lower(
CASE
    WHEN (octet_length(name) = char_length(name)) THEN name
    ELSE translate(NORMALIZE(name, NFC), 'ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÑÒÓÔÕÖØÙÚÛÜÝàáâãåçèéêëìíîïñòóôõøùúûýÿĀāĂăĄąĆćĈĉĊċČčĎďĐđĒēĔĕĖėĘęĚěĜĝĞğĠġĢģĤĥĦħĨĩĪīĬĭĮįİıĲĳĴĵĶķĹĺĻļĽľĿŀŁłŃńŅņŇňŌōŎŏŐőŒŔŕŖŗŘřŚśŜŝŞşŠšŢţŤťŦŧŨũŪūŬŭŮůŰűŲųŴŵŶŷŸŹźŻżŽžſƠơƯưǄǅǆǇǈǉǊǋǌǍǎǏǐǑǒǓǔǕǖǗǘǙǚǛǜǞǟǠǡǢǣǦǧǨǩǪǫǬǭǰǱǲǳǴǵǸǹǺǻǼǽȀȁȂȃȄȅȆȇȈȉȊȋȌȍȎȏȐȑȒȓȔȕȖȗȘșȚțȞȟȦȧȨȩȪȫȬȭȮȯȰȱȲȳḀḁḂḃḄḅḆḇḈḉḊḋḌḍḎḏḐḑḒḓḔḕḖḗḘḙḚḛḜḝḞḟḠḡḢḣḤḥḦḧḨḩḪḫḬḭḮḯḰḱḲḳḴḵḶḷḸḹḺḻḼḽḾḿṀṁṂṃṄṅṆṇṈṉṊṋṌṍṎṏṐṑṒṓṔṕṖṗṘṙṚṛṜṝṞṟṠṡṢṣṤṥṦṧṨṩṪṫṬṭṮṯṰṱṲṳṴṵṶṷṸṹṺṻṼṽṾṿẀẁẂẃẄẅẆẇẈẉẊẋẌẍẎẏẐẑẒẓẔẕẖẗẘẙẚẛẞẠạẢảẤấẦầẨẩẪẫẬậẮắẰằẲẳẴẵẶặẸẹẺẻẼẽẾếỀềỂểỄễỆệỈỉỊịỌọỎỏỐốỒồỔổỖỗỘộỚớỜờỞởỠỡỢợỤụỦủỨứỪừỬửỮữỰựỲỳỴỵỶỷỸỹ'::text, 'aaaaäaæceeeeiiiinooooöouuuüyaaaaaceeeeiiiinooooouuuyyaaaaaaccccccccddddeeeeeeeeeegggggggghhhhiiiiiiiiiiiijjkkllllllllllnnnnnnooooooœrrrrrrssssssssttttttuuuuuuuuuuuuwwyyyzzzzzzsoouudddlllnnnaaiioouuuuuuuuuuaaaaææggkkoooojdddggnnaaææaaaaeeeeiiiioooorrrruuuusstthhaaeeooooooooyyaabbbbbbccddddddddddeeeeeeeeeeffgghhhhhhhhhhiiiikkkkkkllllllllmmmmmmnnnnnnnnoooooooopppprrrrrrrrssssssssssttttttttuuuuuuuuuuvvvvwwwwwwwwwwxxxxyyzzzzzzhtwyasßaaaaaaaaaaaaaaaaaaaaaaaaeeeeeeeeeeeeeeeeiiiioooooooooooooooooooooooouuuuuuuuuuuuuuyyyyyyyy'::text)
END), 'ä'::text, 'ae'::text), 'ö'::text, 'oe'::text), 'ü'::text, 'ue'::text), 'ß'::text, 'ss'::text), 'æ'::text, 'ae'::text), 'œ'::text, 'oe'::text), '[^a-z0-9]+'::text, ' '::text, 'g'::text), '\m(gmbh|mbh|co|kg|ag|se|ltd|limited|inc|llc|bv|nv|sa|sarl|srl|spa)\M| '::text, ''::text, 'g'::text));
CREATE INDEX accounts_by_vendor_id ON invoicing.accounts USING gin (vendor_customer_ids);
GRANT SELECT, INSERT, UPDATE, DELETE ON invoicing.accounts TO invoicing;

CREATE TABLE invoicing.alembic_version (
    version_num character varying(32) NOT NULL,
    CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);

-- allocation: The part of a payment that pays one invoice line.
CREATE TABLE invoicing.allocations (
    id uuid NOT NULL,
    account_id uuid NOT NULL,
    payment_id uuid NOT NULL,
    invoice_id uuid NOT NULL,
    line integer NOT NULL,
    amount_minor bigint NOT NULL,
    allocated_at timestamp with time zone NOT NULL,
    reversed_at timestamp with time zone,
    is_recovery boolean NOT NULL,
    CONSTRAINT allocations_pkey PRIMARY KEY (id),
    CONSTRAINT allocations_invoice_id_fkey FOREIGN KEY (invoice_id) REFERENCES invoicing.invoices(id),
    CONSTRAINT allocations_payment_id_fkey FOREIGN KEY (payment_id) REFERENCES invoicing.payments(id),
    CONSTRAINT allocations_amount_minor_check CHECK ((amount_minor > 0))
);
CREATE INDEX allocations_of_invoice ON invoicing.allocations USING btree (invoice_id);
CREATE INDEX ix_invoicing_allocations_payment_id ON invoicing.allocations USING btree (payment_id);
GRANT SELECT, INSERT, UPDATE, DELETE ON invoicing.allocations TO invoicing;

-- approval limit: The amount up to which a role decides alone, in a day, by person and by account.
CREATE TABLE invoicing.approval_limits (
    role text NOT NULL,
    currency text NOT NULL,
    amount_minor bigint NOT NULL,
    set_by text NOT NULL,
    reason text NOT NULL,
    set_at timestamp with time zone NOT NULL,
    CONSTRAINT approval_limits_pkey PRIMARY KEY (role, currency),
    CONSTRAINT approval_limits_amount_minor_check CHECK ((amount_minor >= 0))
);
GRANT SELECT, INSERT, UPDATE, DELETE ON invoicing.approval_limits TO invoicing;

-- approval: A proposal that needs a second person, and its decision.
CREATE TABLE invoicing.approvals (
    id uuid NOT NULL,
    kind text NOT NULL,
    account_id uuid NOT NULL,
    invoice_id uuid,
    amount_minor bigint NOT NULL,
    currency text NOT NULL,
    lines jsonb NOT NULL,
    reason_code text NOT NULL,
    reason text NOT NULL,
    state text NOT NULL,
    proposed_by text NOT NULL,
    proposed_at timestamp with time zone NOT NULL,
    decided_by text,
    decision_reason text,
    decided_at timestamp with time zone,
    credit_note_id uuid,
    CONSTRAINT approvals_pkey PRIMARY KEY (id),
    CONSTRAINT approvals_account_id_fkey FOREIGN KEY (account_id) REFERENCES invoicing.accounts(id),
    CONSTRAINT approvals_credit_note_id_fkey FOREIGN KEY (credit_note_id) REFERENCES invoicing.credit_notes(id),
    CONSTRAINT approvals_invoice_id_fkey FOREIGN KEY (invoice_id) REFERENCES invoicing.invoices(id),
    CONSTRAINT approvals_amount_minor_check CHECK ((amount_minor > 0)),
    CONSTRAINT approvals_check CHECK (((state = 'proposed'::text) = (decided_at IS NULL))),
    CONSTRAINT approvals_check1 CHECK ((num_nulls(decided_by, decision_reason) = ANY (ARRAY[0, 2]))),
    CONSTRAINT approvals_check2 CHECK (((state = 'withdrawn'::text) OR (decided_by IS DISTINCT FROM proposed_by))),
    CONSTRAINT approvals_kind_check CHECK ((kind = ANY (ARRAY['credit_note'::text, 'write_off'::text, 'refund'::text]))),
    CONSTRAINT approvals_state_check CHECK ((state = ANY (ARRAY['proposed'::text, 'carried_out'::text, 'declined'::text, 'withdrawn'::text])))
);
CREATE INDEX approvals_by_kind ON invoicing.approvals USING btree (kind, id);
CREATE INDEX approvals_by_state ON invoicing.approvals USING btree (kind, state, id);
CREATE INDEX approvals_by_time ON invoicing.approvals USING btree (kind, proposed_at);
CREATE INDEX approvals_listed ON invoicing.approvals USING btree (state, id);
CREATE INDEX ix_invoicing_approvals_account_id ON invoicing.approvals USING btree (account_id);
GRANT SELECT, INSERT, UPDATE, DELETE ON invoicing.approvals TO invoicing;

-- audit entry: The record of one request or command that changed something: who, what, when and why.
CREATE TABLE invoicing.audit_entries (
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
CREATE INDEX audit_entries_by_account ON invoicing.audit_entries USING btree (account_id, occurred_at, id) WHERE (account_id IS NOT NULL);
CREATE INDEX audit_entries_by_action ON invoicing.audit_entries USING btree (action, occurred_at, id);
CREATE INDEX audit_entries_by_actor ON invoicing.audit_entries USING btree (actor, occurred_at, id);
CREATE INDEX audit_entries_by_object ON invoicing.audit_entries USING btree (object_id, occurred_at, id);
CREATE INDEX audit_entries_by_time ON invoicing.audit_entries USING btree (occurred_at, id);
GRANT SELECT, INSERT ON invoicing.audit_entries TO invoicing;
GRANT UPDATE (personal) ON invoicing.audit_entries TO invoicing;

-- backfill mark: The sequence up to which a subject's past was read.
CREATE TABLE invoicing.backfill_marks (
    topic text NOT NULL,
    partition integer NOT NULL,
    subject text NOT NULL,
    sequence bigint NOT NULL,
    CONSTRAINT backfill_marks_pkey PRIMARY KEY (topic, partition, subject)
);
GRANT SELECT, INSERT, UPDATE, DELETE ON invoicing.backfill_marks TO invoicing;

-- backfill: The reading of a topic's past for types that are consumed for the first time.
CREATE TABLE invoicing.backfills (
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
GRANT SELECT, INSERT, UPDATE, DELETE ON invoicing.backfills TO invoicing;
GRANT SELECT ON invoicing.backfills TO monitor;

-- balance change: A change of an invoice's balance, with its number, as it was announced.
CREATE TABLE invoicing.balance_changes (
    invoice_id uuid NOT NULL,
    sequence bigint NOT NULL,
    account_id uuid NOT NULL,
    at timestamp with time zone NOT NULL,
    due_minor bigint NOT NULL,
    CONSTRAINT balance_changes_pkey PRIMARY KEY (invoice_id, sequence),
    CONSTRAINT balance_changes_invoice_id_fkey FOREIGN KEY (invoice_id) REFERENCES invoicing.invoices(id)
);
GRANT SELECT, INSERT ON invoicing.balance_changes TO invoicing;

-- bank account: An account of ours at a bank, whose statements are imported.
CREATE TABLE invoicing.bank_accounts (
    bank_account text NOT NULL,
    closing_date date NOT NULL,
    known_until timestamp with time zone NOT NULL,
    is_closed boolean NOT NULL,
    closed_by text,
    reason text,
    closed_at timestamp with time zone,
    CONSTRAINT bank_accounts_pkey PRIMARY KEY (bank_account),
    CONSTRAINT bank_accounts_check CHECK ((num_nulls(closed_by, reason, closed_at) =
CASE
    WHEN is_closed THEN 0
    ELSE 3
END))
);
GRANT SELECT, INSERT, UPDATE, DELETE ON invoicing.bank_accounts TO invoicing;

-- bank entry: One movement of a bank statement.
CREATE TABLE invoicing.bank_entries (
    id uuid NOT NULL,
    import_id uuid NOT NULL,
    bank_account text NOT NULL,
    entry_key text NOT NULL,
    kind text NOT NULL,
    is_credit boolean NOT NULL,
    amount_minor bigint NOT NULL,
    currency text NOT NULL,
    booked_on date NOT NULL,
    payer text,
    text text NOT NULL,
    state text NOT NULL,
    account_id uuid,
    invoice_id uuid,
    payment_id uuid,
    due_at timestamp with time zone,
    decided_by text,
    reason text,
    decided_at timestamp with time zone,
    reference text,
    ids text[],
    return_reason text,
    debit_id uuid,
    CONSTRAINT bank_entries_pkey PRIMARY KEY (id),
    CONSTRAINT bank_entries_bank_account_entry_key_key UNIQUE (bank_account, entry_key),
    CONSTRAINT bank_entries_payment_id_key UNIQUE (payment_id),
    CONSTRAINT bank_entries_account_id_fkey FOREIGN KEY (account_id) REFERENCES invoicing.accounts(id),
    CONSTRAINT bank_entries_debit_id_fkey FOREIGN KEY (debit_id) REFERENCES invoicing.debits(id),
    CONSTRAINT bank_entries_import_id_fkey FOREIGN KEY (import_id) REFERENCES invoicing.bank_imports(id),
    CONSTRAINT bank_entries_invoice_id_fkey FOREIGN KEY (invoice_id) REFERENCES invoicing.invoices(id),
    CONSTRAINT bank_entries_payment_id_fkey FOREIGN KEY (payment_id) REFERENCES invoicing.payments(id),
    CONSTRAINT bank_entries_amount_minor_check CHECK ((amount_minor >= 0)),
    CONSTRAINT bank_entries_check CHECK (((state = 'booked'::text) = (payment_id IS NOT NULL))),
    CONSTRAINT bank_entries_check1 CHECK (((state = 'certain'::text) = (due_at IS NOT NULL))),
    CONSTRAINT bank_entries_check2 CHECK (((due_at IS NULL) OR ((account_id IS NOT NULL) AND (invoice_id IS NOT NULL)))),
    CONSTRAINT bank_entries_check3 CHECK ((num_nulls(decided_by, reason) = ANY (ARRAY[0, 2]))),
    CONSTRAINT bank_entries_kind_check CHECK ((kind = ANY (ARRAY['receipt'::text, 'collective'::text, 'return'::text, 'debit'::text]))),
    CONSTRAINT bank_entries_state_check CHECK ((state = ANY (ARRAY['certain'::text, 'unmatched'::text, 'booked'::text, 'ignored'::text, 'kept'::text])))
);
CREATE INDEX bank_entries_by_reference ON invoicing.bank_entries USING btree (bank_account, reference) WHERE (reference <> ''::text);
CREATE INDEX bank_entries_due ON invoicing.bank_entries USING btree (due_at) WHERE (due_at IS NOT NULL);
CREATE INDEX bank_entries_listed ON invoicing.bank_entries USING btree (state, id);
CREATE INDEX bank_entries_of_import ON invoicing.bank_entries USING btree (import_id);
GRANT SELECT, INSERT, UPDATE, DELETE ON invoicing.bank_entries TO invoicing;

-- bank import: A statement that was taken in, with its bytes.
CREATE TABLE invoicing.bank_imports (
    id uuid NOT NULL,
    content_hash text NOT NULL,
    format text NOT NULL,
    closing_date date,
    certain integer NOT NULL,
    unmatched integer NOT NULL,
    kept integer NOT NULL,
    repeated integer NOT NULL,
    imported_by text NOT NULL,
    imported_at timestamp with time zone NOT NULL,
    CONSTRAINT bank_imports_pkey PRIMARY KEY (id),
    CONSTRAINT bank_imports_content_hash_key UNIQUE (content_hash),
    CONSTRAINT bank_imports_format_check CHECK ((format = ANY (ARRAY['camt.053'::text, 'csv'::text])))
);
CREATE INDEX bank_imports_by_time ON invoicing.bank_imports USING btree (imported_at);
GRANT SELECT, INSERT ON invoicing.bank_imports TO invoicing;

-- bank mapping: Which column of a bank's file means what.
CREATE TABLE invoicing.bank_mappings (
    name text NOT NULL,
    columns jsonb NOT NULL,
    changed_by text NOT NULL,
    changed_at timestamp with time zone NOT NULL,
    CONSTRAINT bank_mappings_pkey PRIMARY KEY (name)
);
GRANT SELECT, INSERT, UPDATE, DELETE ON invoicing.bank_mappings TO invoicing;

-- match: The invoice that a bank entry pays, with a score.
CREATE TABLE invoicing.bank_proposals (
    entry_id uuid NOT NULL,
    rank integer NOT NULL,
    account_id uuid NOT NULL,
    invoice_id uuid,
    score integer NOT NULL,
    reasons text[] NOT NULL,
    CONSTRAINT bank_proposals_pkey PRIMARY KEY (entry_id, rank),
    CONSTRAINT bank_proposals_account_id_fkey FOREIGN KEY (account_id) REFERENCES invoicing.accounts(id),
    CONSTRAINT bank_proposals_entry_id_fkey FOREIGN KEY (entry_id) REFERENCES invoicing.bank_entries(id),
    CONSTRAINT bank_proposals_invoice_id_fkey FOREIGN KEY (invoice_id) REFERENCES invoicing.invoices(id),
    CONSTRAINT bank_proposals_score_check CHECK (((score >= 0) AND (score <= 100)))
);
GRANT SELECT, INSERT ON invoicing.bank_proposals TO invoicing;

-- refused bank entry: A line of a statement that could not be taken, with the reason.
CREATE TABLE invoicing.bank_refused_entries (
    import_id uuid NOT NULL,
    place integer NOT NULL,
    bank_account text NOT NULL,
    field text NOT NULL,
    message text NOT NULL,
    CONSTRAINT bank_refused_entries_pkey PRIMARY KEY (import_id, place),
    CONSTRAINT bank_refused_entries_import_id_fkey FOREIGN KEY (import_id) REFERENCES invoicing.bank_imports(id)
);
GRANT SELECT, INSERT ON invoicing.bank_refused_entries TO invoicing;

-- bank repeat: An entry that looks like one that came before, until a person says whether it is the same.
CREATE TABLE invoicing.bank_repeats (
    id uuid NOT NULL,
    import_id uuid NOT NULL,
    place integer NOT NULL,
    entry_id uuid NOT NULL,
    taken_entry_id uuid,
    taken_by text,
    reason text,
    taken_at timestamp with time zone,
    CONSTRAINT bank_repeats_pkey PRIMARY KEY (id),
    CONSTRAINT bank_repeats_import_id_place_key UNIQUE (import_id, place),
    CONSTRAINT bank_repeats_taken_entry_id_key UNIQUE (taken_entry_id),
    CONSTRAINT bank_repeats_entry_id_fkey FOREIGN KEY (entry_id) REFERENCES invoicing.bank_entries(id),
    CONSTRAINT bank_repeats_import_id_fkey FOREIGN KEY (import_id) REFERENCES invoicing.bank_imports(id),
    CONSTRAINT bank_repeats_taken_entry_id_fkey FOREIGN KEY (taken_entry_id) REFERENCES invoicing.bank_entries(id),
    CONSTRAINT bank_repeats_check CHECK ((num_nulls(taken_entry_id, taken_by, reason, taken_at) = ANY (ARRAY[0, 4])))
);
CREATE INDEX bank_repeats_of_import ON invoicing.bank_repeats USING btree (import_id, id);
GRANT SELECT, INSERT, UPDATE, DELETE ON invoicing.bank_repeats TO invoicing;

-- skipped account: An account that a bill run could not bill, with the reason.
CREATE TABLE invoicing.bill_run_accounts (
    run_id uuid NOT NULL,
    account_id uuid NOT NULL,
    state text NOT NULL,
    due_at timestamp with time zone,
    reason text,
    invoice_id uuid,
    CONSTRAINT bill_run_accounts_pkey PRIMARY KEY (run_id, account_id),
    CONSTRAINT bill_run_accounts_run_id_fkey FOREIGN KEY (run_id) REFERENCES invoicing.bill_runs(id),
    CONSTRAINT bill_run_accounts_check CHECK (((state = ANY (ARRAY['waiting'::text, 'approved'::text])) = (due_at IS NOT NULL))),
    CONSTRAINT bill_run_accounts_check1 CHECK (((state <> 'set_aside'::text) OR (reason IS NOT NULL))),
    CONSTRAINT bill_run_accounts_check2 CHECK (((reason IS NULL) OR (state = ANY (ARRAY['drafted'::text, 'credited'::text, 'nothing'::text, 'set_aside'::text])))),
    CONSTRAINT bill_run_accounts_state_check CHECK ((state = ANY (ARRAY['waiting'::text, 'to_be_taxed'::text, 'drafted'::text, 'approved'::text, 'issued'::text, 'credited'::text, 'nothing'::text, 'set_aside'::text])))
);
CREATE INDEX bill_run_accounts_due ON invoicing.bill_run_accounts USING btree (due_at) WHERE (due_at IS NOT NULL);
CREATE INDEX bill_run_accounts_open ON invoicing.bill_run_accounts USING btree (account_id) WHERE (state = ANY (ARRAY['waiting'::text, 'to_be_taxed'::text, 'drafted'::text, 'approved'::text]));
CREATE INDEX bill_run_accounts_to_be_taxed ON invoicing.bill_run_accounts USING btree (run_id) WHERE (state = 'to_be_taxed'::text);
GRANT SELECT, INSERT, UPDATE, DELETE ON invoicing.bill_run_accounts TO invoicing;

-- bill run: The billing of all that is due by a date.
CREATE TABLE invoicing.bill_runs (
    id uuid NOT NULL,
    run_date date NOT NULL,
    state text NOT NULL,
    at_once boolean NOT NULL,
    started_by text NOT NULL,
    started_at timestamp with time zone NOT NULL,
    decided_by text,
    reason text,
    finished_at timestamp with time zone,
    CONSTRAINT bill_runs_pkey PRIMARY KEY (id),
    CONSTRAINT bill_runs_state_check CHECK ((state = ANY (ARRAY['drafting'::text, 'drafted'::text, 'issuing'::text, 'done'::text, 'discarded'::text])))
);
GRANT SELECT, INSERT, UPDATE, DELETE ON invoicing.bill_runs TO invoicing;

-- business calendar: When the people of a legal entity work: hours by weekday in a zone, but for closed days.
CREATE TABLE invoicing.business_calendars (
    legal_entity text NOT NULL,
    time_zone text NOT NULL,
    country text,
    subdivision text,
    hours jsonb NOT NULL,
    extra_closed_days jsonb NOT NULL,
    extra_open_days date[] NOT NULL,
    covers_until date NOT NULL,
    announce_at timestamp with time zone NOT NULL,
    version integer NOT NULL,
    changed_by text NOT NULL,
    changed_at timestamp with time zone NOT NULL,
    CONSTRAINT business_calendars_pkey PRIMARY KEY (legal_entity),
    CONSTRAINT business_calendars_legal_entity_fkey FOREIGN KEY (legal_entity) REFERENCES invoicing.legal_entities(code),
    CONSTRAINT business_calendars_check CHECK (((country IS NOT NULL) OR (subdivision IS NULL))),
    CONSTRAINT business_calendars_hours_check CHECK ((jsonb_array_length(hours) = 7))
);
CREATE INDEX business_calendars_due ON invoicing.business_calendars USING btree (announce_at);
GRANT SELECT, INSERT, UPDATE, DELETE ON invoicing.business_calendars TO invoicing;

-- credited charge: What a credit note gives back of a charge.
CREATE TABLE invoicing.charge_credits (
    charge_id uuid NOT NULL,
    account_id uuid NOT NULL,
    amount_minor bigint NOT NULL,
    CONSTRAINT charge_credits_pkey PRIMARY KEY (charge_id),
    CONSTRAINT charge_credits_charge_id_fkey FOREIGN KEY (charge_id) REFERENCES invoicing.charges(id),
    CONSTRAINT charge_credits_amount_minor_check CHECK ((amount_minor > 0))
);
GRANT SELECT, INSERT, UPDATE, DELETE ON invoicing.charge_credits TO invoicing;

-- chargeback line: The part of an invoice line that a chargeback reopened and reserves.
CREATE TABLE invoicing.chargeback_lines (
    chargeback_id uuid NOT NULL,
    invoice_id uuid NOT NULL,
    line integer NOT NULL,
    is_recovery boolean NOT NULL,
    account_id uuid NOT NULL,
    amount_minor bigint NOT NULL,
    CONSTRAINT chargeback_lines_pkey PRIMARY KEY (chargeback_id, invoice_id, line, is_recovery),
    CONSTRAINT chargeback_lines_chargeback_id_fkey FOREIGN KEY (chargeback_id) REFERENCES invoicing.chargebacks(id),
    CONSTRAINT chargeback_lines_invoice_id_fkey FOREIGN KEY (invoice_id) REFERENCES invoicing.invoices(id),
    CONSTRAINT chargeback_lines_amount_minor_check CHECK ((amount_minor > 0))
);
GRANT SELECT, INSERT, UPDATE, DELETE ON invoicing.chargeback_lines TO invoicing;

-- chargeback reason: Why a card network took a payment back, by a code of its own.
CREATE TABLE invoicing.chargeback_reasons (
    code text NOT NULL,
    title text NOT NULL,
    is_fraud boolean NOT NULL,
    warn_days integer NOT NULL,
    is_active boolean NOT NULL,
    CONSTRAINT chargeback_reasons_pkey PRIMARY KEY (code),
    CONSTRAINT chargeback_reasons_warn_days_check CHECK (((warn_days >= 1) AND (warn_days <= 60)))
);
GRANT SELECT, INSERT, UPDATE, DELETE ON invoicing.chargeback_reasons TO invoicing;

-- chargeback: A part of a payment that a card network took back, until it decides whose the money is.
CREATE TABLE invoicing.chargebacks (
    id uuid NOT NULL,
    account_id uuid NOT NULL,
    payment_id uuid NOT NULL,
    network_reference text NOT NULL,
    reason_code text NOT NULL,
    amount_minor bigint NOT NULL,
    cash_minor bigint NOT NULL,
    currency text NOT NULL,
    booked_on date NOT NULL,
    answer_by date NOT NULL,
    state text NOT NULL,
    opened_at timestamp with time zone NOT NULL,
    decided_at timestamp with time zone,
    network_fee_minor bigint,
    CONSTRAINT chargebacks_pkey PRIMARY KEY (id),
    CONSTRAINT chargebacks_network_reference_key UNIQUE (network_reference),
    CONSTRAINT chargebacks_account_id_fkey FOREIGN KEY (account_id) REFERENCES invoicing.accounts(id),
    CONSTRAINT chargebacks_payment_id_fkey FOREIGN KEY (payment_id) REFERENCES invoicing.payments(id),
    CONSTRAINT chargebacks_reason_code_fkey FOREIGN KEY (reason_code) REFERENCES invoicing.chargeback_reasons(code),
    CONSTRAINT chargebacks_check CHECK (((state = 'open'::text) = (decided_at IS NULL))),
    CONSTRAINT chargebacks_check1 CHECK (((amount_minor > 0) AND ((cash_minor >= 0) AND (cash_minor <= amount_minor)))),
    CONSTRAINT chargebacks_check2 CHECK ((answer_by >= booked_on)),
    CONSTRAINT chargebacks_network_fee_minor_check CHECK ((network_fee_minor >= 0)),
    CONSTRAINT chargebacks_state_check CHECK ((state = ANY (ARRAY['open'::text, 'won'::text, 'lost'::text])))
);
CREATE INDEX chargebacks_by_state ON invoicing.chargebacks USING btree (state, id);
CREATE INDEX chargebacks_of_account ON invoicing.chargebacks USING btree (account_id, id);
CREATE INDEX chargebacks_to_answer ON invoicing.chargebacks USING btree (answer_by, id) WHERE (state = 'open'::text);
CREATE INDEX ix_invoicing_chargebacks_payment_id ON invoicing.chargebacks USING btree (payment_id);
GRANT SELECT, INSERT, UPDATE, DELETE ON invoicing.chargebacks TO invoicing;

-- billing period: The cycle for which a charge is made, its end exclusive.
CREATE TABLE invoicing.charges (
    id uuid NOT NULL,
    account_id uuid NOT NULL,
    subscription_id uuid NOT NULL,
    kind text NOT NULL,
    reference uuid,
    plan_id uuid NOT NULL,
    version integer NOT NULL,
    cycle_from date NOT NULL,
    cycle_to date NOT NULL,
    period_from date NOT NULL,
    period_to date NOT NULL,
    quantity integer NOT NULL,
    unit_price_minor bigint NOT NULL,
    amount_minor bigint NOT NULL,
    currency text NOT NULL,
    due_on date NOT NULL,
    is_deferred boolean NOT NULL,
    released_minor bigint NOT NULL,
    invoice_id uuid,
    created_at timestamp with time zone NOT NULL,
    settled_minor bigint NOT NULL,
    lapsed_minor bigint NOT NULL,
    CONSTRAINT charges_pkey PRIMARY KEY (id),
    CONSTRAINT charges_subscription_id_fkey FOREIGN KEY (subscription_id) REFERENCES invoicing.subscriptions(id),
    CONSTRAINT charges_check CHECK (((quantity <> 0) AND ((kind = 'reversal'::text) = (quantity < 0)))),
    CONSTRAINT charges_check1 CHECK (((cycle_to > cycle_from) AND (period_to > period_from))),
    CONSTRAINT charges_check2 CHECK (((lapsed_minor = 0) OR ((lapsed_minor >= amount_minor) AND (lapsed_minor <= 0)))),
    CONSTRAINT charges_kind_check CHECK ((kind = ANY (ARRAY['cycle'::text, 'reversal'::text, 'change'::text, 'setup'::text, 'usage'::text, 'vendor_difference'::text])))
);
CREATE UNIQUE INDEX charges_of_difference ON invoicing.charges USING btree (reference) WHERE (kind = 'vendor_difference'::text);
CREATE INDEX charges_of_invoice ON invoicing.charges USING btree (invoice_id) WHERE (invoice_id IS NOT NULL);
CREATE INDEX charges_of_subscription ON invoicing.charges USING btree (subscription_id, cycle_from);
CREATE INDEX charges_unbilled ON invoicing.charges USING btree (account_id) WHERE (invoice_id IS NULL);
GRANT SELECT, INSERT, UPDATE, DELETE ON invoicing.charges TO invoicing;

-- published offset: The offset of a partition up to which the relay has published.
CREATE TABLE invoicing.consumed (
    topic text NOT NULL,
    partition integer NOT NULL,
    next_offset bigint NOT NULL,
    owner uuid,
    types text[] NOT NULL,
    past_until bigint,
    CONSTRAINT consumed_pkey PRIMARY KEY (topic, partition)
);
GRANT SELECT, INSERT, UPDATE, DELETE ON invoicing.consumed TO invoicing;
GRANT SELECT ON invoicing.consumed TO monitor;

-- contact person: A person at the customer, by role: billing, technical, owner.
CREATE TABLE invoicing.contact_persons (
    id uuid NOT NULL,
    account_id uuid NOT NULL,
    role text NOT NULL,
    name text,
    email text,
    phone text,
    language text NOT NULL,
    channel text NOT NULL,
    valid_from date NOT NULL,
    valid_to date,
    version integer NOT NULL,
    erased_at timestamp with time zone,
    CONSTRAINT contact_persons_pkey PRIMARY KEY (id),
    CONSTRAINT contact_persons_account_id_fkey FOREIGN KEY (account_id) REFERENCES invoicing.accounts(id),
    CONSTRAINT contact_persons_channel_check CHECK ((channel = ANY (ARRAY['email'::text, 'phone'::text, 'letter'::text]))),
    CONSTRAINT contact_persons_check CHECK ((valid_to >= valid_from)),
    CONSTRAINT contact_persons_check1 CHECK (((erased_at IS NULL) = (name IS NOT NULL))),
    CONSTRAINT contact_persons_check2 CHECK (((erased_at IS NULL) = (email IS NOT NULL))),
    CONSTRAINT contact_persons_check3 CHECK (((erased_at IS NULL) OR (phone IS NULL))),
    CONSTRAINT contact_persons_check4 CHECK (((erased_at IS NOT NULL) OR (channel <> 'phone'::text) OR (phone IS NOT NULL))),
    CONSTRAINT contact_persons_role_check CHECK ((role = ANY (ARRAY['billing'::text, 'technical'::text, 'owner'::text])))
);
CREATE INDEX contact_persons_of_account ON invoicing.contact_persons USING btree (account_id, id);
GRANT SELECT, INSERT, UPDATE, DELETE ON invoicing.contact_persons TO invoicing;

-- contested amount: What open vendor disputes contest of a vendor invoice; it is owed all the same.
CREATE TABLE invoicing.contested_amounts (
    vendor_dispute_id uuid NOT NULL,
    vendor_invoice_id uuid NOT NULL,
    currency text NOT NULL,
    contested_minor bigint NOT NULL,
    ended_at timestamp with time zone,
    CONSTRAINT contested_amounts_pkey PRIMARY KEY (vendor_dispute_id),
    CONSTRAINT contested_amounts_contested_minor_check CHECK ((contested_minor > 0))
);
CREATE INDEX contested_amounts_open ON invoicing.contested_amounts USING btree (vendor_invoice_id) INCLUDE (contested_minor) WHERE (ended_at IS NULL);
GRANT SELECT, INSERT, UPDATE, DELETE ON invoicing.contested_amounts TO invoicing;

-- credit note line: The part of a credit note that lowers one invoice line.
CREATE TABLE invoicing.credit_note_lines (
    credit_note_id uuid NOT NULL,
    line integer NOT NULL,
    account_id uuid NOT NULL,
    amount_minor bigint NOT NULL,
    CONSTRAINT credit_note_lines_pkey PRIMARY KEY (credit_note_id, line),
    CONSTRAINT credit_note_lines_credit_note_id_fkey FOREIGN KEY (credit_note_id) REFERENCES invoicing.credit_notes(id),
    CONSTRAINT credit_note_lines_amount_minor_check CHECK ((amount_minor > 0))
);
GRANT SELECT, INSERT ON invoicing.credit_note_lines TO invoicing;

-- credit note: A document that lowers an invoice.
CREATE TABLE invoicing.credit_notes (
    id uuid NOT NULL,
    account_id uuid NOT NULL,
    legal_entity text NOT NULL,
    number text NOT NULL,
    invoice_id uuid NOT NULL,
    dispute_id uuid,
    currency text NOT NULL,
    total_minor bigint NOT NULL,
    issued_at timestamp with time zone NOT NULL,
    reason_code text NOT NULL,
    bill_id uuid,
    CONSTRAINT credit_notes_pkey PRIMARY KEY (id),
    CONSTRAINT credit_notes_dispute_id_key UNIQUE (dispute_id),
    CONSTRAINT credit_notes_legal_entity_number_key UNIQUE (legal_entity, number),
    CONSTRAINT credit_notes_account_id_fkey FOREIGN KEY (account_id) REFERENCES invoicing.accounts(id),
    CONSTRAINT credit_notes_invoice_id_fkey FOREIGN KEY (invoice_id) REFERENCES invoicing.invoices(id),
    CONSTRAINT credit_notes_total_minor_check CHECK ((total_minor > 0))
);
CREATE INDEX credit_notes_of_bill ON invoicing.credit_notes USING btree (bill_id) WHERE (bill_id IS NOT NULL);
CREATE INDEX ix_invoicing_credit_notes_account_id ON invoicing.credit_notes USING btree (account_id);
GRANT SELECT, INSERT ON invoicing.credit_notes TO invoicing;

-- credited charge: What a credit note gives back of a charge.
CREATE TABLE invoicing.credited_charges (
    bill_id uuid NOT NULL,
    charge_id uuid NOT NULL,
    account_id uuid NOT NULL,
    net_minor bigint NOT NULL,
    tax_minor bigint NOT NULL,
    CONSTRAINT credited_charges_pkey PRIMARY KEY (bill_id, charge_id),
    CONSTRAINT credited_charges_charge_id_fkey FOREIGN KEY (charge_id) REFERENCES invoicing.charges(id)
);
CREATE INDEX ix_invoicing_credited_charges_account_id ON invoicing.credited_charges USING btree (account_id);
GRANT SELECT, INSERT ON invoicing.credited_charges TO invoicing;

-- direct debit: Money that we collect from the customer's bank.
CREATE TABLE invoicing.debits (
    id uuid NOT NULL,
    account_id uuid NOT NULL,
    invoice_id uuid NOT NULL,
    amount_minor bigint NOT NULL,
    currency text NOT NULL,
    reference text NOT NULL,
    lines jsonb NOT NULL,
    state text NOT NULL,
    initiated_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    failure text,
    payment_id uuid,
    CONSTRAINT debits_pkey PRIMARY KEY (id),
    CONSTRAINT debits_account_id_reference_key UNIQUE (account_id, reference),
    CONSTRAINT debits_payment_id_key UNIQUE (payment_id),
    CONSTRAINT debits_account_id_fkey FOREIGN KEY (account_id) REFERENCES invoicing.accounts(id),
    CONSTRAINT debits_invoice_id_fkey FOREIGN KEY (invoice_id) REFERENCES invoicing.invoices(id),
    CONSTRAINT debits_payment_id_fkey FOREIGN KEY (payment_id) REFERENCES invoicing.payments(id),
    CONSTRAINT debits_amount_minor_check CHECK ((amount_minor > 0)),
    CONSTRAINT debits_check CHECK (((state = 'initiated'::text) = (ended_at IS NULL))),
    CONSTRAINT debits_check1 CHECK (((state = 'settled'::text) = (payment_id IS NOT NULL))),
    CONSTRAINT debits_state_check CHECK ((state = ANY (ARRAY['initiated'::text, 'settled'::text, 'refused'::text])))
);
CREATE INDEX debits_by_reference ON invoicing.debits USING btree (upper(regexp_replace(reference, '[^A-Za-z0-9]'::text, ''::text, 'g'::text)));
CREATE INDEX debits_in_flight ON invoicing.debits USING btree (invoice_id) WHERE (state = 'initiated'::text);
GRANT SELECT, INSERT, UPDATE, DELETE ON invoicing.debits TO invoicing;

-- decided amount: An amount that a person has decided to give, with its day.
CREATE TABLE invoicing.decided_amounts (
    subject_id uuid NOT NULL,
    actor text NOT NULL,
    account_id uuid NOT NULL,
    day date NOT NULL,
    currency text NOT NULL,
    amount_minor bigint NOT NULL,
    CONSTRAINT decided_amounts_pkey PRIMARY KEY (subject_id),
    CONSTRAINT decided_amounts_account_id_fkey FOREIGN KEY (account_id) REFERENCES invoicing.accounts(id),
    CONSTRAINT decided_amounts_actor_check CHECK ((actor <> ''::text)),
    CONSTRAINT decided_amounts_amount_minor_check CHECK ((amount_minor > 0))
);
CREATE INDEX decided_amounts_of_account ON invoicing.decided_amounts USING btree (account_id, day);
CREATE INDEX decided_amounts_of_actor ON invoicing.decided_amounts USING btree (actor, day, currency);
GRANT SELECT, INSERT, UPDATE, DELETE ON invoicing.decided_amounts TO invoicing;

CREATE TABLE invoicing.document_deliveries (
    id uuid NOT NULL,
    document_id uuid NOT NULL,
    account_id uuid NOT NULL,
    kind text NOT NULL,
    state text NOT NULL,
    wanted_at timestamp with time zone NOT NULL,
    wanted_by text,
    reason text,
    delivered_at timestamp with time zone,
    failure text,
    secret text,
    bounce_id uuid,
    CONSTRAINT document_deliveries_pkey PRIMARY KEY (id),
    CONSTRAINT document_deliveries_bounce_id_key UNIQUE (bounce_id),
    CONSTRAINT document_deliveries_account_id_fkey FOREIGN KEY (account_id) REFERENCES invoicing.accounts(id),
    CONSTRAINT document_deliveries_check CHECK (((state = 'sent'::text) = (delivered_at IS NOT NULL))),
    CONSTRAINT document_deliveries_check1 CHECK (((state = 'failed'::text) = (failure IS NOT NULL))),
    CONSTRAINT document_deliveries_check2 CHECK ((num_nulls(wanted_by, reason) = ANY (ARRAY[0, 2]))),
    CONSTRAINT document_deliveries_kind_check CHECK ((kind = ANY (ARRAY['invoice'::text, 'credit_note'::text]))),
    CONSTRAINT document_deliveries_state_check CHECK ((state = ANY (ARRAY['pending'::text, 'sent'::text, 'failed'::text])))
);
CREATE INDEX document_deliveries_of ON invoicing.document_deliveries USING btree (document_id, id);
GRANT SELECT, INSERT, UPDATE, DELETE ON invoicing.document_deliveries TO invoicing;

-- document party: Seller or buyer as a document names them, as they were when it was issued.
CREATE TABLE invoicing.document_parties (
    document_id uuid NOT NULL,
    account_id uuid NOT NULL,
    parties jsonb NOT NULL,
    drawn_up_at timestamp with time zone NOT NULL,
    CONSTRAINT document_parties_pkey PRIMARY KEY (document_id),
    CONSTRAINT document_parties_account_id_fkey FOREIGN KEY (account_id) REFERENCES invoicing.accounts(id)
);
GRANT SELECT, INSERT ON invoicing.document_parties TO invoicing;

-- draft line: One position of a draft.
CREATE TABLE invoicing.draft_lines (
    draft_id uuid NOT NULL,
    line integer NOT NULL,
    account_id uuid NOT NULL,
    charge_id uuid NOT NULL,
    subscription_id uuid NOT NULL,
    description text NOT NULL,
    is_deferred boolean NOT NULL,
    net_minor bigint NOT NULL,
    tax_minor bigint NOT NULL,
    tax_rate_bp integer,
    collectable_minor bigint NOT NULL,
    CONSTRAINT draft_lines_pkey PRIMARY KEY (draft_id, line),
    CONSTRAINT draft_lines_charge_id_fkey FOREIGN KEY (charge_id) REFERENCES invoicing.charges(id),
    CONSTRAINT draft_lines_draft_id_fkey FOREIGN KEY (draft_id) REFERENCES invoicing.drafts(id)
);
GRANT SELECT, INSERT, UPDATE, DELETE ON invoicing.draft_lines TO invoicing;

-- draft: An invoice of a bill run before a person approves it.
CREATE TABLE invoicing.drafts (
    id uuid NOT NULL,
    run_id uuid NOT NULL,
    account_id uuid NOT NULL,
    legal_entity text NOT NULL,
    currency text NOT NULL,
    issue_date date NOT NULL,
    due_date date NOT NULL,
    total_minor bigint NOT NULL,
    tax_request_id uuid,
    tax_note text,
    CONSTRAINT drafts_pkey PRIMARY KEY (id),
    CONSTRAINT drafts_run_id_account_id_key UNIQUE (run_id, account_id),
    CONSTRAINT drafts_account_id_fkey FOREIGN KEY (account_id) REFERENCES invoicing.accounts(id),
    CONSTRAINT drafts_run_id_fkey FOREIGN KEY (run_id) REFERENCES invoicing.bill_runs(id),
    CONSTRAINT drafts_total_minor_check CHECK ((total_minor <> 0))
);
GRANT SELECT, INSERT, UPDATE, DELETE ON invoicing.drafts TO invoicing;

-- exchange rate: A published price of one currency in another.
CREATE TABLE invoicing.exchange_rates (
    id uuid NOT NULL,
    source text NOT NULL,
    rate_date date NOT NULL,
    base text NOT NULL,
    quote text NOT NULL,
    rate numeric NOT NULL,
    set_by text NOT NULL,
    set_at timestamp with time zone NOT NULL,
    CONSTRAINT exchange_rates_pkey PRIMARY KEY (id),
    CONSTRAINT exchange_rates_rate_date_source_base_quote_key UNIQUE (rate_date, source, base, quote),
    CONSTRAINT exchange_rates_check CHECK ((base <> quote)),
    CONSTRAINT exchange_rates_rate_check CHECK ((rate > (0)::numeric))
);
CREATE INDEX exchange_rates_of_quote ON invoicing.exchange_rates USING btree (quote, rate_date);
GRANT SELECT, INSERT, UPDATE, DELETE ON invoicing.exchange_rates TO invoicing;

-- failed work: An account that breaks a sweep, or a call that breaks, set aside until a person has it tried again.
CREATE TABLE invoicing.failed_work (
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
CREATE INDEX failed_work_of_account ON invoicing.failed_work USING btree (account_id, id) WHERE (account_id IS NOT NULL);
GRANT SELECT, INSERT, UPDATE, DELETE ON invoicing.failed_work TO invoicing;
GRANT SELECT ON invoicing.failed_work TO monitor;

-- former buyer: How an account was named until an instant, for documents of before; a former seller likewise.
CREATE TABLE invoicing.former_buyers (
    account_id uuid NOT NULL,
    version integer NOT NULL,
    until timestamp with time zone NOT NULL,
    buyer jsonb NOT NULL,
    CONSTRAINT former_buyers_pkey PRIMARY KEY (account_id, version),
    CONSTRAINT former_buyers_account_id_fkey FOREIGN KEY (account_id) REFERENCES invoicing.accounts(id)
);
GRANT SELECT, INSERT ON invoicing.former_buyers TO invoicing;

-- former buyer: How an account was named until an instant, for documents of before; a former seller likewise.
CREATE TABLE invoicing.former_sellers (
    legal_entity text NOT NULL,
    version integer NOT NULL,
    until timestamp with time zone NOT NULL,
    seller jsonb NOT NULL,
    CONSTRAINT former_sellers_pkey PRIMARY KEY (legal_entity, version)
);
GRANT SELECT, INSERT ON invoicing.former_sellers TO invoicing;

-- idempotency key: The caller's name for one change; a repeat gets the first answer.
CREATE TABLE invoicing.idempotency (
    caller text NOT NULL,
    route text NOT NULL,
    key text NOT NULL,
    body_hash text NOT NULL,
    status integer,
    answer text,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT idempotency_pkey PRIMARY KEY (caller, route, key)
);
CREATE INDEX idempotency_age ON invoicing.idempotency USING btree (created_at);
CREATE INDEX idempotency_of_contact_persons ON invoicing.idempotency USING btree ((((answer)::jsonb ->> 'id'::text))) WHERE (route ~~ '%/contact-persons%'::text);
GRANT SELECT, INSERT, UPDATE, DELETE ON invoicing.idempotency TO invoicing;

-- intent: A committed wish to call the outside.
CREATE TABLE invoicing.intents (
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
CREATE INDEX intents_due ON invoicing.intents USING btree (due_at) WHERE (state = 'pending'::text);
CREATE UNIQUE INDEX intents_one_pending ON invoicing.intents USING btree (kind, key) WHERE (state = 'pending'::text);
GRANT SELECT, INSERT, UPDATE, DELETE ON invoicing.intents TO invoicing;

-- invoice line: One position of an invoice.
CREATE TABLE invoicing.invoice_lines (
    invoice_id uuid NOT NULL,
    line integer NOT NULL,
    account_id uuid NOT NULL,
    description text NOT NULL,
    amount_minor bigint NOT NULL,
    subscription_id uuid,
    net_minor bigint NOT NULL,
    tax_minor bigint NOT NULL,
    tax_rate_bp integer,
    charge_id uuid,
    tax_class text,
    CONSTRAINT invoice_lines_pkey PRIMARY KEY (invoice_id, line),
    CONSTRAINT invoice_lines_invoice_id_fkey FOREIGN KEY (invoice_id) REFERENCES invoicing.invoices(id),
    CONSTRAINT invoice_lines_subscription_id_fkey FOREIGN KEY (subscription_id) REFERENCES invoicing.subscriptions(id),
    CONSTRAINT invoice_lines_check CHECK ((amount_minor = (net_minor + tax_minor)))
);
GRANT SELECT, INSERT ON invoicing.invoice_lines TO invoicing;

CREATE TABLE invoicing.invoice_states (
    invoice_id uuid NOT NULL,
    account_id uuid NOT NULL,
    open_minor bigint NOT NULL,
    changed_at timestamp with time zone NOT NULL,
    overdue_at timestamp with time zone,
    judge_at timestamp with time zone,
    CONSTRAINT invoice_states_pkey PRIMARY KEY (invoice_id),
    CONSTRAINT invoice_states_invoice_id_fkey FOREIGN KEY (invoice_id) REFERENCES invoicing.invoices(id),
    CONSTRAINT invoice_states_open_minor_check CHECK ((open_minor >= 0))
);
CREATE INDEX invoice_states_by_amount ON invoicing.invoice_states USING btree (open_minor) WHERE (open_minor > 0);
CREATE INDEX invoice_states_changed ON invoicing.invoice_states USING btree (changed_at, invoice_id);
CREATE INDEX invoice_states_due ON invoicing.invoice_states USING btree (judge_at) WHERE (judge_at IS NOT NULL);
CREATE INDEX invoice_states_open ON invoicing.invoice_states USING btree (account_id) WHERE (open_minor > 0);
CREATE INDEX invoice_states_overdue ON invoicing.invoice_states USING btree (invoice_id) WHERE ((open_minor > 0) AND (overdue_at IS NOT NULL));
GRANT SELECT, INSERT, UPDATE, DELETE ON invoicing.invoice_states TO invoicing;

-- invoice: A numbered demand for payment that never changes once issued.
CREATE TABLE invoicing.invoices (
    id uuid NOT NULL,
    account_id uuid NOT NULL,
    legal_entity text NOT NULL,
    number text NOT NULL,
    external_reference text,
    currency text NOT NULL,
    issue_date date NOT NULL,
    due_date date NOT NULL,
    total_minor bigint NOT NULL,
    issued_at timestamp with time zone NOT NULL,
    tax_request_id uuid,
    tax_note text,
    CONSTRAINT invoices_pkey PRIMARY KEY (id),
    CONSTRAINT invoices_account_id_external_reference_key UNIQUE (account_id, external_reference),
    CONSTRAINT invoices_legal_entity_number_key UNIQUE (legal_entity, number),
    CONSTRAINT invoices_account_id_fkey FOREIGN KEY (account_id) REFERENCES invoicing.accounts(id),
    CONSTRAINT invoices_check CHECK ((due_date >= issue_date)),
    CONSTRAINT invoices_total_minor_check CHECK ((total_minor > 0))
);
CREATE INDEX invoices_by_due_date ON invoicing.invoices USING btree (due_date, id);
CREATE INDEX invoices_by_entity ON invoicing.invoices USING btree (legal_entity, id);
CREATE INDEX invoices_by_external_reference ON invoicing.invoices USING btree (external_reference) WHERE (external_reference IS NOT NULL);
CREATE INDEX invoices_by_number ON invoicing.invoices USING btree (upper(regexp_replace(number, '[^A-Za-z0-9]'::text, ''::text, 'g'::text)));
CREATE INDEX invoices_by_reference ON invoicing.invoices USING btree (upper(regexp_replace(external_reference, '[^A-Za-z0-9]'::text, ''::text, 'g'::text))) WHERE (external_reference IS NOT NULL);
GRANT SELECT, INSERT ON invoicing.invoices TO invoicing;

-- ledger account: An account of the general ledger, by code.
CREATE TABLE invoicing.ledger_accounts (
    code text NOT NULL,
    name text NOT NULL,
    kind text NOT NULL,
    CONSTRAINT ledger_accounts_pkey PRIMARY KEY (code),
    CONSTRAINT ledger_accounts_kind_check CHECK ((kind = ANY (ARRAY['asset'::text, 'liability'::text, 'income'::text, 'expense'::text])))
);
GRANT SELECT, INSERT ON invoicing.ledger_accounts TO invoicing;

-- ledger entry: One side of a posting in double entry.
CREATE TABLE invoicing.ledger_entries (
    id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    legal_entity text NOT NULL,
    code text NOT NULL,
    currency text NOT NULL,
    amount_minor bigint NOT NULL,
    account_id uuid,
    document text NOT NULL,
    document_id uuid NOT NULL,
    event_sequence bigint NOT NULL,
    posted_on date NOT NULL,
    posted_at timestamp with time zone NOT NULL,
    CONSTRAINT ledger_entries_pkey PRIMARY KEY (id),
    CONSTRAINT ledger_entries_code_fkey FOREIGN KEY (code) REFERENCES invoicing.ledger_accounts(code),
    CONSTRAINT ledger_entries_amount_minor_check CHECK ((amount_minor <> 0)),
    CONSTRAINT ledger_entries_check CHECK (((account_id IS NOT NULL) OR (document = ANY (ARRAY['vendor_invoice'::text, 'vendor_payment'::text, 'vendor_difference'::text]))))
);
CREATE INDEX ledger_entries_by_day ON invoicing.ledger_entries USING btree (legal_entity, posted_on, id);
CREATE INDEX ledger_entries_of_account ON invoicing.ledger_entries USING btree (account_id, id);
CREATE TRIGGER ledger_holds AFTER INSERT ON invoicing.ledger_entries REFERENCING NEW TABLE AS new_entries FOR EACH STATEMENT EXECUTE FUNCTION invoicing.ledger_holds();
GRANT SELECT, INSERT ON invoicing.ledger_entries TO invoicing;

-- ledger period: A month of a legal entity, open or closed.
CREATE TABLE invoicing.ledger_periods (
    legal_entity text NOT NULL,
    month date NOT NULL,
    closed_by text NOT NULL,
    reason text NOT NULL,
    closed_at timestamp with time zone NOT NULL,
    CONSTRAINT ledger_periods_pkey PRIMARY KEY (legal_entity, month),
    CONSTRAINT ledger_periods_legal_entity_fkey FOREIGN KEY (legal_entity) REFERENCES invoicing.legal_entities(code)
);
GRANT SELECT, INSERT ON invoicing.ledger_periods TO invoicing;

-- legal entity: The company of ours that sells, issues and banks.
CREATE TABLE invoicing.legal_entities (
    code text NOT NULL,
    name text NOT NULL,
    address text[] NOT NULL,
    tax_id text NOT NULL,
    register_number text NOT NULL,
    bank_name text NOT NULL,
    iban text NOT NULL,
    bic text NOT NULL,
    footer text,
    sends_documents boolean NOT NULL,
    version integer NOT NULL,
    changed_by text NOT NULL,
    changed_at timestamp with time zone NOT NULL,
    country text,
    tax_calculator text NOT NULL,
    mail_from text,
    reply_to text,
    signature text,
    language text,
    footers jsonb,
    CONSTRAINT legal_entities_pkey PRIMARY KEY (code),
    CONSTRAINT legal_entities_check CHECK (((tax_calculator = 'rates'::text) OR (country IS NOT NULL))),
    CONSTRAINT legal_entities_check1 CHECK (((version = 0) = (name = ''::text))),
    CONSTRAINT legal_entities_tax_calculator_check CHECK ((tax_calculator = ANY (ARRAY['rates'::text, 'outside'::text])))
);
GRANT SELECT, INSERT, UPDATE, DELETE ON invoicing.legal_entities TO invoicing;

-- receivables: What customers owe us.
CREATE TABLE invoicing.line_balances (
    invoice_id uuid NOT NULL,
    line integer NOT NULL,
    account_id uuid NOT NULL,
    amount_minor bigint NOT NULL,
    paid_minor bigint NOT NULL,
    credited_minor bigint NOT NULL,
    reserved_minor bigint NOT NULL,
    in_flight_minor bigint NOT NULL,
    written_off_minor bigint NOT NULL,
    charged_back_minor bigint NOT NULL,
    CONSTRAINT line_balances_pkey PRIMARY KEY (invoice_id, line),
    CONSTRAINT line_balances_invoice_id_fkey FOREIGN KEY (invoice_id) REFERENCES invoicing.invoices(id),
    CONSTRAINT line_balances_amount_minor_check CHECK ((amount_minor >= 0)),
    CONSTRAINT line_balances_charged_back_minor_check CHECK ((charged_back_minor >= 0)),
    CONSTRAINT line_balances_check CHECK ((LEAST(paid_minor, credited_minor, reserved_minor, in_flight_minor, written_off_minor) >= 0)),
    CONSTRAINT line_balances_check1 CHECK ((((paid_minor + credited_minor) + written_off_minor) <= amount_minor)),
    CONSTRAINT line_balances_check2 CHECK ((reserved_minor <= amount_minor))
);
GRANT SELECT, INSERT, UPDATE, DELETE ON invoicing.line_balances TO invoicing;

-- number: The last number of a kind of document that a legal entity has given out, without gaps.
CREATE TABLE invoicing.numbers (
    legal_entity text NOT NULL,
    series text NOT NULL,
    last bigint NOT NULL,
    CONSTRAINT numbers_pkey PRIMARY KEY (legal_entity, series)
);
GRANT SELECT, INSERT, UPDATE, DELETE ON invoicing.numbers TO invoicing;

-- outbox: Events that are committed and not yet published.
CREATE TABLE invoicing.outbox (
    position bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    subject text NOT NULL,
    type text NOT NULL,
    headers jsonb NOT NULL,
    data text NOT NULL,
    CONSTRAINT outbox_pkey PRIMARY KEY ("position")
);
GRANT SELECT, INSERT, UPDATE, DELETE ON invoicing.outbox TO invoicing;

-- parked event: An event that could not be applied and waits for a person.
CREATE TABLE invoicing.parked (
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
GRANT SELECT, INSERT, UPDATE, DELETE ON invoicing.parked TO invoicing;
GRANT SELECT ON invoicing.parked TO monitor;

-- payment: Money that came in.
CREATE TABLE invoicing.payments (
    id uuid NOT NULL,
    account_id uuid NOT NULL,
    amount_minor bigint NOT NULL,
    currency text NOT NULL,
    reference text,
    unapplied_minor bigint NOT NULL,
    state text NOT NULL,
    received_at timestamp with time zone NOT NULL,
    charged_back_minor bigint NOT NULL,
    CONSTRAINT payments_pkey PRIMARY KEY (id),
    CONSTRAINT payments_account_id_fkey FOREIGN KEY (account_id) REFERENCES invoicing.accounts(id),
    CONSTRAINT payments_amount_minor_check CHECK ((amount_minor > 0)),
    CONSTRAINT payments_check CHECK (((unapplied_minor >= 0) AND (unapplied_minor <= amount_minor))),
    CONSTRAINT payments_check1 CHECK (((charged_back_minor >= 0) AND ((charged_back_minor + unapplied_minor) <= amount_minor))),
    CONSTRAINT payments_state_check CHECK ((state = ANY (ARRAY['received'::text, 'reversed'::text])))
);
CREATE INDEX payments_unapplied ON invoicing.payments USING btree (account_id) WHERE (unapplied_minor > 0);
GRANT SELECT, INSERT, UPDATE, DELETE ON invoicing.payments TO invoicing;

-- plan price: What a quantity of a plan version costs in a currency.
CREATE TABLE invoicing.plan_prices (
    plan_id uuid NOT NULL,
    version integer NOT NULL,
    currency text NOT NULL,
    unit_price_minor bigint NOT NULL,
    setup_minor bigint NOT NULL,
    CONSTRAINT plan_prices_pkey PRIMARY KEY (plan_id, version, currency),
    CONSTRAINT plan_prices_plan_id_version_fkey FOREIGN KEY (plan_id, version) REFERENCES invoicing.plan_versions(plan_id, version),
    CONSTRAINT plan_prices_check CHECK ((LEAST(unit_price_minor, setup_minor) >= 0))
);
GRANT SELECT, INSERT ON invoicing.plan_prices TO invoicing;

-- plan version: A plan's prices and rules from a date on; a term keeps its version.
CREATE TABLE invoicing.plan_versions (
    plan_id uuid NOT NULL,
    version integer NOT NULL,
    effective_from date NOT NULL,
    term_months integer NOT NULL,
    period_months integer NOT NULL,
    timing text NOT NULL,
    while_suspended text NOT NULL,
    usage_markup_bp integer NOT NULL,
    cancellation_days integer NOT NULL,
    vendor_unit_cost_minor bigint NOT NULL,
    vendor_currency text NOT NULL,
    vendor_period_months integer NOT NULL,
    vendor_bills_while_suspended boolean NOT NULL,
    published_at timestamp with time zone NOT NULL,
    CONSTRAINT plan_versions_pkey PRIMARY KEY (plan_id, version),
    CONSTRAINT plan_versions_plan_id_effective_from_key UNIQUE (plan_id, effective_from),
    CONSTRAINT plan_versions_plan_id_fkey FOREIGN KEY (plan_id) REFERENCES invoicing.plans(id),
    CONSTRAINT plan_versions_check CHECK (((period_months = ANY (ARRAY[1, 12])) AND (term_months = ANY (ARRAY[1, 12, 36])) AND (vendor_period_months = ANY (ARRAY[1, 12, 36])))),
    CONSTRAINT plan_versions_check1 CHECK (((period_months <= term_months) AND (vendor_period_months <= term_months))),
    CONSTRAINT plan_versions_check2 CHECK ((LEAST(vendor_unit_cost_minor, (cancellation_days)::bigint, (usage_markup_bp)::bigint) >= 0)),
    CONSTRAINT plan_versions_timing_check CHECK ((timing = ANY (ARRAY['advance'::text, 'arrears'::text]))),
    CONSTRAINT plan_versions_while_suspended_check CHECK ((while_suspended = ANY (ARRAY['credit'::text, 'bill'::text])))
);
GRANT SELECT, INSERT ON invoicing.plan_versions TO invoicing;

-- plan: What can be bought, with prices.
CREATE TABLE invoicing.plans (
    id uuid NOT NULL,
    code text NOT NULL,
    name text NOT NULL,
    tax_class text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT plans_pkey PRIMARY KEY (id),
    CONSTRAINT plans_code_key UNIQUE (code)
);
GRANT SELECT, INSERT, UPDATE, DELETE ON invoicing.plans TO invoicing;

-- copied policy version: The numbers of a policy version that invoicing needs for its documents.
CREATE TABLE invoicing.policy_versions (
    version integer NOT NULL,
    effective_date date NOT NULL,
    CONSTRAINT policy_versions_pkey PRIMARY KEY (version)
);
GRANT SELECT, INSERT, UPDATE, DELETE ON invoicing.policy_versions TO invoicing;

-- published offset: The offset of a partition up to which the relay has published.
CREATE TABLE invoicing.published (
    topic text NOT NULL,
    partition integer NOT NULL,
    next_offset bigint NOT NULL,
    CONSTRAINT published_pkey PRIMARY KEY (topic, partition)
);
GRANT SELECT, INSERT, UPDATE, DELETE ON invoicing.published TO invoicing;
GRANT SELECT ON invoicing.published TO monitor;

-- reconciliation sum: Totals of a reconciliation by verdict, and by customer.
CREATE TABLE invoicing.reconciliation_customer_sums (
    reconciliation_id uuid NOT NULL,
    verdict text NOT NULL,
    currency text NOT NULL,
    net_minor bigint NOT NULL,
    CONSTRAINT reconciliation_customer_sums_pkey PRIMARY KEY (reconciliation_id, verdict, currency),
    CONSTRAINT reconciliation_customer_sums_reconciliation_id_verdict_fkey FOREIGN KEY (reconciliation_id, verdict) REFERENCES invoicing.reconciliation_sums(reconciliation_id, verdict)
);
GRANT SELECT, INSERT ON invoicing.reconciliation_customer_sums TO invoicing;

-- reconciliation line: A line of the vendor's file, as it was read.
CREATE TABLE invoicing.reconciliation_lines (
    reconciliation_id uuid NOT NULL,
    line integer NOT NULL,
    account_id uuid,
    subscription_id uuid,
    vendor_customer_id text,
    vendor_subscription_id text,
    product text,
    charge_type text NOT NULL,
    kind text,
    unit_price numeric NOT NULL,
    effective_unit_price numeric,
    quantity numeric NOT NULL,
    subtotal_minor bigint NOT NULL,
    tax_minor bigint NOT NULL,
    total_minor bigint NOT NULL,
    period_from date,
    period_to date,
    reference text,
    extra jsonb,
    verdict text NOT NULL,
    CONSTRAINT reconciliation_lines_pkey PRIMARY KEY (reconciliation_id, line),
    CONSTRAINT reconciliation_lines_reconciliation_id_fkey FOREIGN KEY (reconciliation_id) REFERENCES invoicing.reconciliations(id),
    CONSTRAINT reconciliation_lines_check CHECK (((kind IS NULL) OR (period_to > period_from))),
    CONSTRAINT reconciliation_lines_verdict_check CHECK ((verdict = ANY (ARRAY['matched'::text, 'within_tolerance'::text, 'quantity_difference'::text, 'price_difference'::text, 'missing_with_us'::text, 'missing_at_vendor'::text, 'no_customer'::text, 'not_comparable'::text])))
);
CREATE INDEX reconciliation_lines_subscription ON invoicing.reconciliation_lines USING btree (subscription_id, period_from) WHERE (subscription_id IS NOT NULL);
GRANT SELECT, INSERT, UPDATE, DELETE ON invoicing.reconciliation_lines TO invoicing;

-- reconciliation sum: Totals of a reconciliation by verdict, and by customer.
CREATE TABLE invoicing.reconciliation_sums (
    reconciliation_id uuid NOT NULL,
    verdict text NOT NULL,
    comparisons integer NOT NULL,
    lines integer NOT NULL,
    billed_minor bigint NOT NULL,
    expected_minor bigint NOT NULL,
    CONSTRAINT reconciliation_sums_pkey PRIMARY KEY (reconciliation_id, verdict),
    CONSTRAINT reconciliation_sums_reconciliation_id_fkey FOREIGN KEY (reconciliation_id) REFERENCES invoicing.reconciliations(id),
    CONSTRAINT reconciliation_sums_verdict_check CHECK ((verdict = ANY (ARRAY['matched'::text, 'within_tolerance'::text, 'quantity_difference'::text, 'price_difference'::text, 'missing_with_us'::text, 'missing_at_vendor'::text, 'no_customer'::text, 'not_comparable'::text])))
);
GRANT SELECT, INSERT, UPDATE, DELETE ON invoicing.reconciliation_sums TO invoicing;

-- reconciliation: The comparison of a vendor's lines with our vendor charges.
CREATE TABLE invoicing.reconciliations (
    id uuid NOT NULL,
    vendor_invoice_id uuid NOT NULL,
    currency text NOT NULL,
    file_sha256 text NOT NULL,
    layout text NOT NULL,
    lines integer NOT NULL,
    total_minor bigint NOT NULL,
    tax_minor bigint NOT NULL,
    status text NOT NULL,
    took_ms integer NOT NULL,
    reconciled_at timestamp with time zone NOT NULL,
    reconciled_by text NOT NULL,
    replaced_at timestamp with time zone,
    replaced_by text,
    replaced_why text,
    CONSTRAINT reconciliations_pkey PRIMARY KEY (id),
    CONSTRAINT reconciliations_vendor_invoice_id_fkey FOREIGN KEY (vendor_invoice_id) REFERENCES invoicing.vendor_invoices(id),
    CONSTRAINT reconciliations_layout_check CHECK ((layout = ANY (ARRAY['csv'::text, 'jsonl'::text]))),
    CONSTRAINT reconciliations_lines_check CHECK ((lines >= 0)),
    CONSTRAINT reconciliations_status_check CHECK ((status = ANY (ARRAY['clean'::text, 'differences'::text, 'not_compared'::text])))
);
CREATE UNIQUE INDEX reconciliations_current ON invoicing.reconciliations USING btree (vendor_invoice_id) WHERE (replaced_at IS NULL);
GRANT SELECT, INSERT, UPDATE, DELETE ON invoicing.reconciliations TO invoicing;

-- refund: Unapplied cash that is paid back.
CREATE TABLE invoicing.refund_parts (
    approval_id uuid NOT NULL,
    payment_id uuid NOT NULL,
    account_id uuid NOT NULL,
    amount_minor bigint NOT NULL,
    CONSTRAINT refund_parts_pkey PRIMARY KEY (approval_id, payment_id),
    CONSTRAINT refund_parts_approval_id_fkey FOREIGN KEY (approval_id) REFERENCES invoicing.approvals(id),
    CONSTRAINT refund_parts_payment_id_fkey FOREIGN KEY (payment_id) REFERENCES invoicing.payments(id),
    CONSTRAINT refund_parts_amount_minor_check CHECK ((amount_minor > 0))
);
GRANT SELECT, INSERT ON invoicing.refund_parts TO invoicing;

-- reserved: Set apart for a dispute, or for a chargeback while the network decides.
CREATE TABLE invoicing.reservations (
    dispute_id uuid NOT NULL,
    line integer NOT NULL,
    invoice_id uuid NOT NULL,
    account_id uuid NOT NULL,
    amount_minor bigint NOT NULL,
    reserved_at timestamp with time zone NOT NULL,
    released_at timestamp with time zone,
    amendment integer NOT NULL,
    CONSTRAINT reservations_pkey PRIMARY KEY (dispute_id, line),
    CONSTRAINT reservations_invoice_id_fkey FOREIGN KEY (invoice_id) REFERENCES invoicing.invoices(id),
    CONSTRAINT reservations_amendment_check CHECK ((amendment >= 0)),
    CONSTRAINT reservations_amount_minor_check CHECK ((amount_minor > 0))
);
GRANT SELECT, INSERT, UPDATE, DELETE ON invoicing.reservations TO invoicing;

-- second person rule: Whether a legal entity requires a second person for refunds within a limit and for settings.
CREATE TABLE invoicing.second_person_rules (
    legal_entity text NOT NULL,
    is_required boolean NOT NULL,
    set_by text NOT NULL,
    reason text NOT NULL,
    set_at timestamp with time zone NOT NULL,
    CONSTRAINT second_person_rules_pkey PRIMARY KEY (legal_entity),
    CONSTRAINT second_person_rules_legal_entity_fkey FOREIGN KEY (legal_entity) REFERENCES invoicing.legal_entities(code)
);
GRANT SELECT, INSERT, UPDATE, DELETE ON invoicing.second_person_rules TO invoicing;

-- setting change: A change of a setting that moves money: carried out at once, or proposed to a second person.
CREATE TABLE invoicing.setting_changes (
    id uuid NOT NULL,
    kind text NOT NULL,
    key text NOT NULL,
    legal_entity text,
    former jsonb NOT NULL,
    wanted jsonb NOT NULL,
    reason text,
    state text NOT NULL,
    proposed_by text NOT NULL,
    proposed_at timestamp with time zone NOT NULL,
    decided_by text,
    decision_reason text,
    decided_at timestamp with time zone,
    CONSTRAINT setting_changes_pkey PRIMARY KEY (id),
    CONSTRAINT setting_changes_check CHECK (((state = 'proposed'::text) = (decided_at IS NULL))),
    CONSTRAINT setting_changes_check1 CHECK ((num_nulls(decided_by, decision_reason) = ANY (ARRAY[0, 2]))),
    CONSTRAINT setting_changes_check2 CHECK (((state = ANY (ARRAY['proposed'::text, 'carried_out'::text])) OR (decided_by IS NOT NULL))),
    CONSTRAINT setting_changes_check3 CHECK (((state = 'withdrawn'::text) OR (decided_by IS DISTINCT FROM proposed_by))),
    CONSTRAINT setting_changes_kind_check CHECK ((kind = ANY (ARRAY['legal_entity'::text, 'tax_rate'::text, 'approval_limit'::text, 'tolerance'::text, 'second_person'::text, 'ledger_period'::text]))),
    CONSTRAINT setting_changes_state_check CHECK ((state = ANY (ARRAY['proposed'::text, 'carried_out'::text, 'declined'::text, 'withdrawn'::text])))
);
CREATE INDEX setting_changes_by_kind ON invoicing.setting_changes USING btree (kind, id);
CREATE INDEX setting_changes_by_state ON invoicing.setting_changes USING btree (state, id);
CREATE INDEX setting_changes_of_entity ON invoicing.setting_changes USING btree (legal_entity, id);
CREATE UNIQUE INDEX setting_changes_standing ON invoicing.setting_changes USING btree (kind, key) WHERE (state = 'proposed'::text);
GRANT SELECT, INSERT ON invoicing.setting_changes TO invoicing;
GRANT UPDATE (state, decided_by, decision_reason, decided_at) ON invoicing.setting_changes TO invoicing;

-- redrive: To continue with what is parked.
CREATE TABLE invoicing.skipped (
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
GRANT SELECT, INSERT, UPDATE, DELETE ON invoicing.skipped TO invoicing;

-- stopped group: A consumer that has stopped, since too many events of different subjects failed at once.
CREATE TABLE invoicing.stopped (
    id integer NOT NULL,
    why text NOT NULL,
    stopped_at timestamp with time zone NOT NULL,
    CONSTRAINT stopped_pkey PRIMARY KEY (id),
    CONSTRAINT stopped_id_check CHECK ((id = 1))
);
GRANT SELECT, INSERT, UPDATE, DELETE ON invoicing.stopped TO invoicing;
GRANT SELECT ON invoicing.stopped TO monitor;

-- stopped work: A sweep or kind of call of which too many subjects failed.
CREATE TABLE invoicing.stopped_work (
    kind text NOT NULL,
    name text NOT NULL,
    stopped_at timestamp with time zone NOT NULL,
    CONSTRAINT stopped_work_pkey PRIMARY KEY (kind, name),
    CONSTRAINT stopped_work_kind_check CHECK ((kind = ANY (ARRAY['sweep'::text, 'intent'::text])))
);
GRANT SELECT, INSERT, UPDATE, DELETE ON invoicing.stopped_work TO invoicing;
GRANT SELECT ON invoicing.stopped_work TO monitor;

-- stream: The last sequence of a subject, and the lock under which it changes.
CREATE TABLE invoicing.streams (
    subject text NOT NULL,
    sequence bigint NOT NULL,
    CONSTRAINT streams_pkey PRIMARY KEY (subject),
    CONSTRAINT streams_sequence_check CHECK ((sequence >= 0))
);
GRANT SELECT, INSERT, UPDATE, DELETE ON invoicing.streams TO invoicing;
GRANT SELECT ON invoicing.streams TO monitor;

-- subscription change: One dated fact about a subscription: quantity, plan, end, suspension.
CREATE TABLE invoicing.subscription_changes (
    id uuid NOT NULL,
    subscription_id uuid NOT NULL,
    account_id uuid NOT NULL,
    kind text NOT NULL,
    state text NOT NULL,
    effective_on date NOT NULL,
    quantity integer,
    plan_id uuid,
    version integer,
    unit_price_minor bigint,
    vendor_unit_cost_minor bigint,
    actor text,
    reason text,
    requested_at timestamp with time zone NOT NULL,
    decided_at timestamp with time zone,
    CONSTRAINT subscription_changes_pkey PRIMARY KEY (id),
    CONSTRAINT subscription_changes_subscription_id_fkey FOREIGN KEY (subscription_id) REFERENCES invoicing.subscriptions(id),
    CONSTRAINT subscription_changes_kind_check CHECK ((kind = ANY (ARRAY['activate'::text, 'quantity'::text, 'plan'::text, 'renew'::text, 'cancel'::text, 'suspend'::text, 'reinstate'::text]))),
    CONSTRAINT subscription_changes_quantity_check CHECK ((quantity > 0)),
    CONSTRAINT subscription_changes_state_check CHECK ((state = ANY (ARRAY['scheduled'::text, 'applied'::text, 'withdrawn'::text])))
);
CREATE INDEX subscription_changes_of ON invoicing.subscription_changes USING btree (subscription_id, effective_on, id);
GRANT SELECT, INSERT, UPDATE, DELETE ON invoicing.subscription_changes TO invoicing;

-- subscription: A quantity of a plan that an account has bought.
CREATE TABLE invoicing.subscriptions (
    id uuid NOT NULL,
    account_id uuid NOT NULL,
    product text NOT NULL,
    quantity integer NOT NULL,
    unit_price_minor bigint NOT NULL,
    start date NOT NULL,
    end_of_term date,
    vendor_customer_id text NOT NULL,
    vendor_subscription_id text NOT NULL,
    bills_while_suspended boolean NOT NULL,
    activated_at timestamp with time zone NOT NULL,
    CONSTRAINT subscriptions_pkey PRIMARY KEY (id),
    CONSTRAINT subscriptions_vendor_subscription_id_key UNIQUE (vendor_subscription_id),
    CONSTRAINT subscriptions_account_id_fkey FOREIGN KEY (account_id) REFERENCES invoicing.accounts(id),
    CONSTRAINT subscriptions_quantity_check CHECK ((quantity > 0)),
    CONSTRAINT subscriptions_unit_price_minor_check CHECK ((unit_price_minor >= 0))
);
CREATE INDEX ix_invoicing_subscriptions_account_id ON invoicing.subscriptions USING btree (account_id);
GRANT SELECT, INSERT, UPDATE, DELETE ON invoicing.subscriptions TO invoicing;

-- tax rate: A rate of tax by country, class and date.
CREATE TABLE invoicing.tax_rates (
    legal_entity text NOT NULL,
    country text NOT NULL,
    tax_class text NOT NULL,
    valid_from date NOT NULL,
    rate_bp integer NOT NULL,
    CONSTRAINT tax_rates_pkey PRIMARY KEY (legal_entity, country, tax_class, valid_from),
    CONSTRAINT tax_rates_rate_bp_check CHECK (((rate_bp >= 0) AND (rate_bp <= 10000)))
);
GRANT SELECT, INSERT, UPDATE, DELETE ON invoicing.tax_rates TO invoicing;

-- term: The period for which a subscription is committed.
CREATE TABLE invoicing.terms (
    subscription_id uuid NOT NULL,
    account_id uuid NOT NULL,
    plan_id uuid NOT NULL,
    version integer NOT NULL,
    currency text NOT NULL,
    quantity integer NOT NULL,
    unit_price_minor bigint NOT NULL,
    anchor date NOT NULL,
    from_end boolean NOT NULL,
    term_months integer NOT NULL,
    period_months integer NOT NULL,
    timing text NOT NULL,
    term_start date NOT NULL,
    term_end date NOT NULL,
    is_billed boolean NOT NULL,
    changed_on date NOT NULL,
    next_from date,
    next_to date,
    next_due date,
    vendor_unit_cost_minor bigint NOT NULL,
    vendor_currency text NOT NULL,
    vendor_period_months integer NOT NULL,
    vendor_is_billed boolean NOT NULL,
    vendor_next_from date,
    vendor_next_to date,
    wake_at timestamp with time zone,
    ended_on date,
    CONSTRAINT terms_pkey PRIMARY KEY (subscription_id),
    CONSTRAINT terms_account_id_fkey FOREIGN KEY (account_id) REFERENCES invoicing.accounts(id),
    CONSTRAINT terms_plan_id_version_fkey FOREIGN KEY (plan_id, version) REFERENCES invoicing.plan_versions(plan_id, version),
    CONSTRAINT terms_subscription_id_fkey FOREIGN KEY (subscription_id) REFERENCES invoicing.subscriptions(id),
    CONSTRAINT terms_check CHECK ((term_end > term_start)),
    CONSTRAINT terms_check1 CHECK ((num_nulls(next_from, next_to, next_due) = ANY (ARRAY[0, 3]))),
    CONSTRAINT terms_check2 CHECK ((num_nulls(vendor_next_from, vendor_next_to) = ANY (ARRAY[0, 2]))),
    CONSTRAINT terms_quantity_check CHECK ((quantity > 0))
);
CREATE INDEX terms_of_account ON invoicing.terms USING btree (account_id);
CREATE INDEX terms_wake ON invoicing.terms USING btree (wake_at) WHERE (wake_at IS NOT NULL);
GRANT SELECT, INSERT, UPDATE, DELETE ON invoicing.terms TO invoicing;

-- tolerance: The rest of a payment that is let go, by entity and currency.
CREATE TABLE invoicing.tolerances (
    legal_entity text NOT NULL,
    currency text NOT NULL,
    amount_minor bigint NOT NULL,
    set_by text NOT NULL,
    reason text NOT NULL,
    set_at timestamp with time zone NOT NULL,
    CONSTRAINT tolerances_pkey PRIMARY KEY (legal_entity, currency),
    CONSTRAINT tolerances_amount_minor_check CHECK ((amount_minor >= 0))
);
GRANT SELECT, INSERT, UPDATE, DELETE ON invoicing.tolerances TO invoicing;

-- usage line: What was used of a meter, rated.
CREATE TABLE invoicing.usage_lines (
    source text NOT NULL,
    id text NOT NULL,
    account_id uuid NOT NULL,
    subscription_id uuid NOT NULL,
    meter text NOT NULL,
    quantity numeric NOT NULL,
    unit_cost numeric NOT NULL,
    period_from date NOT NULL,
    period_to date NOT NULL,
    charge_id uuid NOT NULL,
    received_at timestamp with time zone NOT NULL,
    amount_minor bigint NOT NULL,
    CONSTRAINT usage_lines_pkey PRIMARY KEY (source, id),
    CONSTRAINT usage_lines_subscription_id_fkey FOREIGN KEY (subscription_id) REFERENCES invoicing.subscriptions(id),
    CONSTRAINT usage_lines_amount_minor_check CHECK ((amount_minor >= 0)),
    CONSTRAINT usage_lines_check CHECK ((period_to > period_from)),
    CONSTRAINT usage_lines_check1 CHECK ((LEAST(quantity, unit_cost) >= (0)::numeric))
);
CREATE INDEX usage_lines_of_charge ON invoicing.usage_lines USING btree (charge_id);
GRANT SELECT, INSERT ON invoicing.usage_lines TO invoicing;

-- vendor charge: What we expect the vendor to bill.
CREATE TABLE invoicing.vendor_charges (
    id uuid NOT NULL,
    account_id uuid NOT NULL,
    subscription_id uuid NOT NULL,
    kind text NOT NULL,
    reference uuid NOT NULL,
    plan_id uuid NOT NULL,
    version integer NOT NULL,
    cycle_from date NOT NULL,
    period_from date NOT NULL,
    period_to date NOT NULL,
    cycle_days integer NOT NULL,
    quantity integer NOT NULL,
    unit_cost_minor bigint NOT NULL,
    amount_minor bigint NOT NULL,
    currency text NOT NULL,
    charged_on date NOT NULL,
    accrued_at timestamp with time zone NOT NULL,
    CONSTRAINT vendor_charges_pkey PRIMARY KEY (id),
    CONSTRAINT vendor_charges_subscription_id_fkey FOREIGN KEY (subscription_id) REFERENCES invoicing.subscriptions(id),
    CONSTRAINT vendor_charges_check CHECK ((period_to > period_from)),
    CONSTRAINT vendor_charges_cycle_days_check CHECK ((cycle_days > 0)),
    CONSTRAINT vendor_charges_kind_check CHECK ((kind = ANY (ARRAY['new'::text, 'renew'::text, 'cycleCharge'::text, 'addQuantity'::text, 'removeQuantity'::text, 'cancelImmediate'::text]))),
    CONSTRAINT vendor_charges_quantity_check CHECK ((quantity <> 0)),
    CONSTRAINT vendor_charges_unit_cost_minor_check CHECK ((unit_cost_minor >= 0))
);
CREATE INDEX vendor_charges_of_account ON invoicing.vendor_charges USING btree (account_id);
CREATE INDEX vendor_charges_of_subscription ON invoicing.vendor_charges USING btree (subscription_id, period_from);
GRANT SELECT, INSERT ON invoicing.vendor_charges TO invoicing;

-- vendor difference: A comparison that does not come out, for a person to decide.
CREATE TABLE invoicing.vendor_differences (
    id uuid NOT NULL,
    reconciliation_id uuid NOT NULL,
    vendor_invoice_id uuid NOT NULL,
    account_id uuid,
    subscription_id uuid,
    vendor_customer_id text,
    vendor_subscription_id text,
    product text,
    charge_type text NOT NULL,
    period_from date,
    period_to date,
    first_line integer,
    lines integer NOT NULL,
    verdict text NOT NULL,
    currency text NOT NULL,
    billed_quantity numeric NOT NULL,
    expected_quantity numeric NOT NULL,
    billed_minor bigint NOT NULL,
    expected_minor bigint NOT NULL,
    state text NOT NULL,
    decision text,
    reason text,
    decided_by text,
    decided_at timestamp with time zone,
    CONSTRAINT vendor_differences_pkey PRIMARY KEY (id),
    CONSTRAINT vendor_differences_reconciliation_id_fkey FOREIGN KEY (reconciliation_id) REFERENCES invoicing.reconciliations(id),
    CONSTRAINT vendor_differences_vendor_invoice_id_fkey FOREIGN KEY (vendor_invoice_id) REFERENCES invoicing.vendor_invoices(id),
    CONSTRAINT vendor_differences_check CHECK (((state = 'decided'::text) = ((decision IS NOT NULL) AND (decided_at IS NOT NULL) AND (decided_by IS NOT NULL) AND (reason IS NOT NULL)))),
    CONSTRAINT vendor_differences_decision_check CHECK ((decision = ANY (ARRAY['dispute_with_vendor'::text, 'bill_customer'::text, 'accept'::text]))),
    CONSTRAINT vendor_differences_state_check CHECK ((state = ANY (ARRAY['open'::text, 'decided'::text]))),
    CONSTRAINT vendor_differences_verdict_check CHECK ((verdict = ANY (ARRAY['matched'::text, 'within_tolerance'::text, 'quantity_difference'::text, 'price_difference'::text, 'missing_with_us'::text, 'missing_at_vendor'::text, 'no_customer'::text, 'not_comparable'::text]))),
    CONSTRAINT vendor_differences_verdict_check1 CHECK ((verdict <> ALL (ARRAY['matched'::text, 'within_tolerance'::text])))
);
CREATE INDEX ix_invoicing_vendor_differences_account_id ON invoicing.vendor_differences USING btree (account_id);
CREATE INDEX ix_invoicing_vendor_differences_vendor_invoice_id ON invoicing.vendor_differences USING btree (vendor_invoice_id);
CREATE INDEX vendor_differences_decided ON invoicing.vendor_differences USING btree (reconciliation_id) WHERE (state = 'decided'::text);
CREATE INDEX vendor_differences_open ON invoicing.vendor_differences USING btree (id) WHERE (state = 'open'::text);
GRANT SELECT, INSERT, UPDATE, DELETE ON invoicing.vendor_differences TO invoicing;

-- vendor payable: What we owe the vendor.
CREATE TABLE invoicing.vendor_invoices (
    id uuid NOT NULL,
    number text NOT NULL,
    legal_entity text NOT NULL,
    currency text NOT NULL,
    invoice_date date NOT NULL,
    due_date date NOT NULL,
    period_from date NOT NULL,
    period_to date NOT NULL,
    total_minor bigint NOT NULL,
    tax_minor bigint NOT NULL,
    state text NOT NULL,
    received_at timestamp with time zone NOT NULL,
    warn_at timestamp with time zone,
    warned_at timestamp with time zone,
    paid_on date,
    paid_minor bigint,
    paid_by text,
    paid_reason text,
    post_at timestamp with time zone,
    CONSTRAINT vendor_invoices_pkey PRIMARY KEY (id),
    CONSTRAINT vendor_invoices_number_key UNIQUE (number),
    CONSTRAINT vendor_invoices_legal_entity_fkey FOREIGN KEY (legal_entity) REFERENCES invoicing.legal_entities(code),
    CONSTRAINT vendor_invoices_check CHECK (((tax_minor >= 0) AND (tax_minor <= total_minor))),
    CONSTRAINT vendor_invoices_check1 CHECK ((due_date >= invoice_date)),
    CONSTRAINT vendor_invoices_check2 CHECK ((period_to > period_from)),
    CONSTRAINT vendor_invoices_check3 CHECK (((state = 'paid'::text) = ((paid_on IS NOT NULL) AND (paid_minor IS NOT NULL) AND (paid_by IS NOT NULL)))),
    CONSTRAINT vendor_invoices_check4 CHECK (((state = 'received'::text) OR (warn_at IS NULL))),
    CONSTRAINT vendor_invoices_state_check CHECK ((state = ANY (ARRAY['received'::text, 'paid'::text])))
);
CREATE INDEX vendor_invoices_due ON invoicing.vendor_invoices USING btree (warn_at) WHERE (warn_at IS NOT NULL);
CREATE INDEX vendor_invoices_to_post ON invoicing.vendor_invoices USING btree (post_at) WHERE (post_at IS NOT NULL);
CREATE INDEX vendor_invoices_unpaid ON invoicing.vendor_invoices USING btree (due_date) WHERE (state = 'received'::text);
GRANT SELECT, INSERT, UPDATE, DELETE ON invoicing.vendor_invoices TO invoicing;

-- watermark: The sequence that a consumer last applied for a subject.
CREATE TABLE invoicing.watermarks (
    topic text NOT NULL,
    subject text NOT NULL,
    sequence bigint NOT NULL,
    CONSTRAINT watermarks_pkey PRIMARY KEY (topic, subject)
);
GRANT SELECT, INSERT, UPDATE, DELETE ON invoicing.watermarks TO invoicing;
GRANT SELECT ON invoicing.watermarks TO monitor;

CREATE VIEW invoicing.audit_balances AS
 SELECT b.invoice_id,
    (sum(b.open_minor))::bigint AS open_minor,
    (sum(LEAST(b.reserved_minor, b.open_minor)))::bigint AS disputed_minor,
    (sum(b.in_flight_minor))::bigint AS in_flight_minor
   FROM ( SELECT line_balances.invoice_id,
            line_balances.line,
            line_balances.account_id,
            line_balances.amount_minor,
            line_balances.paid_minor,
            line_balances.credited_minor,
            line_balances.reserved_minor,
            line_balances.in_flight_minor,
            line_balances.written_off_minor,
            (((line_balances.amount_minor - line_balances.paid_minor) - line_balances.credited_minor) - line_balances.written_off_minor) AS open_minor
           FROM invoicing.line_balances) b
  GROUP BY b.invoice_id;
GRANT SELECT, INSERT, UPDATE, DELETE ON invoicing.audit_balances TO invoicing;
GRANT SELECT ON invoicing.audit_balances TO monitor;

CREATE VIEW invoicing.audit_ledger AS
 SELECT ledger_entries.legal_entity,
    ledger_entries.currency,
    ledger_entries.code,
    (sum(ledger_entries.amount_minor))::bigint AS balance_minor
   FROM invoicing.ledger_entries
  GROUP BY ledger_entries.legal_entity, ledger_entries.currency, ledger_entries.code;
GRANT SELECT, INSERT, UPDATE, DELETE ON invoicing.audit_ledger TO invoicing;
GRANT SELECT ON invoicing.audit_ledger TO monitor;

CREATE VIEW invoicing.audit_owed AS
 SELECT a.legal_entity,
    a.currency,
    (COALESCE(sum(i.open_minor), (0)::numeric))::bigint AS open_minor,
    (COALESCE(sum(p.unapplied_minor), (0)::numeric))::bigint AS unapplied_minor
   FROM ((invoicing.accounts a
     LEFT JOIN ( SELECT invoice_states.account_id,
            sum(invoice_states.open_minor) AS open_minor
           FROM invoicing.invoice_states
          GROUP BY invoice_states.account_id) i ON ((i.account_id = a.id)))
     LEFT JOIN ( SELECT payments.account_id,
            sum(payments.unapplied_minor) AS unapplied_minor
           FROM invoicing.payments
          GROUP BY payments.account_id) p ON ((p.account_id = a.id)))
  GROUP BY a.legal_entity, a.currency;
GRANT SELECT, INSERT, UPDATE, DELETE ON invoicing.audit_owed TO invoicing;
GRANT SELECT ON invoicing.audit_owed TO monitor;

CREATE VIEW invoicing.pending_work AS
 SELECT 'outbox'::text AS kind,
    outbox.type AS name,
    outbox.subject AS detail,
    NULL::timestamp with time zone AS due_at
   FROM invoicing.outbox
UNION ALL
 SELECT 'intent'::text AS kind,
    intents.kind AS name,
    concat(intents.key, ' ', intents.last_error) AS detail,
    intents.due_at
   FROM invoicing.intents
  WHERE (intents.state = 'pending'::text)
UNION ALL
 SELECT 'due'::text AS kind,
    'overdue'::text AS name,
    overdue.detail,
    overdue.due_at
   FROM ( SELECT (invoice_states.account_id)::text AS subject,
            (invoice_states.invoice_id)::text AS detail,
            invoice_states.judge_at AS due_at
           FROM invoicing.invoice_states
          WHERE (invoice_states.judge_at IS NOT NULL)) overdue
  WHERE (NOT (EXISTS ( SELECT
           FROM invoicing.failed_work f
          WHERE ((f.kind = 'sweep'::text) AND (f.name = 'overdue'::text) AND (f.subject = overdue.subject)))))
UNION ALL
 SELECT 'due'::text AS kind,
    'terms'::text AS name,
    terms.detail,
    terms.due_at
   FROM ( SELECT (terms_1.account_id)::text AS subject,
            (terms_1.subscription_id)::text AS detail,
            terms_1.wake_at AS due_at
           FROM invoicing.terms terms_1
          WHERE (terms_1.wake_at IS NOT NULL)) terms
  WHERE (NOT (EXISTS ( SELECT
           FROM invoicing.failed_work f
          WHERE ((f.kind = 'sweep'::text) AND (f.name = 'terms'::text) AND (f.subject = terms.subject)))))
UNION ALL
 SELECT 'due'::text AS kind,
    'bill_runs'::text AS name,
    bill_runs.detail,
    bill_runs.due_at
   FROM ( SELECT (bill_run_accounts.account_id)::text AS subject,
            (bill_run_accounts.run_id)::text AS detail,
            bill_run_accounts.due_at
           FROM invoicing.bill_run_accounts
          WHERE (bill_run_accounts.due_at IS NOT NULL)) bill_runs
  WHERE (NOT (EXISTS ( SELECT
           FROM invoicing.failed_work f
          WHERE ((f.kind = 'sweep'::text) AND (f.name = 'bill_runs'::text) AND (f.subject = bill_runs.subject)))))
UNION ALL
 SELECT 'due'::text AS kind,
    'finished_runs'::text AS name,
    finished_runs.detail,
    finished_runs.due_at
   FROM ( SELECT (b.id)::text AS subject,
            (b.id)::text AS detail,
            b.started_at AS due_at
           FROM invoicing.bill_runs b
          WHERE ((b.state = ANY (ARRAY['drafting'::text, 'issuing'::text])) AND (NOT (EXISTS ( SELECT
                   FROM invoicing.bill_run_accounts a
                  WHERE ((a.run_id = b.id) AND (a.due_at IS NOT NULL))))) AND (NOT (EXISTS ( SELECT
                   FROM invoicing.bill_run_accounts a
                  WHERE ((a.run_id = b.id) AND (a.state = 'to_be_taxed'::text))))))) finished_runs
  WHERE (NOT (EXISTS ( SELECT
           FROM invoicing.failed_work f
          WHERE ((f.kind = 'sweep'::text) AND (f.name = 'finished_runs'::text) AND (f.subject = finished_runs.subject)))))
UNION ALL
 SELECT 'due'::text AS kind,
    'bank_entries'::text AS name,
    bank_entries.detail,
    bank_entries.due_at
   FROM ( SELECT (bank_entries_1.account_id)::text AS subject,
            (bank_entries_1.id)::text AS detail,
            bank_entries_1.due_at
           FROM invoicing.bank_entries bank_entries_1
          WHERE (bank_entries_1.due_at IS NOT NULL)) bank_entries
  WHERE (NOT (EXISTS ( SELECT
           FROM invoicing.failed_work f
          WHERE ((f.kind = 'sweep'::text) AND (f.name = 'bank_entries'::text) AND (f.subject = bank_entries.subject)))))
UNION ALL
 SELECT 'due'::text AS kind,
    'vendor_payments'::text AS name,
    vendor_payments.detail,
    vendor_payments.due_at
   FROM ( SELECT (vendor_invoices.id)::text AS subject,
            vendor_invoices.number AS detail,
            vendor_invoices.warn_at AS due_at
           FROM invoicing.vendor_invoices
          WHERE (vendor_invoices.warn_at IS NOT NULL)) vendor_payments
  WHERE (NOT (EXISTS ( SELECT
           FROM invoicing.failed_work f
          WHERE ((f.kind = 'sweep'::text) AND (f.name = 'vendor_payments'::text) AND (f.subject = vendor_payments.subject)))))
UNION ALL
 SELECT 'due'::text AS kind,
    'vendor_postings'::text AS name,
    vendor_postings.detail,
    vendor_postings.due_at
   FROM ( SELECT (vendor_invoices.id)::text AS subject,
            vendor_invoices.number AS detail,
            vendor_invoices.post_at AS due_at
           FROM invoicing.vendor_invoices
          WHERE (vendor_invoices.post_at IS NOT NULL)) vendor_postings
  WHERE (NOT (EXISTS ( SELECT
           FROM invoicing.failed_work f
          WHERE ((f.kind = 'sweep'::text) AND (f.name = 'vendor_postings'::text) AND (f.subject = vendor_postings.subject)))))
UNION ALL
 SELECT 'due'::text AS kind,
    'calendars'::text AS name,
    calendars.detail,
    calendars.due_at
   FROM ( SELECT ('calendar:'::text || business_calendars.legal_entity) AS subject,
            business_calendars.legal_entity AS detail,
            business_calendars.announce_at AS due_at
           FROM invoicing.business_calendars) calendars
  WHERE (NOT (EXISTS ( SELECT
           FROM invoicing.failed_work f
          WHERE ((f.kind = 'sweep'::text) AND (f.name = 'calendars'::text) AND (f.subject = calendars.subject)))));
GRANT SELECT, INSERT, UPDATE, DELETE ON invoicing.pending_work TO invoicing;
GRANT SELECT ON invoicing.pending_work TO monitor;

CREATE OR REPLACE FUNCTION invoicing.cycle_after(boundary date, months integer, anchor date, from_end boolean)
 RETURNS date
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
AS $function$
    SELECT invoicing.months_later(boundary, months) - 1 + CASE
        WHEN from_end THEN invoicing.days_of_month(invoicing.months_later(boundary, months))
            - (invoicing.days_of_month(anchor) - extract(day FROM anchor)::int)
        ELSE least(extract(day FROM anchor)::int, invoicing.days_of_month(invoicing.months_later(boundary, months)))
    END
$function$;

CREATE OR REPLACE FUNCTION invoicing.days_of_month(day date)
 RETURNS integer
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
AS $function$
    SELECT extract(day FROM date_trunc('month', day::timestamp) + interval '1 month' - interval '1 day')::int
$function$;

CREATE OR REPLACE FUNCTION invoicing.ledger_holds()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
    IF EXISTS (SELECT FROM new_entries GROUP BY document, document_id, legal_entity, currency HAVING sum(amount_minor) <> 0)
    THEN RAISE EXCEPTION 'entries that do not balance';
    END IF;
    IF EXISTS (SELECT FROM new_entries e JOIN invoicing.ledger_periods p
        ON p.legal_entity = e.legal_entity AND p.month >= date_trunc('month', e.posted_on)::date)
    THEN RAISE EXCEPTION 'a posting into a closed period';
    END IF;
    RETURN NULL;
END $function$;

CREATE OR REPLACE FUNCTION invoicing.months_later(day date, months integer)
 RETURNS date
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
AS $function$
    SELECT (date_trunc('month', day::timestamp) + make_interval(months => months))::date
$function$;
