"""Figures by state: what stands is a gauge, what is over is counted, and what broke is named by its class only."""

from datetime import timedelta
from pathlib import Path
from uuid import uuid4

from shared.base.backbone_figures import FIGURES
from shared.base.metrics.figures import ServiceMetricQueries
from shared.persistence.parked_events import describe_error
from shared.process.service import load_service
from shared.pure.ids import new_id
from tests.builders import START, Database, settings_for
from tests.component.all_services.test_metrics import list_samples

_PARK = """
INSERT INTO collections.parked (topic, subject, sequence, event_id, type, headers, data, error, parked_at, is_past)
VALUES ('invoicing.events', $1, 1, $1, $2, '{}', '', $3, $4, false)
"""
_SUSPEND = """
INSERT INTO collections.suspensions (id, account_id, subscription_id, state, policy_version, step, requested_at)
VALUES ($1, $2, $3, $4, 1, 'suspend', $5)
"""
_OPEN_CASE = """
INSERT INTO escalation.cases (id, version, kind, account_id, subject, queue, state, opened_at, state_since,
    unread_answers)
VALUES ($1, 1, 'dispute', $2, 'Invoice', 'billing', 'new', $3, $3, 0)
"""
_DISPUTE = """
INSERT INTO escalation.disputes (id, case_id, account_id, invoice_id, currency, lines, total_minor, state, requested_at)
VALUES ($1, $2, $3, $4, 'EUR', '[]', 100, $5, $6)
"""
_VENDOR_CREDIT = """
INSERT INTO escalation.vendor_credits (difference_id, vendor_invoice_id, reconciliation_id, currency, amount_minor,
    received_at, set_aside_at, set_aside_by, set_aside_reason)
VALUES ($1, $1, $1, 'EUR', 100, $2, $3, CASE WHEN $3::timestamptz IS NOT NULL THEN 'finance' END,
    CASE WHEN $3::timestamptz IS NOT NULL THEN 'seats of our own' END)
"""
_SERVICE_CREDIT = """
INSERT INTO escalation.service_credits (id, case_id, account_id, type_code, counts_since, currency, expected_minor,
    state, evidence, opened_by, opened_at, requested_at, credit_note_id, credit_note_number, credited_minor)
VALUES ($1, $1, $1, 'duplicate_order', $2::date, 'EUR', 100, 'requested', '{}', 'support', $2, $2, $3,
    CASE WHEN $3::uuid IS NOT NULL THEN 'GS-DE-C-1' END, CASE WHEN $3::uuid IS NOT NULL THEN 100 END)
"""


async def read_samples(service: str, database: Database, jwks_file: Path) -> dict[tuple[str, ...], float]:
    """Every sample that a service tells of its database now."""
    figures = ServiceMetricQueries(
        service, (*FIGURES, *load_service(service).figures), settings_for(service, database, jwks_file)
    )
    async with database.connected(service) as connection:
        await figures.read_metric_values(connection)
    return list_samples(figures)


async def test_what_broke_is_named_by_the_class_of_its_error(database: Database, jwks_file: Path) -> None:
    errors = {
        "balance": describe_error(KeyError("billing@quillfeather.example")),
        "constraint": describe_error(LookupError("Peregrina (Quillfeather): owes")),
        "earlier": "Broken('cannot do it')",
        "text": "3 validation errors for Peregrina",
    }
    for subject, error in errors.items():
        await database.execute(_PARK, subject, "com.goodstanding.x", error, START)
    await database.execute(_PARK, "behind", "com.goodstanding.x", None, START)
    await database.execute(_PARK, "0:17", "unreadable", "no event of ours: Peregrina", START)
    samples = await read_samples("collections", database, jwks_file)
    parked = {key[1:]: value for key, value in samples.items() if key[0] == "goodstanding_parked_events"}
    assert parked == {
        ("KeyError", "head", "invoicing.events"): 1,
        ("LookupError", "head", "invoicing.events"): 1,
        ("Broken", "head", "invoicing.events"): 1,
        ("other", "head", "invoicing.events"): 1,
        ("none", "follower", "invoicing.events"): 1,
        ("Unreadable", "unreadable", "invoicing.events"): 1,
    }


async def test_suspensions_that_are_over_are_counted_apart(database: Database, jwks_file: Path) -> None:
    for state in ("requested", "effective", "effective", "ended", "ended", "ended", "withdrawn"):
        await database.execute(_SUSPEND, new_id(), uuid4(), uuid4(), state, START)
    samples = await read_samples("collections", database, jwks_file)
    assert {key: value for key, value in samples.items() if key[0].startswith("goodstanding_suspensions")} == {
        ("goodstanding_suspensions", "requested"): 1,
        ("goodstanding_suspensions", "effective"): 2,
        ("goodstanding_suspensions", "ending"): 0,
        ("goodstanding_suspensions_finished_total", "ended"): 3,
        ("goodstanding_suspensions_finished_total", "withdrawn"): 1,
        ("goodstanding_suspensions_requested_total",): 7,
        ("goodstanding_suspensions_requested_last_hour",): 7,
        ("goodstanding_suspensions_requested_hourly_mean",): 7 / 168,
    }


async def test_customers_who_were_not_told_in_time_are_counted(database: Database, jwks_file: Path) -> None:
    for late in (True, True, False):
        case_id, inform_by = new_id(), START - timedelta(minutes=1) if late else START
        await database.execute(_OPEN_CASE, case_id, uuid4(), START)
        await database.execute("UPDATE escalation.cases SET inform_by = $2 WHERE id = $1", case_id, inform_by)
    samples = await read_samples("escalation", database, jwks_file)
    assert samples[("goodstanding_cases_customer_not_informed",)] == 2


async def test_what_waits_for_a_person_is_counted(database: Database, jwks_file: Path) -> None:
    case_id = new_id()
    await database.execute(_OPEN_CASE, case_id, uuid4(), START)
    await database.execute("UPDATE escalation.cases SET unread_answers = 3 WHERE id = $1", case_id)
    samples = await read_samples("escalation", database, jwks_file)
    assert samples[("goodstanding_cases_with_unread_answers",)] == 1
    assert samples[("goodstanding_inbound_mails_waiting",)] == 0
    assert {key[1]: value for key, value in samples.items() if key[0] == "goodstanding_vendor_tickets"} == {
        "prepared": 0,
        "open": 0,
        "attention_needed": 0,
    }


async def test_credits_that_no_customer_has_after_ten_days_are_counted(database: Database, jwks_file: Path) -> None:
    for days, aside in ((11, None), (11, None), (9, None), (11, START)):
        received = START - timedelta(days=days)
        await database.execute(_VENDOR_CREDIT, uuid4(), received, aside)
    passed_on, waiting = uuid4(), uuid4()
    for request_id, note_id in ((passed_on, uuid4()), (waiting, None)):
        await database.execute(_OPEN_CASE, request_id, uuid4(), START)
        await database.execute(_SERVICE_CREDIT, request_id, START, note_id)
        matched = uuid4()
        await database.execute(_VENDOR_CREDIT, matched, START - timedelta(days=11), None)
        match = "UPDATE escalation.vendor_credits SET service_credit_id = $2 WHERE difference_id = $1"
        await database.execute(match, matched, request_id)
    samples = await read_samples("escalation", database, jwks_file)
    assert samples[("goodstanding_vendor_credits_not_passed_on",)] == 3


async def test_disputes_that_are_over_are_counted_apart(database: Database, jwks_file: Path) -> None:
    account_id, case_id = uuid4(), new_id()
    await database.execute(_OPEN_CASE, case_id, account_id, START)
    for state in ("opened", "opened", "upheld", "rejected", "rejected"):
        await database.execute(_DISPUTE, new_id(), case_id, account_id, uuid4(), state, START)
    samples = await read_samples("escalation", database, jwks_file)
    counts = {key: value for key, value in samples.items() if "disputes" in key[0] and not key[0].endswith("_minor")}
    assert counts == {
        ("goodstanding_disputes", "requested"): 0,
        ("goodstanding_disputes", "opened"): 2,
        ("goodstanding_disputes", "under_review"): 0,
        ("goodstanding_disputes", "waiting_for_second_person"): 0,
        ("goodstanding_disputes_finished_total", "refused"): 0,
        ("goodstanding_disputes_finished_total", "upheld"): 1,
        ("goodstanding_disputes_finished_total", "partly_upheld"): 0,
        ("goodstanding_disputes_finished_total", "rejected"): 2,
        ("goodstanding_disputes_finished_total", "withdrawn"): 0,
    }
