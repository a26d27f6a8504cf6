"""Every query of escalation; the only place that knows both rows and domain."""

from services.escalation.repository import cases, disputes, known

__all__ = ["cases", "disputes", "known"]
