"""The HTTP edge of every service: problem details (RFC 9457), bodies, health, paging."""

from shared.http.app import create_app
from shared.http.bodies import Router
from shared.http.documents import ETAG
from shared.http.paging import BadCursor, Page, PageOf, Paging, TextPaging
from shared.http.problems import PROBLEM, PROBLEMS, declared, refusals
from shared.http.reading import Read

__all__ = [
    "ETAG",
    "PROBLEM",
    "PROBLEMS",
    "BadCursor",
    "Page",
    "PageOf",
    "Paging",
    "Read",
    "Router",
    "TextPaging",
    "create_app",
    "declared",
    "refusals",
]
