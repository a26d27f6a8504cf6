"""Every query of collections; the only place that knows both rows and domain."""

from services.collections.repository import facts, guard, notices, policies, standing, suspensions

__all__ = ["facts", "guard", "notices", "policies", "standing", "suspensions"]
