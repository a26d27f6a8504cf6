"""The actions of escalation: one function for each, that loads, decides, saves and publishes."""

from services.escalation.use_cases import (
    amendments,
    case_changes,
    case_clocks,
    case_moves,
    cases,
    contacts,
    credit_matching,
    dispute_items,
    dispute_reasons,
    dispute_requests,
    disputes,
    informing,
    resources,
    service_credits,
    tasks,
    upholding,
)

__all__ = [
    "amendments",
    "case_changes",
    "case_clocks",
    "case_moves",
    "cases",
    "contacts",
    "credit_matching",
    "dispute_items",
    "dispute_reasons",
    "dispute_requests",
    "disputes",
    "informing",
    "resources",
    "service_credits",
    "tasks",
    "upholding",
]
