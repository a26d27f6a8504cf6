"""Answers of many rows, written from what the database gave.

To build and check a model for each of fifty rows takes half the time of their request. The route declares the model
all the same: it is what is documented, and a test holds both equal.
"""

from typing import Any

import orjson
from fastapi import Response

Fields = dict[str, Any]
"""Fields of an answer by their names: texts, numbers, UUIDs, instants, lists of them, and fragments of JSON."""


def write_json_answer(content: Fields) -> Response:
    """Write an answer of rows as JSON, as its model would: an instant in UTC ends with `Z`."""
    # the driver's UUID is a class of its own, which orjson takes for unknown
    return Response(orjson.dumps(content, default=str, option=orjson.OPT_UTC_Z), media_type="application/json")
