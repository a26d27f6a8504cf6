"""Alembic's entry: migrates the schema `invoicing` on the connection that `shared.migrate` hands over."""

from shared.migrations import run

run("invoicing")
