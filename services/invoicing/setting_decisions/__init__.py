"""Decisions about changes of settings, and the rule of the second person."""
