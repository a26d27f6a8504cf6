"""Metrics that a process counts for Prometheus: declared once, with a help text each, and served on a port of its own.

Base units, minor units of money beside their currency, instants rather than ages, and no ids of accounts.
"""
