"""The calls that escalation wants: amounts reserved in invoicing."""

from services.escalation import use_cases
from services.escalation.use_cases.disputes import RESERVE_AMOUNTS
from shared.intents import Kind

INTENTS = (Kind(RESERVE_AMOUNTS, use_cases.disputes.reserve, use_cases.disputes.reserved),)
