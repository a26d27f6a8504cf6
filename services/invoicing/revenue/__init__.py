"""Closing of months: what is earned is released, and nothing is posted into a closed month."""
