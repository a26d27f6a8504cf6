"""Adapters to the outside: the vendor's support."""
