"""Subscriptions, their terms and changes; what is charged for them and what the vendor will charge us."""
