"""The HTTP edge of every service: problem details (RFC 9457), bodies, health, paging."""

from shared.web.http.answer_headers import OWN_STYLES
from shared.web.http.app import create_process_app
from shared.web.http.body_receiving import BodyInterrupted, accept_larger_body, receive_whole_body
from shared.web.http.documents import ETAG
from shared.web.http.paging import Page, PageCursorRefused, Paging, PagingById, TextPaging
from shared.web.http.problems import PROBLEM, PROBLEMS, describe_problem, refusals
from shared.web.http.process import ProcessEdge
from shared.web.http.reading import Read
from shared.web.http.row_answers import Fields, write_json_answer
from shared.web.http.strict_bodies import Router

__all__ = [
    "ETAG",
    "OWN_STYLES",
    "PROBLEM",
    "PROBLEMS",
    "BodyInterrupted",
    "Fields",
    "Page",
    "PageCursorRefused",
    "Paging",
    "PagingById",
    "ProcessEdge",
    "Read",
    "Router",
    "TextPaging",
    "accept_larger_body",
    "create_process_app",
    "describe_problem",
    "receive_whole_body",
    "refusals",
    "write_json_answer",
]
