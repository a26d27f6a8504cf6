"""Use cases of collections: one function per action, that loads, decides, saves and publishes."""

from services.collections.use_cases import (
    bounces,
    checking,
    delivery,
    facts,
    guard,
    guard_limits,
    items,
    judging,
    late_accounts,
    notices,
    policies,
    standing,
    suspensions,
    vendor_debt,
)

__all__ = [
    "bounces",
    "checking",
    "delivery",
    "facts",
    "guard",
    "guard_limits",
    "items",
    "judging",
    "late_accounts",
    "notices",
    "policies",
    "standing",
    "suspensions",
    "vendor_debt",
]
