"""The story of a case is told from its thread and its clocks alone."""

from typing import Any

from sandbox.support import tell_case_story

CASE: dict[str, Any] = {
    "number": 17,
    "subject": "Mail flow stands still",
    "severity": "B",
    "product": "Mail",
    "opened_at": "2025-03-04T10:00:00Z",
}
ENTRIES: list[dict[str, Any]] = [
    {
        "kind": "state",
        "entered_at": "2025-03-04T11:00:00Z",
        "details": {"from": "new", "to": "in_progress"},
        "channel": None,
        "content": "looking into it",
    },
    {"kind": "call", "entered_at": "2025-03-04T11:05:00Z", "details": {}, "channel": "phone", "content": "we look"},
    {
        "kind": "resource",
        "entered_at": "2025-03-05T12:00:00Z",
        "details": {"result": "helped"},
        "channel": None,
        "content": "the MX record",
    },
]


def test_each_entry_is_a_line_with_what_came_of_it() -> None:
    clocks = [
        {"which": "first", "run": 1, "due_at": "2025-03-04T14:00:00Z", "missed_at": None},
        {"which": "update", "run": 1, "due_at": "2025-03-05T11:00:00Z", "missed_at": "2025-03-05T11:00:00Z"},
        {"which": "update", "run": 2, "due_at": None, "missed_at": None},
    ]
    assert tell_case_story(CASE, ENTRIES, clocks) == [
        "Case 17: Mail flow stands still (severity B, Mail)",
        "  2025-03-04 10:00  opened",
        "  2025-03-04 11:00  in_progress: looking into it",
        "  2025-03-04 11:05  phone: we look",
        "  2025-03-05 12:00  helped: the MX record",
        "  The first answer (run 1) was due on 2025-03-04 14:00: in time.",
        "  The update answer (run 1) was due on 2025-03-05 11:00: missed.",
        "  The update answer (run 2) waits for the customer.",
    ]
