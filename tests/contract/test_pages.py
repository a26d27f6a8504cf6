"""The API pages: every operation says what it does, and shows each problem that it may answer with."""

from pathlib import Path
from typing import Any

import jsonschema
import pytest

from shared.http import PROBLEM, create_app
from shared.runtime import Runtime
from shared.service import NAMES, load
from shared.settings import Settings

RAW = {"/health/ready": {"503"}}
"""What answers with a body of its own rather than with a problem."""


def document(service: str) -> dict[str, Any]:
    """The OpenAPI document of a service."""
    settings = Settings(database_url="postgresql://nobody@127.0.0.1/none", jwks_file=Path("none"))
    return create_app(Runtime(load(service), settings)).openapi()


def untold(document: dict[str, Any]) -> set[str]:
    """Operations without a summary, description or tag, and problems without a fitting example."""
    found = set()
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            name = f"{method.upper()} {path}"
            found |= {f"{name} {part}" for part in ("summary", "description", "tags") if not operation.get(part)}
            found |= {
                f"{name} {status}"
                for status, answer in operation["responses"].items()
                if status[0] in "45" and status not in RAW.get(path, ()) and not _shown(document, status, answer)
            }
    return found


def _shown(document: dict[str, Any], status: str, answer: dict[str, Any]) -> bool:
    """Whether a problem is documented as that alone, with an example that is one, of this status."""
    if list(answer.get("content", {})) != [PROBLEM]:
        return False
    shown = answer["content"][PROBLEM]
    schema = {**shown["schema"], "components": document["components"]}
    fits: bool = jsonschema.Draft202012Validator(schema).is_valid(shown.get("example"))
    return fits and shown["example"]["status"] == int(status)


@pytest.mark.parametrize("service", NAMES)
def test_every_operation_is_told_and_every_problem_shown(service: str) -> None:
    assert untold(document(service)) == set()


def test_what_is_untold_is_seen() -> None:
    told = document("escalation")
    operation = told["paths"]["/v1/cases"]["post"]
    del operation["summary"]
    operation["description"] = ""
    operation["responses"]["404"]["content"][PROBLEM]["example"] = {"status": 404}
    operation["responses"]["409"]["content"] = {"application/json": {}}
    assert untold(told) == {f"POST /v1/cases {part}" for part in ("summary", "description", "404", "409")}
