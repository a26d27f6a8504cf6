"""Use cases of collections: one function per action, that loads, decides, saves and publishes."""

from services.collections.use_cases import (
    account_evaluation,
    bounces,
    event_intake,
    guard,
    guard_limits,
    items,
    late_accounts,
    notice_sending,
    notice_writing,
    policies,
    standing,
    suspension_check,
    suspensions,
    vendor_debt,
)

__all__ = [
    "account_evaluation",
    "bounces",
    "event_intake",
    "guard",
    "guard_limits",
    "items",
    "late_accounts",
    "notice_sending",
    "notice_writing",
    "policies",
    "standing",
    "suspension_check",
    "suspensions",
    "vendor_debt",
]
