"""The embedded stack: real Postgres, real Kafka and our processes, supervised on one machine."""
