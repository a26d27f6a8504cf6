"""Answers of invoicing to questions that are asked before a transaction: what they refuse is refused by us."""

from collections.abc import Iterator
from contextlib import contextmanager

from shared.pure.errors import NotFound, RetryLater, Unavailable
from shared.web.clients import RefusedByService


@contextmanager
def translate_invoicing_errors(unavailable: type[Unavailable], missing: str) -> Iterator[None]:
    """Translate what a question to invoicing raises: NotFound in these words for 404, else that it is unavailable."""
    try:
        yield
    except RefusedByService as refused:
        if refused.status == 404:
            raise NotFound(missing) from refused
        raise unavailable(str(refused)) from refused
    except RetryLater as error:
        raise unavailable(str(error)) from error
