"""Alembic's entry: migrates the schema `invoicing` on the connection that `shared.migrate` hands over."""

from shared.persistence.migrations import run_migrations

run_migrations("invoicing")
