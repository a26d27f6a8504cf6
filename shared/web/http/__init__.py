"""The HTTP edge of every service: problem details (RFC 9457), bodies, health, paging."""

from shared.web.http.answer_headers import OWN_STYLES
from shared.web.http.app import create_app
from shared.web.http.bodies import Router
from shared.web.http.documents import ETAG
from shared.web.http.paging import BadCursor, Page, PageOf, Paging, TextPaging
from shared.web.http.problems import PROBLEM, PROBLEMS, describe_problem, refusals
from shared.web.http.process import Process
from shared.web.http.reading import Read
from shared.web.http.receiving import BodyInterrupted, accept_body, receive_body
from shared.web.http.rows import Fields, write_rows_as_answer

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
    "create_app",
    "describe_problem",
    "receive_body",
    "refusals",
    "write_rows_as_answer",
]
