"""Adapters to the outside: the vendor."""
