"""A card network may take a payment, or a part of it, back; what it reopens is reserved while the network decides."""

from shared.persistence.migrations import execute_script

revision = "0038"
down_revision = "0037"

TABLES = """
ALTER TABLE invoicing.line_balances
    ADD COLUMN charged_back_minor BIGINT DEFAULT 0 NOT NULL CHECK (charged_back_minor >= 0);
ALTER TABLE invoicing.line_balances ALTER COLUMN charged_back_minor DROP DEFAULT;
ALTER TABLE invoicing.payments
    ADD COLUMN charged_back_minor BIGINT DEFAULT 0 NOT NULL,
    ADD CHECK (charged_back_minor >= 0 AND charged_back_minor + unapplied_minor <= amount_minor);
ALTER TABLE invoicing.payments ALTER COLUMN charged_back_minor DROP DEFAULT;
CREATE TABLE invoicing.chargeback_reasons (
    code TEXT NOT NULL,
    title TEXT NOT NULL,
    is_fraud BOOLEAN NOT NULL,
    warn_days INTEGER NOT NULL,
    is_active BOOLEAN NOT NULL,
    PRIMARY KEY (code),
    CHECK (warn_days BETWEEN 1 AND 60)
);
INSERT INTO invoicing.chargeback_reasons (code, title, is_fraud, warn_days, is_active) VALUES
    ('fraud', 'The cardholder did not make the payment', true, 3, true),
    ('not_received', 'What was paid for was not delivered', false, 3, true),
    ('not_as_described', 'What was delivered is not what was described', false, 3, true),
    ('duplicate', 'The same was paid twice', false, 3, true),
    ('cancelled_recurring', 'The subscription was cancelled before the payment', false, 3, true),
    ('processing_error', 'The amount, the currency or the account was wrong', false, 3, true),
    ('other', 'Another reason', false, 3, true);
CREATE TABLE invoicing.chargebacks (
    id UUID NOT NULL,
    account_id UUID NOT NULL,
    payment_id UUID NOT NULL,
    network_reference TEXT NOT NULL,
    reason_code TEXT NOT NULL,
    amount_minor BIGINT NOT NULL,
    cash_minor BIGINT NOT NULL,
    currency TEXT NOT NULL,
    booked_on DATE NOT NULL,
    answer_by DATE NOT NULL,
    state TEXT NOT NULL,
    opened_at TIMESTAMP WITH TIME ZONE NOT NULL,
    decided_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (id),
    UNIQUE (network_reference),
    FOREIGN KEY(account_id) REFERENCES invoicing.accounts (id),
    FOREIGN KEY(payment_id) REFERENCES invoicing.payments (id),
    FOREIGN KEY(reason_code) REFERENCES invoicing.chargeback_reasons (code),
    CHECK (state IN ('open', 'won', 'lost')),
    CHECK ((state = 'open') = (decided_at IS NULL)),
    CHECK (amount_minor > 0 AND cash_minor BETWEEN 0 AND amount_minor),
    CHECK (answer_by >= booked_on)
);
CREATE INDEX chargebacks_of_account ON invoicing.chargebacks (account_id, id);
CREATE INDEX chargebacks_by_state ON invoicing.chargebacks (state, id);
CREATE INDEX chargebacks_to_answer ON invoicing.chargebacks (answer_by, id) WHERE state = 'open';
CREATE INDEX ix_invoicing_chargebacks_payment_id ON invoicing.chargebacks (payment_id);
CREATE TABLE invoicing.chargeback_lines (
    chargeback_id UUID NOT NULL,
    invoice_id UUID NOT NULL,
    line INTEGER NOT NULL,
    is_recovery BOOLEAN NOT NULL,
    account_id UUID NOT NULL,
    amount_minor BIGINT NOT NULL,
    PRIMARY KEY (chargeback_id, invoice_id, line, is_recovery),
    FOREIGN KEY(chargeback_id) REFERENCES invoicing.chargebacks (id),
    FOREIGN KEY(invoice_id) REFERENCES invoicing.invoices (id),
    CHECK (amount_minor > 0)
);
"""


def upgrade() -> None:
    """Add the columns, of which all are 0, and the tables, with the reasons to begin with."""
    execute_script(TABLES)
