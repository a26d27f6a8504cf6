"""Figures of escalation for Prometheus: cases, answers that are late, disputes."""

from shared.metrics import Figure

_DEADLINE = """
opened_at + CASE
    WHEN severity = 'A' THEN interval '2 hours'
    WHEN severity = 'B' THEN interval '4 hours'
    WHEN severity = 'C' THEN interval '8 hours'
    WHEN kind = 'fraud' THEN interval '0'
    ELSE make_interval(days => CASE extract(isodow FROM opened_at AT TIME ZONE 'UTC') WHEN 5 THEN 3 WHEN 6 THEN 2
        ELSE 1 END)
END
"""
"""When the first answer is due (product rule 8): 2, 4 or 8 hours by severity; else one business day, by UTC."""

FIGURES = (
    Figure(
        """SELECT kind, coalesce(severity, 'none') AS severity, state, count(*) AS cases FROM cases
        WHERE state NOT IN ('closed', 'merged') AND $1::timestamptz IS NOT NULL GROUP BY 1, 2, 3""",
        {"goodstanding_cases": "Cases that are not closed; one that is resolved waits until the customer was told."},
        ("kind", "severity", "state"),
    ),
    Figure(
        f"""
        SELECT s.severity, count(late.id) AS cases_answer_late,
            extract(epoch FROM min(late.deadline)) AS cases_answer_late_oldest_timestamp_seconds
        FROM (VALUES ('A'), ('B'), ('C'), ('none')) AS s (severity) LEFT JOIN (
            SELECT id, coalesce(severity, 'none') AS severity, {_DEADLINE} AS deadline FROM cases c
            WHERE state IN ('new', 'in_progress', 'waiting_for_vendor') AND account_id IS NOT NULL AND kind <> 'task'
                AND NOT EXISTS (SELECT FROM entries WHERE entries.case_id = c.id AND entries.channel IS NOT NULL)
        ) AS late ON late.severity = s.severity AND late.deadline < $1
        GROUP BY s.severity
        """,
        {
            "goodstanding_cases_answer_late": "Open cases without any contact with the customer past the deadline.",
            "goodstanding_cases_answer_late_oldest_timestamp_seconds": "The first deadline missed (business clock).",
        },
        ("severity",),
    ),
    Figure(
        """SELECT state, count(disputes.id) AS disputes
        FROM (VALUES ('requested'), ('opened'), ('waiting_for_second_person')) AS states (state)
        LEFT JOIN disputes USING (state) WHERE $1::timestamptz IS NOT NULL GROUP BY state""",
        {"goodstanding_disputes": "Disputes that are not decided, by state."},
        ("state",),
    ),
    Figure(
        """SELECT state, count(disputes.id) AS disputes_finished
        FROM (VALUES ('refused'), ('upheld'), ('rejected'), ('withdrawn')) AS states (state)
        LEFT JOIN disputes USING (state) WHERE $1::timestamptz IS NOT NULL GROUP BY state""",
        {"goodstanding_disputes_finished": "Disputes that are over, by how they ended."},
        ("state",),
        kind="counter",
    ),
    Figure(
        """SELECT currency, sum(total_minor)::bigint AS disputes_opened_minor FROM disputes
        WHERE state IN ('opened', 'waiting_for_second_person') AND $1::timestamptz IS NOT NULL GROUP BY currency""",
        {"goodstanding_disputes_opened_minor": "What is disputed now."},
        ("currency",),
    ),
)
