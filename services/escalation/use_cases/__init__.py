"""What can be done in escalation: one function per action, that loads, decides, saves and publishes."""

from services.escalation.use_cases import cases, disputes, tasks, upholding

__all__ = ["cases", "disputes", "tasks", "upholding"]
