"""Foundations of a process: settings, clock, connections, telemetry, metrics and health."""
