"""Connections to what a process works with: Postgres, Kafka, the next mail hop, the vendor.

What is configured is what happens: where TLS or a login is set, nothing goes out without it.
"""
