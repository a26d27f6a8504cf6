"""Alembic's entry: migrates the schema `entitlements` on the connection that `shared.migrate` hands over."""

from shared.migrations import run

run("entitlements")
