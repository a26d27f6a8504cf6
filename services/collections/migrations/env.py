"""Alembic's entry: migrates the schema `collections` on the connection that `shared.migrate` hands over."""

from shared.persistence.migrations import run_migrations

run_migrations("collections")
