"""Every query of collections; the only place that knows both rows and domain."""

from services.collections.repository import (
    fact_queries,
    guard_queries,
    notice_queries,
    policy_queries,
    reported_fact_queries,
    standing_queries,
    suspension_queries,
)

__all__ = [
    "fact_queries",
    "guard_queries",
    "notice_queries",
    "policy_queries",
    "reported_fact_queries",
    "standing_queries",
    "suspension_queries",
]
