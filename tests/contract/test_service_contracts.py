"""Contracts between services: each call is answered as its caller reads it, by the documents of who answers."""

import re
from collections.abc import Callable
from copy import deepcopy
from datetime import date
from functools import cache
from importlib import import_module
from typing import Any, get_type_hints
from uuid import UUID

import pytest
from pydantic import BaseModel, create_model

from shared.contracts.answers import AnswerContract
from shared.contracts.contact_persons import LetterContactPerson
from shared.contracts.dispute_reservations import CreditAuthorisation, DisputeReservationRequest
from shared.contracts.suspension_confirmations import SuspensionConfirmation
from shared.web.clients import UnreadableAnswer
from tests.architecture.service_calls import ServiceCall, list_all_calls
from tests.architecture.source import SERVICES
from tests.contract.schema_containment import SchemaPart, list_mismatches
from tests.golden.surface import build_document

CALLS = {f"{caller}: {call.name}": call for caller, call in list_all_calls(SERVICES)}


@cache
def load_document(service: str) -> dict[str, Any]:
    """Load the OpenAPI document of a service."""
    return build_document(service)


def list_breaches(call: ServiceCall, document: dict[str, Any]) -> list[str]:
    """List what of a call the document of the service that answers it does not promise."""
    operations = {
        f"{method.upper()} {re.sub(r'{[^}]+}', '{}', path)}": operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }
    if (operation := operations.get(call.operation)) is None:
        return [f"there is no {call.operation}"]
    return [
        *_list_parameter_breaches(call, operation),
        *_list_body_breaches(call, operation, document),
        *_list_answer_breaches(call, operation, document),
    ]


def _list_parameter_breaches(call: ServiceCall, operation: dict[str, Any]) -> list[str]:
    parameters = operation.get("parameters", ())
    query = {parameter["name"]: parameter.get("required") for parameter in parameters if parameter["in"] == "query"}
    breaches = [f"query: {name} is unknown" for name in call.query if name not in query]
    breaches += [
        f"query: {name} is missing" for name, is_needed in query.items() if is_needed and name not in call.query
    ]
    if call.has_key != any(parameter["name"].lower() == "idempotency-key" for parameter in parameters):
        breaches.append("Idempotency-Key: one side has it")
    return breaches


def _list_body_breaches(call: ServiceCall, operation: dict[str, Any], document: dict[str, Any]) -> list[str]:
    body = operation.get("requestBody")
    if body is None or call.body is None:
        return [] if body is call.body else ["body: one side has it"]
    accepted = SchemaPart(body["content"]["application/json"]["schema"], document)
    return [f"body{line}" for line in list_mismatches(build_part(call.body), accepted)]


def _list_answer_breaches(call: ServiceCall, operation: dict[str, Any], document: dict[str, Any]) -> list[str]:
    answers = [answer for status, answer in operation["responses"].items() if status.startswith("2")]
    assert answers
    if call.answer is None:
        return []
    produced = [SchemaPart(answer["content"]["application/json"]["schema"], document) for answer in answers]
    return [f"answer{line}" for part in produced for line in list_mismatches(part, build_part(call.answer))]


def build_part(contract: type[BaseModel]) -> SchemaPart:
    """Build the schema of a contract."""
    schema = contract.model_json_schema(mode="validation")
    return SchemaPart(schema, schema)


def test_all_calls_between_services_are_looked_at() -> None:
    callers = {name.partition(":")[0] for name in CALLS}
    assert callers == set(SERVICES) - {"invoicing"}
    assert len(CALLS) >= 20
    assert all(call.answer or call.body for call in CALLS.values())


@pytest.mark.parametrize("name", CALLS)
def test_who_answers_keeps_the_contract_of_a_call(name: str) -> None:
    assert list_breaches(CALLS[name], load_document(CALLS[name].audience)) == []


@pytest.mark.parametrize("name", [name for name, call in CALLS.items() if call.answer])
def test_what_is_read_and_renamed_is_seen_in_each_contract(name: str) -> None:
    call = CALLS[name]
    assert call.answer is not None
    annotation: Any = next(iter(call.answer.model_fields.values())).annotation
    renamed: Any = create_model("Renamed", __base__=call.answer, renamed=(annotation, ...))
    breaches = list_breaches(change_call(call, answer=renamed), load_document(call.audience))
    assert breaches == ["answer.renamed: not always there"]


@pytest.mark.parametrize("name", [name for name, call in CALLS.items() if call.body])
def test_a_field_that_nobody_accepts_is_seen_in_each_request(name: str) -> None:
    call = CALLS[name]
    assert call.body is not None
    extended: Any = create_model("Extended", __base__=call.body, added=(int, ...))
    breaches = list_breaches(change_call(call, body=extended), load_document(call.audience))
    assert breaches == ["body.added: unknown"]


def change_call(call: ServiceCall, **changes: Any) -> ServiceCall:
    """Make a call that differs in some of its fields."""
    return ServiceCall(**{name: getattr(call, name) for name in ServiceCall.__dataclass_fields__} | changes)


def find_call(answer: type[BaseModel] | None = None, body: type[BaseModel] | None = None) -> ServiceCall:
    """Find the call of a contract."""
    [call] = [call for call in CALLS.values() if (answer or call.answer, body or call.body) == (call.answer, call.body)]
    return call


def _schema(document: dict[str, Any], name: str) -> Any:
    return document["components"]["schemas"][name]


def _drop_path(document: dict[str, Any]) -> None:
    del document["paths"]["/v1/suspensions/{suspension_id}/confirmation"]


def _drop_field(document: dict[str, Any]) -> None:
    del _schema(document, "ConfirmationOut")["properties"]["detail"]
    _schema(document, "ConfirmationOut")["required"].remove("detail")


def _make_field_optional(document: dict[str, Any]) -> None:
    _schema(document, "ConfirmationOut")["required"].remove("verdict")


def _make_field_nullable(document: dict[str, Any]) -> None:
    detail = _schema(document, "ConfirmationOut")["properties"]
    detail["detail"] = {"anyOf": [detail["detail"], {"type": "null"}]}


def _change_type(document: dict[str, Any]) -> None:
    _schema(document, "ConfirmationOut")["properties"]["detail"] = {"type": "integer"}


@pytest.mark.parametrize(
    ("change", "breaches"),
    [
        (_drop_path, ["there is no GET /v1/suspensions/{}/confirmation"]),
        (_drop_field, ["answer.detail: not always there"]),
        (_make_field_optional, ["answer.verdict: not always there"]),
        (_make_field_nullable, ["answer.detail: null is not accepted"]),
        (_change_type, ["answer.detail: integer is not accepted"]),
    ],
)
def test_an_answer_that_is_broken_is_seen(change: Callable[[dict[str, Any]], None], breaches: list[str]) -> None:
    document = deepcopy(load_document("collections"))
    change(document)
    assert list_breaches(find_call(answer=SuspensionConfirmation), document) == breaches


def _require_field(document: dict[str, Any]) -> None:
    _schema(document, "ReservationIn")["required"].append("currency")


def _drop_accepted_field(document: dict[str, Any]) -> None:
    del _schema(document, "ReservationIn")["properties"]["invoice_id"]
    _schema(document, "ReservationIn")["required"].remove("invoice_id")


def _narrow_lines(document: dict[str, Any]) -> None:
    _schema(document, "LineAmount")["properties"]["line"] = {"type": "string"}


def _drop_key(document: dict[str, Any]) -> None:
    del document["paths"]["/v1/reservations"]["post"]["parameters"]


@pytest.mark.parametrize(
    ("change", "breaches"),
    [
        (_require_field, ["body.currency: not always there"]),
        (_drop_accepted_field, ["body.invoice_id: unknown"]),
        (_narrow_lines, ["body.lines[].line: integer is not accepted"]),
        (_drop_key, ["Idempotency-Key: one side has it"]),
    ],
)
def test_a_request_that_would_be_refused_is_seen(change: Callable[[dict[str, Any]], None], breaches: list[str]) -> None:
    document = deepcopy(load_document("invoicing"))
    change(document)
    assert list_breaches(find_call(body=DisputeReservationRequest), document) == breaches


def test_choices_and_formats_and_queries_are_compared() -> None:
    document = deepcopy(load_document("invoicing"))
    _schema(document, "AuthorisationIn")["properties"]["outcome"]["enum"] = ["upheld"]
    assert list_breaches(find_call(body=CreditAuthorisation), document) == ["body.outcome: declined is no choice"]
    person = find_call(answer=LetterContactPerson)
    _schema(document, "ContactPersonOut")["properties"]["valid_to"] = {"type": "string"}
    assert list_breaches(person, document) == ["answer.valid_to: no date"]
    asked = change_call(person, query=("on",), answer=AnswerContract)
    assert list_breaches(asked, document) == ["query: on is unknown"]


class Emptiness:
    """A service whose answers lack everything."""

    async def get(self, path: str) -> Any:
        return {}

    async def post(self, path: str, body: Any, *, key: str | None = None) -> Any:
        return {}


def build_argument(hint: Any) -> Any:
    """Build an argument of a method of an adapter."""
    examples = {UUID: UUID(int=1), str: "billing", date: date(2026, 3, 2)}
    return examples[hint] if hint in examples else None if hint == str | None else hint.model_construct()


@pytest.mark.parametrize("name", CALLS)
async def test_an_answer_without_what_is_read_is_asked_for_again(name: str) -> None:
    caller, _, called = name.partition(": ")
    class_name, _, method_name = called.partition(".")
    adapter = getattr(import_module(f"services.{caller}.adapters"), class_name)(Emptiness())
    method = getattr(adapter, method_name)
    arguments = {part: build_argument(hint) for part, hint in get_type_hints(method).items() if part != "return"}
    if (contract := CALLS[name].answer) is None:
        assert await method(**arguments) is None
        return
    with pytest.raises(UnreadableAnswer, match=f"{contract.__name__}: {next(iter(contract.model_fields))} .missing"):
        await method(**arguments)
