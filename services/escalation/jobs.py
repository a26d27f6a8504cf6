"""Timed work of escalation: deadlines of answers; and calls: amounts reserved in invoicing, messages sent."""

from services.escalation import use_cases
from services.escalation.use_cases.disputes import RESERVE_AMOUNTS
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
)

INTENTS = (
    Kind(RESERVE_AMOUNTS, use_cases.disputes.reserve, use_cases.disputes.reserved),
    Kind(SEND_CASE_MAIL, use_cases.messages.send_message, use_cases.messages.record_sent),
)
