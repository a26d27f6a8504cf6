"""Free text is what a person may write anything into; codes, dates and choices are none."""

from typing import Any

import pytest

from shared.pure.fields import Code, Name, Prose, RequestBody
from tests.contract.free_text import MARK, mark


class Line(RequestBody):
    text: Name
    code: Code


class Said(RequestBody):
    reason: Prose | None
    lines: list[Line]


@pytest.mark.parametrize(
    ("body", "marked"),
    [
        ({"reason": "x", "lines": []}, {"reason": MARK, "lines": []}),
        ({"reason": None, "lines": []}, {"reason": None, "lines": []}),
        (
            {"reason": "x", "lines": [{"text": "y", "code": "GS"}]},
            {"reason": MARK, "lines": [{"text": MARK, "code": "GS"}]},
        ),
    ],
)
def test_only_free_text_is_marked(body: dict[str, Any], marked: dict[str, Any]) -> None:
    schema = Said.model_json_schema()
    assert mark(body, schema, schema) == marked
