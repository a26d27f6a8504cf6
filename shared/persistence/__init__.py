"""Facts in Postgres: transactions, streams, outbox, audit, migrations."""
