"""The routes of collections."""

from services.collections.api import guard, notices, policies, standing, suspensions

ROUTERS = (
    policies.public,
    policies.reads,
    policies.writes,
    standing.reads,
    suspensions.reads,
    suspensions.writes,
    guard.reads,
    guard.writes,
    notices.reads,
    notices.writes,
)
