"""Every query of escalation; the only place that knows both rows and domain."""
