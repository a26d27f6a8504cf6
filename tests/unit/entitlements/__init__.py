"""The rules of collections, without a database."""
