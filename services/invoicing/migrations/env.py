"""Alembic's entry: migrates the schema `invoicing` on the connection that `shared.migrate` hands over."""

from shared.persistence.migrations import run

run("invoicing")
