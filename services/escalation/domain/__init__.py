"""The rules of escalation. Pure."""
