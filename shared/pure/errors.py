"""Refusals (answers that a caller can understand) and the tree of what can go wrong beneath them.

    Refusal          the request or message is understood and refused; has a `code` and an HTTP status
      NotFound       404
      Unavailable    503, with Retry-After
    RetryLater            a call to the outside did not work now; the same attempt may work later

Anything else is a defect: a 500 and someone's alarm.
"""

from typing import ClassVar


class Refusal(Exception):
    """A refusal with a stable code. Subclasses stand beside the function that raises them."""

    code: ClassVar[str] = "refused"
    status: ClassVar[int] = 409

    def __init__(self, detail: str, **more: object) -> None:
        super().__init__(detail)
        self.detail = detail
        self.more = more
        """Members that the problem document carries beside the standard ones."""


class NotFound(Refusal):
    """There is no such thing, or not for this caller."""

    code = "not_found"
    status = 404


class Unavailable(Refusal):
    """Something this request needs is away for the moment; the answer carries Retry-After."""

    code = "unavailable"
    status = 503
    retry_after = 1
    """Seconds."""


class RetryLater(Exception):
    """A call to the outside failed in a way that may pass: the intent becomes a due row again."""
