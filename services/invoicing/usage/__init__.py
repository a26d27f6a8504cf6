"""Metered usage, rated into charges once."""
