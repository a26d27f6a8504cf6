"""Figures of escalation for Prometheus: cases, answers that are late, disputes."""

from shared.base.metrics.figures import MetricQuery

FIGURES = (
    MetricQuery(
        """SELECT kind, coalesce(severity, 'none') AS severity, state, count(*) AS cases FROM cases
        WHERE state NOT IN ('closed', 'merged') AND $1::timestamptz IS NOT NULL GROUP BY 1, 2, 3""",
        {"goodstanding_cases": "Cases that are not closed; one that is resolved waits until the customer was told."},
        ("kind", "severity", "state"),
    ),
    MetricQuery(
        """
        SELECT s.severity, count(late.case_id) AS cases_answer_late,
            extract(epoch FROM min(late.due_at)) AS cases_answer_late_oldest_timestamp_seconds
        FROM (VALUES ('A'), ('B'), ('C'), ('none')) AS s (severity) LEFT JOIN (
            SELECT k.case_id, k.due_at, coalesce(c.severity, 'none') AS severity
            FROM case_clocks k JOIN cases c ON c.id = k.case_id
            WHERE k.whose = 'ours' AND k.which = 'first' AND k.stopped_at IS NULL
        ) AS late ON late.severity = s.severity AND late.due_at < $1
        GROUP BY s.severity
        """,
        {
            "goodstanding_cases_answer_late": "Cases without a first answer to the customer past its deadline.",
            "goodstanding_cases_answer_late_oldest_timestamp_seconds": "The first deadline missed (business clock).",
        },
        ("severity",),
    ),
    MetricQuery(
        """SELECT count(*) AS cases_customer_not_informed,
            extract(epoch FROM min(inform_by)) AS cases_customer_not_informed_oldest_timestamp_seconds
        FROM cases WHERE inform_by < $1""",
        {
            "goodstanding_cases_customer_not_informed": "Cases whose customer has not been told the outcome in time.",
            "goodstanding_cases_customer_not_informed_oldest_timestamp_seconds": "By when the first was to be told.",
        },
    ),
    MetricQuery(
        """SELECT count(*) AS inbound_mails_waiting,
            extract(epoch FROM min(received_at)) AS inbound_mails_waiting_oldest_timestamp_seconds
        FROM inbound_mails WHERE state = 'triage' AND $1::timestamptz IS NOT NULL""",
        {
            "goodstanding_inbound_mails_waiting": "Mails of which a person has to say which case they are of.",
            "goodstanding_inbound_mails_waiting_oldest_timestamp_seconds": "When the first of them came.",
        },
    ),
    MetricQuery(
        """SELECT count(*) AS cases_with_unread_answers FROM cases
        WHERE unread_answers > 0 AND $1::timestamptz IS NOT NULL""",
        {"goodstanding_cases_with_unread_answers": "Cases with an answer of the customer that nobody has read."},
    ),
    MetricQuery(
        """
        SELECT count(*) AS vendor_credits_not_passed_on
        FROM vendor_credits v LEFT JOIN service_credits s ON s.id = v.service_credit_id
        WHERE v.received_at < $1::timestamptz - interval '10 days' AND v.set_aside_at IS NULL
            AND s.credit_note_id IS NULL
        """,
        {"goodstanding_vendor_credits_not_passed_on": "Credits of the vendor's that no customer has after ten days."},
    ),
    MetricQuery(
        """SELECT status, count(t.id) AS vendor_tickets
        FROM (VALUES ('prepared'), ('open'), ('attention_needed')) AS s (status)
        LEFT JOIN vendor_tickets t USING (status) WHERE $1::timestamptz IS NOT NULL GROUP BY status""",
        {"goodstanding_vendor_tickets": "Tickets at the vendor that are not closed, by status."},
        ("status",),
    ),
    MetricQuery(
        """SELECT state, count(disputes.id) AS disputes
        FROM (VALUES ('requested'), ('opened'), ('under_review'), ('waiting_for_second_person')) AS states (state)
        LEFT JOIN disputes USING (state) WHERE $1::timestamptz IS NOT NULL GROUP BY state""",
        {"goodstanding_disputes": "Disputes that are not decided, by state."},
        ("state",),
    ),
    MetricQuery(
        """SELECT state, count(disputes.id) AS disputes_finished
        FROM (VALUES ('refused'), ('upheld'), ('partly_upheld'), ('rejected'), ('withdrawn')) AS states (state)
        LEFT JOIN disputes USING (state) WHERE $1::timestamptz IS NOT NULL GROUP BY state""",
        {"goodstanding_disputes_finished": "Disputes that are over, by how they ended."},
        ("state",),
        kind="counter",
    ),
    MetricQuery(
        """SELECT currency, sum(total_minor)::bigint AS disputes_opened_minor FROM disputes
        WHERE state IN ('opened', 'under_review', 'waiting_for_second_person') AND $1::timestamptz IS NOT NULL
        GROUP BY currency""",
        {"goodstanding_disputes_opened_minor": "What is disputed now."},
        ("currency",),
    ),
)
