"""Answers of one service that another one reads: one class for each, used by both."""
