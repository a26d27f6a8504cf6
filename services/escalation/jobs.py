"""Timed work of escalation: deadlines, pauses, last days; and calls: amounts reserved in invoicing, messages sent."""

from services.escalation import use_cases
from services.escalation.use_cases.amendments import AMEND_AMOUNTS
from services.escalation.use_cases.dispute_requests import RESERVE_AMOUNTS
from services.escalation.use_cases.messages import SEND_CASE_MAIL
from shared.intents import Kind
from shared.sweeps import Sweep

SWEEPS = (
    Sweep(
        name="clocks",
        due="SELECT account_id::text FROM case_clocks WHERE wake_at <= $1 ORDER BY wake_at",
        judge=use_cases.case_clocks.announce_due,
        set_based=True,
    ),
    Sweep(
        name="moved_calendars",
        due="SELECT account_id::text FROM moved_calendars WHERE due_at <= $1 ORDER BY due_at",
        judge=use_cases.case_clocks.recompute_moved,
    ),
    Sweep(
        name="paused_disputes",
        due="SELECT account_id::text FROM disputes WHERE paused_until <= $1 AND ended_at IS NULL ORDER BY paused_until",
        judge=use_cases.disputes.end_pauses,
    ),
    Sweep(
        name="service_credits",
        due="SELECT account_id::text FROM service_credits WHERE wake_at <= $1 ORDER BY wake_at",
        judge=use_cases.service_credits.announce_due,
    ),
)

INTENTS = (
    Kind(SEND_CASE_MAIL, use_cases.messages.send_message, use_cases.messages.record_sent),
    Kind(RESERVE_AMOUNTS, use_cases.dispute_requests.reserve_amounts, use_cases.dispute_requests.record_reserved),
    Kind(AMEND_AMOUNTS, use_cases.amendments.reserve_amended, use_cases.amendments.record_amended),
)
