"""Timed work of escalation: deadlines, pauses, looks at the vendor, removals; calls of others, mail."""

from services.escalation import use_cases
from services.escalation.repository.removal_queries import DUE_BOUNCES, DUE_CASES, DUE_MAILS
from services.escalation.use_cases.amendments import AMEND_AMOUNTS
from services.escalation.use_cases.dispute_requests import RESERVE_AMOUNTS
from services.escalation.use_cases.messages import SEND_CASE_MAIL
from services.escalation.use_cases.service_health import READ_HEALTH
from services.escalation.use_cases.ticket_mails import SEND_TICKET_MAIL
from services.escalation.use_cases.ticket_notes import SEND_NOTE
from services.escalation.use_cases.ticket_readings import READ_TICKET
from shared.process.intents import IntentKind
from shared.process.sweeps import Sweep

SWEEPS = (
    Sweep(
        name="clocks",
        due="SELECT account_id::text FROM case_clocks WHERE wake_at <= $1 ORDER BY wake_at",
        handler=use_cases.case_clocks.announce_due_clocks,
        set_based=True,
    ),
    Sweep(
        name="moved_calendars",
        due="SELECT account_id::text FROM moved_calendars WHERE due_at <= $1 ORDER BY due_at",
        handler=use_cases.case_clocks.recompute_moved_clocks,
    ),
    Sweep(
        name="vendor_tickets",
        due="SELECT coalesce(account_id, case_id)::text FROM vendor_tickets WHERE next_reading_at <= $1"
        " ORDER BY next_reading_at",
        handler=use_cases.ticket_readings.enqueue_ticket_readings,
    ),
    Sweep(
        name="service_health",
        due="SELECT id::text FROM health_watches WHERE next_reading_at <= $1 ORDER BY next_reading_at",
        handler=use_cases.service_health.enqueue_health_reading,
        judges_accounts=False,
    ),
    Sweep(
        name="incident_cases",
        due="SELECT account_id::text FROM incident_accounts WHERE due_at <= $1 ORDER BY due_at",
        handler=use_cases.service_health.link_cases_to_incidents,
    ),
    Sweep(
        name="paused_disputes",
        due="SELECT account_id::text FROM disputes WHERE paused_until <= $1 AND ended_at IS NULL ORDER BY paused_until",
        handler=use_cases.disputes.end_dispute_pauses,
    ),
    Sweep(
        name="service_credits",
        due="SELECT account_id::text FROM service_credits WHERE wake_at <= $1 ORDER BY wake_at",
        handler=use_cases.service_credits.warn_of_credit_deadlines,
    ),
    Sweep(
        name="support_contracts",
        due="SELECT resource_id::text FROM contract_warnings WHERE warn_at <= $1 ORDER BY warn_at",
        handler=use_cases.resources.announce_ending_contracts,
        judges_accounts=False,
    ),
    Sweep(
        name="vendor_disputes",
        due="SELECT vendor_invoice_id::text FROM vendor_disputes WHERE warn_at <= $1 ORDER BY warn_at",
        handler=use_cases.vendor_dispute_moves.warn_of_vendor_deadlines,
        judges_accounts=False,
    ),
    Sweep(
        name="chargebacks",
        due="SELECT account_id::text FROM chargebacks WHERE wake_at <= $1 ORDER BY wake_at",
        handler=use_cases.chargebacks.warn_of_chargeback_deadlines,
    ),
    Sweep(name="words_of_cases", due=DUE_CASES, handler=use_cases.removals.remove_case_words),
    Sweep(
        name="mails_of_no_case",
        due=DUE_MAILS,
        handler=use_cases.removals.remove_unclaimed_mail_words,
        judges_accounts=False,
    ),
    Sweep(name="old_bounces", due=DUE_BOUNCES, handler=use_cases.removals.delete_old_bounces, judges_accounts=False),
)

INTENTS = (
    IntentKind(
        READ_TICKET, use_cases.ticket_readings.fetch_ticket_from_vendor, use_cases.ticket_readings.record_ticket_reading
    ),
    IntentKind(
        READ_HEALTH, use_cases.service_health.fetch_service_health, use_cases.service_health.record_service_health
    ),
    IntentKind(SEND_NOTE, use_cases.ticket_notes.send_ticket_note, use_cases.ticket_notes.record_ticket_note_sent),
    IntentKind(SEND_TICKET_MAIL, use_cases.ticket_mails.send_ticket_mail, use_cases.ticket_mails.record_ticket_mail),
    IntentKind(SEND_CASE_MAIL, use_cases.messages.send_customer_message, use_cases.messages.record_message_sent),
    IntentKind(
        RESERVE_AMOUNTS,
        use_cases.dispute_requests.reserve_disputed_amounts,
        use_cases.dispute_requests.record_dispute_reserved,
    ),
    IntentKind(
        AMEND_AMOUNTS, use_cases.amendments.reserve_amended_amounts, use_cases.amendments.record_dispute_amendment
    ),
)
