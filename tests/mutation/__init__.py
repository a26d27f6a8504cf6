"""Mutation testing of the pure code: `python -m tests.mutation`."""
