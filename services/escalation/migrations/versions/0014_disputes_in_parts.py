"""Disputes are amended, reviewed and upheld in part; their reasons are data; what reserves nothing is a question."""

from shared.persistence.failed_work_tables import create_pending_work
from shared.persistence.migrations import execute_script

revision = "0014"
down_revision = "0013"

DISPUTES = """
ALTER TABLE escalation.disputes
    DROP CONSTRAINT disputes_state_check,
    ADD CHECK (state IN ('question', 'requested', 'opened', 'under_review', 'refused', 'waiting_for_second_person',
        'upheld', 'partly_upheld', 'rejected', 'withdrawn')),
    ADD COLUMN credit_note_number TEXT,
    ADD COLUMN review_began_at TIMESTAMP WITH TIME ZONE,
    ADD COLUMN paused_until TIMESTAMP WITH TIME ZONE,
    ADD COLUMN question_cause TEXT,
    ADD CHECK (question_cause = 'rejected_before'),
    ADD CHECK (state <> 'question' OR question_cause IS NOT NULL);
CREATE INDEX disputes_of_invoice ON escalation.disputes (invoice_id);
CREATE INDEX disputes_paused ON escalation.disputes (paused_until)
    WHERE paused_until IS NOT NULL AND ended_at IS NULL;
CREATE TABLE escalation.dispute_amendments (
    dispute_id UUID NOT NULL,
    number INTEGER NOT NULL,
    account_id UUID NOT NULL,
    lines JSONB NOT NULL,
    total_minor BIGINT NOT NULL,
    reason TEXT NOT NULL,
    state TEXT NOT NULL,
    refusal TEXT,
    requested_by TEXT NOT NULL,
    requested_at TIMESTAMP WITH TIME ZONE NOT NULL,
    ended_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (dispute_id, number),
    FOREIGN KEY(dispute_id) REFERENCES escalation.disputes (id),
    CHECK (state IN ('requested', 'done', 'refused')),
    CHECK ((state = 'refused') = (refusal IS NOT NULL)),
    CHECK ((state = 'requested') = (ended_at IS NULL)),
    CHECK (number > 0)
);
CREATE UNIQUE INDEX dispute_amendments_pending ON escalation.dispute_amendments (dispute_id)
    WHERE state = 'requested';
"""
REASONS = """
CREATE TABLE escalation.dispute_reasons (
    code TEXT NOT NULL,
    titles JSONB NOT NULL,
    pause_days INTEGER,
    is_active BOOLEAN NOT NULL,
    PRIMARY KEY (code),
    CHECK (pause_days BETWEEN 1 AND 366)
);
INSERT INTO escalation.dispute_reasons (code, titles, pause_days, is_active)
SELECT code, jsonb_build_object('en', en, 'de', de, 'fr', fr, 'ru', ru), pause_days, true FROM (VALUES
    ('price', 'Wrong price', 'Falscher Preis', 'Prix erroné', 'Неверная цена', NULL::int),
    ('quantity', 'Wrong quantity', 'Falsche Menge', 'Quantité erronée', 'Неверное количество', NULL),
    ('proration', 'Wrong part of a period', 'Falscher Anteil eines Zeitraums', 'Prorata erroné',
        'Неверная доля периода', NULL),
    ('tax', 'Wrong tax', 'Falsche Steuer', 'Taxe erronée', 'Неверный налог', NULL),
    ('not_ordered', 'Not ordered', 'Nicht bestellt', 'Non commandé', 'Не заказано', NULL),
    ('cancelled', 'Cancelled before', 'Vorher gekündigt', 'Résilié auparavant', 'Отменено ранее', NULL),
    ('service_down', 'The service was down', 'Der Dienst war gestört', 'Le service était en panne',
        'Сервис не работал', NULL),
    ('duplicate', 'Billed twice', 'Doppelt berechnet', 'Facturé deux fois', 'Выставлено дважды', NULL),
    ('price_change_not_told', 'A new price was not announced', 'Neuer Preis nicht angekündigt',
        'Nouveau prix non annoncé', 'О новой цене не сообщили', NULL),
    ('purchase_order_missing', 'The purchase order number is missing', 'Die Bestellnummer fehlt',
        'Le numéro de commande manque', 'Нет номера заказа', 14),
    ('wrong_address', 'Wrong address', 'Falsche Anschrift', 'Adresse erronée', 'Неверный адрес', 14),
    ('not_received', 'The invoice was not received', 'Die Rechnung kam nicht an', 'La facture n''est pas arrivée',
        'Счёт не получен', 14),
    ('other', 'Other', 'Anderes', 'Autre', 'Другое', NULL)
) AS reasons (code, en, de, fr, ru, pause_days);
"""
DUE = {
    "clocks": "SELECT account_id::text AS subject, concat(case_id, ' ', which) AS detail, wake_at AS due_at"
    " FROM escalation.case_clocks WHERE wake_at IS NOT NULL",
    "moved_calendars": "SELECT account_id::text AS subject, 'clocks' AS detail, due_at FROM escalation.moved_calendars",
    "paused_disputes": "SELECT account_id::text AS subject, id::text AS detail, paused_until AS due_at"
    " FROM escalation.disputes WHERE paused_until IS NOT NULL AND ended_at IS NULL",
}


def upgrade() -> None:
    """Change the disputes, add amendments and reasons, and create the view of pending work anew."""
    execute_script(DISPUTES)
    execute_script(REASONS)
    create_pending_work("escalation", DUE)
