"""Attempts at a unit: counted by what came of them, and answered alike while the database is away."""

from collections.abc import Iterator
from contextlib import contextmanager

from shared.base.metrics import process
from shared.base.transient_errors import is_transient_error
from shared.pure.errors import Unavailable


@contextmanager
def translate_transient_errors() -> Iterator[None]:
    """Translate what the database does for now into a refusal. Raises Unavailable."""
    try:
        yield
    except Exception as error:
        if is_transient_error(error):
            raise Unavailable("the database is away or busy; try again") from error
        raise


@contextmanager
def count_unit_attempt() -> Iterator[None]:
    """Count an attempt at a unit by what came of it."""
    outcome = "committed"
    try:
        yield
    except Exception as error:
        outcome = "transient" if is_transient_error(error) else "refused"
        raise
    finally:
        process.UNITS.labels(outcome).inc()
