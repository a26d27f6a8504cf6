"""The API pages: every operation says what it does, and shows what it may answer with."""

from datetime import datetime
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from fastapi.routing import APIRoute
from pydantic import TypeAdapter

from shared.base.settings import Settings
from shared.process.runtime import Runtime
from shared.process.service import NAMES, load_service
from shared.web.http import PROBLEM, create_process_app

JSON = "application/json"
FORMATS = jsonschema.FormatChecker(["uuid", "date"])
RAW = {"/health/ready": {"503"}, "/policy": {"404"}}
"""What answers with a body of its own rather than with a problem."""
QUESTIONS = {"/v1/balances:batch", "/v1/accounts/{account_id}/notice-facts"}
"""POSTs of invoicing that change nothing."""
MODELLESS = {
    "/v1/attachments/{attachment_id}/content",
    "/v1/ledger/{legal_entity}/journal/{day}",
    "/v1/invoices/{invoice_id}/document",
    "/v1/credit-notes/{credit_note_id}/document",
    "/v1/accounts/{account_id}/statement/document",
    "/v1/vendor-tickets/{ticket_id}/evidence-pack",
    "/health/live",
    "/health/ready",
}
"""What answers without a model: the two of health, the journal (CSV), documents."""


@FORMATS.checks("date-time", raises=ValueError)
def _is_instant(value: object) -> bool:
    return not isinstance(value, str) or datetime.fromisoformat(value).tzinfo is not None


def document(service: str) -> dict[str, Any]:
    """The OpenAPI document of a service."""
    settings = Settings(database_url="postgresql://nobody@127.0.0.1/none", jwks_file=Path("none"), issuer="none")
    return create_process_app(Runtime(load_service(service), settings)).openapi()


def untold(document: dict[str, Any]) -> set[str]:
    """Operations without a summary, description or tag, and problems without a fitting example."""
    flaws = set()
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            name = f"{method.upper()} {path}"
            flaws |= {f"{name} {part}" for part in ("summary", "description", "tags") if not operation.get(part)}
            flaws |= {
                f"{name} {status}"
                for status, answer in operation["responses"].items()
                if status[0] in "45"
                and status not in RAW.get(path, ())
                and not _is_problem_shown(document, status, answer)
            }
    return flaws


def _is_problem_shown(document: dict[str, Any], status: str, answer: dict[str, Any]) -> bool:
    """Whether a problem is documented as that alone, with an example that is one, of this status."""
    if list(answer.get("content", {})) != [PROBLEM]:
        return False
    shown = answer["content"][PROBLEM]
    schema = {**shown["schema"], "components": document["components"]}
    examples = [example["value"] for example in shown.get("examples", {}).values()]
    valid = jsonschema.Draft202012Validator(schema).is_valid
    return bool(examples) and all(valid(example) and example["status"] == int(status) for example in examples)


def keyless(document: dict[str, Any]) -> set[str]:
    """POSTs of which no text as Idempotency-Key is shown as needed, with an example."""
    paths = set()
    for path, operations in document["paths"].items():
        key = [
            parameter
            for parameter in operations.get("post", {}).get("parameters", [])
            if parameter["name"] == "idempotency-key"
        ]
        if "post" in operations and not any(
            parameter["required"] and parameter["schema"]["type"] == "string" and parameter["schema"]["examples"]
            for parameter in key
        ):
            paths.add(path)
    return paths


@pytest.mark.parametrize("service", NAMES)
def test_every_post_that_changes_something_shows_that_it_needs_a_key(service: str) -> None:
    assert keyless(document(service)) == (QUESTIONS if service == "invoicing" else set())


def unshown(document: dict[str, Any]) -> set[str]:
    """Operations with a body of which no example is shown that fits its schema."""
    schemas = {"components": document["components"]}
    return {
        path
        for path, operations in document["paths"].items()
        for operation in operations.values()
        if "requestBody" in operation and not _is_shown(schemas, operation["requestBody"]["content"])
    }


def _is_shown(schemas: dict[str, Any], content: dict[str, Any]) -> bool:
    """Whether a body has an example that fits; of a file, whether each layout that is text has one."""
    if JSON in content:
        return _is_example(schemas | content[JSON]["schema"])
    texts = [layout for layout in content.values() if layout["schema"] == {"type": "string"}]
    if not texts:
        return list(content) == ["application/octet-stream"]  # a file that is no text has no example
    return all(text.get("example") for text in texts)


def _is_example(schema: dict[str, Any]) -> bool:
    """Whether the body's schema has an example, whole or field by field, that fits it."""
    model = schema["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    by_field = {name: field["examples"][0] for name, field in model["properties"].items() if "examples" in field}
    (body,) = model.get("examples", [by_field])
    fits: bool = jsonschema.Draft202012Validator(schema).is_valid(body)
    return fits


@pytest.mark.parametrize("service", NAMES)
def test_every_body_is_shown_by_an_example_that_fits(service: str) -> None:
    assert unshown(document(service)) == set()


def test_a_body_without_a_fitting_example_is_seen() -> None:
    described = document("escalation")
    schemas = described["components"]["schemas"]
    del schemas["DisputeIn"]["examples"]
    schemas["CaseIn"]["examples"][0]["kind"] = "another"
    assert unshown(described) == {"/v1/disputes", "/v1/cases"}
    file = document("invoicing")
    del file["paths"]["/v1/vendor-invoices/{vendor_invoice_id}/reconciliation"]["put"]["requestBody"]["content"][
        "text/csv"
    ]["example"]
    assert unshown(file) == {"/v1/vendor-invoices/{vendor_invoice_id}/reconciliation"}


def answers(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The schema of what each operation answers when it went well, by method, path and status."""
    return {
        f"{method.upper()} {path} {status}": answer["content"][JSON]["schema"]
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
        for status, answer in operation["responses"].items()
        if status[0] == "2" and path not in MODELLESS
    }


def _example(document: dict[str, Any], schema: dict[str, Any]) -> Any:
    """The whole example of what a schema refers to, or None."""
    return next(iter(document["components"]["schemas"][schema["$ref"].rpartition("/")[2]].get("examples", [])), None)


def find_unanswered(document: dict[str, Any]) -> set[str]:
    """Find answers of which no example is shown that fits their schema, formats included."""
    return {
        name
        for name, schema in answers(document).items()
        if not jsonschema.Draft202012Validator(
            {"components": document["components"]} | schema, format_checker=FORMATS
        ).is_valid(_example(document, schema))
    }


@pytest.mark.parametrize("service", NAMES)
def test_every_answer_is_shown_by_an_example_that_fits(service: str) -> None:
    assert find_unanswered(document(service)) == set()


@pytest.mark.parametrize("service", NAMES)
def test_every_example_of_an_answer_is_one_that_the_model_would_give(service: str) -> None:
    described = document(service)
    schemas, seen = answers(described), set()
    for route in (route for router in load_service(service).routers for route in router.routes):
        assert isinstance(route, APIRoute)
        for name in (
            name
            for method in route.methods or ()
            for name in schemas
            if name.startswith(f"{method} {route.path_format} ")
        ):
            declared = route.responses.get(int(name.rpartition(" ")[2]), {})
            shown, model = _example(described, schemas[name]), TypeAdapter(declared.get("model", route.response_model))
            assert model.dump_python(model.validate_python(shown), mode="json") == shown, name
            seen.add(name)
    assert seen == set(schemas)


MOVES_OF_CASES = ("read", "start", "wait", "resolve", "close", "reopen", "merge")


def test_an_answer_without_a_fitting_example_is_seen() -> None:
    described = document("escalation")
    schemas = described["components"]["schemas"]
    del schemas["CustomerContactOut"]["examples"]
    schemas["CaseOut"]["examples"][0]["opened_at"] = "2 April"
    schemas["Page_DisputeOut_"]["examples"][0]["items"][0]["id"] = "17"
    assert find_unanswered(described) == {
        "POST /v1/cases 201",
        "PATCH /v1/cases/{case_id} 200",
        "POST /v1/cases/{case_id}/contacts 201",
        *(f"POST /v1/cases/{{case_id}}:{verb} 200" for verb in MOVES_OF_CASES),
        "GET /v1/disputes 200",
    }


@pytest.mark.parametrize("service", NAMES)
def test_every_operation_is_told_and_every_problem_shown(service: str) -> None:
    assert untold(document(service)) == set()


def test_what_is_untold_is_seen() -> None:
    described = document("escalation")
    operation = described["paths"]["/v1/cases"]["post"]
    del operation["summary"]
    operation["description"] = ""
    operation["responses"]["404"]["content"][PROBLEM]["examples"] = {"not_found": {"value": {"status": 404}}}
    operation["responses"]["422"]["content"] = {"application/json": {}}
    close = described["paths"]["/v1/cases/{case_id}:close"]["post"]["responses"]["409"]["content"][PROBLEM]["examples"]
    close["move_refused"]["value"]["status"] = 404
    assert untold(described) == {
        *(f"POST /v1/cases {part}" for part in ("summary", "description", "404", "422")),
        "POST /v1/cases/{case_id}:close 409",
    }
