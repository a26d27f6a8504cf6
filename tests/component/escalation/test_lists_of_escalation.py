"""Lists and threads of cases are read by the index of what is asked for, also with many rows."""

from typing import Any
from uuid import uuid4

from sqlalchemy.dialects import postgresql
from sqlmodel.sql.expression import SelectOfScalar

from services.escalation.domain.cases import UNRESOLVED
from services.escalation.repository.case_queries import CAUSE_QUERY
from services.escalation.repository.case_search import CaseCriteria, build_case_list_query
from services.escalation.repository.thread_queries import build_thread_query
from services.escalation.repository.ticket_queries import VendorTicketCriteria, build_vendor_ticket_query
from tests.builders import Database
from tests.component.query_plans import check_plans

SOMEBODY = uuid4()
DIALECT: Any = postgresql
ESCALATION = (
    "SET search_path TO escalation",
    "INSERT INTO cases (id, version, account_id, kind, subject, queue, assignee, state, opened_at, state_since,"
    " next_deadline_at, unread_answers, cause)"
    " SELECT gen_random_uuid(), 1, gen_random_uuid(), 'fraud', 's', 'q' || n % 9,"
    " 'a' || n % 50,"
    " (ARRAY['new', 'in_progress', 'waiting_for_vendor'])[1 + n % 3], now(), now(), now() + n * interval '1 minute', 0,"
    " 'cause ' || n"
    " FROM generate_series(1, 20000) n",
    "INSERT INTO entries (id, case_id, kind, audience, content, details, entered_at)"
    " SELECT gen_random_uuid(), id, 'note', 'internal', 'n', '{}', now() FROM cases, generate_series(1, 3)",
    "INSERT INTO vendor_tickets (id, case_id, account_id, legal_entity, channel, number, status, status_since,"
    " language, title, description, contact, checks, entries, decisions, compared_lines, waived, prepared_by,"
    " prepared_at, submitted_by, submitted_at, next_reading_at, attachment_ids)"
    " SELECT gen_random_uuid(), id, account_id, 'GS-DE', 'portal',"
    " number::text, (ARRAY['open', 'closed'])[1 + (number % 50 > 0)::int], now(), 'en', 't', 'd', '{}', '{}', '[]',"
    " '[]', '[]', '{}', 'anna', now(), 'anna', now(), now() + number * interval '1 minute', '{}' FROM cases",
    "ANALYZE cases, entries, vendor_tickets",
)


def _compile(query: SelectOfScalar[Any]) -> str:
    text = str(query.compile(dialect=DIALECT.dialect(), compile_kwargs={"literal_binds": True}))
    return text.replace("escalation.", "")


async def test_lists_of_escalation(database: Database) -> None:
    await database.execute("; ".join(ESCALATION))
    lists = {
        "account": (CaseCriteria(account_id=SOMEBODY), "cases_of_account"),
        "queue": (CaseCriteria(queue="q7", state="new"), "cases_of_queue"),
        "assignee": (CaseCriteria(assignee="a7", state="new"), "cases_of_assignee"),
        "number": (CaseCriteria(number=7), "cases_number_key"),
        "all": (CaseCriteria(), "cases_pkey"),
    }
    thread = build_thread_query(uuid4(), "internal", None, uuid4(), 50)
    queries = {name: (build_case_list_query(criteria, None, 50), index) for name, (criteria, index) in lists.items()}
    queries["thread"] = (thread, "entries_of_case")
    tickets = {
        "tickets of case": (VendorTicketCriteria(case_id=SOMEBODY), "vendor_tickets_of_case"),
        "tickets of account": (VendorTicketCriteria(account_id=SOMEBODY), "vendor_tickets_of_account"),
        "tickets by status": (VendorTicketCriteria(status="open"), "vendor_tickets_by_status"),
        "all tickets": (VendorTicketCriteria(), "vendor_tickets_pkey"),
    }
    queries |= {
        name: ((_compile(build_vendor_ticket_query(criteria, [SOMEBODY], None, 50)), []), index)
        for name, (criteria, index) in tickets.items()
    }
    queries["cause"] = ((CAUSE_QUERY, ["cause 7", sorted(UNRESOLVED)]), "cases_of_cause")
    due = "SELECT coalesce(account_id, case_id)::text FROM vendor_tickets WHERE next_reading_at <= now()"
    queries["due tickets"] = ((f"{due} ORDER BY next_reading_at LIMIT 200", []), "vendor_tickets_to_read")
    await check_plans(database, "escalation", queries)
