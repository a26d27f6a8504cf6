"""The HTTP edge of every service: problem details (RFC 9457), bodies, health, paging."""

from shared.http.answer_headers import OWN_STYLES
from shared.http.app import create_app
from shared.http.bodies import Router
from shared.http.documents import ETAG
from shared.http.paging import BadCursor, Page, PageOf, Paging, TextPaging
from shared.http.problems import PROBLEM, PROBLEMS, declared, refusals
from shared.http.process import Process
from shared.http.reading import Read
from shared.http.receiving import BodyInterrupted, accept_body, receive_body
from shared.http.rows import Fields, answer_rows

__all__ = [
    "ETAG",
    "OWN_STYLES",
    "PROBLEM",
    "PROBLEMS",
    "BadCursor",
    "BodyInterrupted",
    "Fields",
    "Page",
    "PageOf",
    "Paging",
    "Process",
    "Read",
    "Router",
    "TextPaging",
    "accept_body",
    "answer_rows",
    "create_app",
    "declared",
    "receive_body",
    "refusals",
]
