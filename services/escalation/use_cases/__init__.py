"""The actions of escalation: one function for each, that loads, decides, saves and publishes."""

from services.escalation.use_cases import (
    case_changes,
    case_clocks,
    case_moves,
    cases,
    contacts,
    disputes,
    handovers,
    resources,
    service_health,
    tasks,
    ticket_moves,
    ticket_notes,
    ticket_readings,
    upholding,
    vendor_clocks,
    vendor_tickets,
)

__all__ = [
    "case_changes",
    "case_clocks",
    "case_moves",
    "cases",
    "contacts",
    "disputes",
    "handovers",
    "resources",
    "service_health",
    "tasks",
    "ticket_moves",
    "ticket_notes",
    "ticket_readings",
    "upholding",
    "vendor_clocks",
    "vendor_tickets",
]
