"""The actions of escalation: one function for each, that loads, decides, saves and publishes."""

from services.escalation.use_cases import (
    attachments,
    case_changes,
    case_clocks,
    case_moves,
    cases,
    contacts,
    disputes,
    inbound_mails,
    messages,
    resources,
    tasks,
    upholding,
)

__all__ = [
    "attachments",
    "case_changes",
    "case_clocks",
    "case_moves",
    "cases",
    "contacts",
    "disputes",
    "inbound_mails",
    "messages",
    "resources",
    "tasks",
    "upholding",
]
