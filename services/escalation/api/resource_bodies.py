"""Bodies and answers of the routes of support resources, and how a file of them is read."""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import AnyHttpUrl, BaseModel, Field, UrlConstraints, ValidationError, model_validator

from services.escalation.api.case_bodies import Description
from shared.pure.errors import Refusal
from shared.pure.fields import Code, Day, Name, Prose, RequestBody, get_model_example, set_model_example
from shared.pure.languages import Language
from shared.web.http import Fields

MAX_LINES = 20_000
MAX_ERRORS = 20
"""How many wrong fields of a file are named."""

ResourceKind = Literal["training", "knowledge_base", "solution", "membership_support", "premier_contract"]
UseResult = Literal["helped", "did_not_help", "not_applicable"]
Link = Annotated[AnyHttpUrl, UrlConstraints(max_length=1000, allowed_schemes=["https", "http"])]


class ResourceFileRefused(Refusal):
    """The file is taken wholly or not at all, and something in it is wrong: `errors` names lines and fields."""

    code = "file_refused"
    status = 422


class ResourceIn(RequestBody):
    """A way to solve a problem without the vendor; the last three fields are those of a premier contract."""

    model_config = set_model_example(
        reference="kb-4711",
        kind="knowledge_base",
        title="Mail flow stops after a change of DNS records",
        content="Check the MX record first: it has to name the tenant's own host.",
        language="en",
        products=["Microsoft 365 Business Premium"],
        link="https://vendor.example/kb/4711",
        valid_from="2026-01-01",
        valid_to="2026-12-31",
    )

    reference: Code = Field(description="by which a file changes it")
    kind: ResourceKind
    title: Name
    content: Description
    language: Language
    products: list[Name] = Field(default=[], max_length=100, description="those that it is about; none: all")
    link: Link | None = Field(default=None, examples=["https://vendor.example/kb/4711"])
    valid_from: Day | None = None
    valid_to: Day | None = Field(default=None, description="the last day")
    response_times: Name | None = Field(default=None, examples=["4 hours on business days"])
    contract_number: Code | None = Field(default=None, examples=["premier-17"])
    requests_left: int | None = Field(default=None, ge=0, le=1_000_000, strict=True)
    channel: Name | None = Field(default=None, examples=["portal"])

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.valid_from and self.valid_to and self.valid_to < self.valid_from:
            raise ValueError("valid_to is before valid_from")
        of_contract = (self.contract_number, self.requests_left, self.channel)
        if self.kind != "premier_contract" and any(value is not None for value in of_contract):
            raise ValueError("contract_number, requests_left and channel are those of a premier contract")
        return self

    def list_fields(self) -> dict[str, Any]:
        """List the fields as they are kept."""
        return self.model_dump() | {"link": None if self.link is None else str(self.link)}


class ResourceOut(BaseModel):
    """A support resource; its version is the ETag for a change. Counts are those of cases in which it was consulted."""

    model_config = set_model_example(
        id="01a20d65-5762-7a08-b1f4-93d2c07e5a40",
        version=1,
        **get_model_example(ResourceIn),
        response_times=None,
        contract_number=None,
        requests_left=None,
        channel=None,
        is_lapsed=False,
        uses=12,
        helped=9,
        changed_by="support-lead",
        changed_at="2026-04-02T09:30:00Z",
    )

    id: UUID
    version: int
    reference: str
    kind: ResourceKind
    title: str
    content: str
    language: Language
    products: list[str]
    link: str | None
    valid_from: date | None
    valid_to: date | None
    response_times: str | None
    contract_number: str | None
    requests_left: int | None
    channel: str | None
    is_lapsed: bool = Field(description="its last day is over, or it is a contract without requests; never suggested")
    uses: int
    helped: int
    changed_by: str
    changed_at: datetime

    @classmethod
    def from_record(cls, row: Mapping[str, Any], today: date) -> Self:
        """Build the answer for a row with its uses."""
        return cls.model_validate(build_resource_fields(row, today))


def build_resource_fields(row: Mapping[str, Any], today: date) -> Fields:
    """Build the fields of a resource's answer from its columns that are shown, and its uses."""
    fields = dict(row.items())
    is_over = fields["valid_to"] is not None and fields["valid_to"] < today
    fields["is_lapsed"] = is_over or fields["requests_left"] == 0
    return fields


class FoundResourceOut(ResourceOut):
    """A resource that has the words; the excerpt shows them between asterisks."""

    model_config = set_model_example(**get_model_example(ResourceOut), excerpt="Check the **MX** record first")

    excerpt: str


class FoundResourcesOut(BaseModel):
    """Resources that have the words, the best first."""

    model_config = set_model_example(items=[get_model_example(FoundResourceOut)])

    items: list[FoundResourceOut]


class SuggestionsOut(BaseModel):
    """Resources that may help in a case, the best first."""

    model_config = set_model_example(items=[get_model_example(ResourceOut)])

    items: list[ResourceOut]


class ResourceImportOut(BaseModel):
    """How many resources of a file are new, and how many were known and changed."""

    model_config = set_model_example(new=4980, changed=20)

    new: int
    changed: int


class ResourceUseIn(RequestBody):
    """A resource that was consulted, and what came of it."""

    model_config = set_model_example(
        resource_id="01a20d65-5762-7a08-b1f4-93d2c07e5a40", result="helped", note="the MX was it"
    )

    resource_id: UUID
    result: UseResult
    note: Prose | None = None


class ResourceUseOut(BaseModel):
    """That a resource was consulted in a case."""

    model_config = set_model_example(
        id="01a20d66-0b3d-7e92-a6c7-58f10d4b2e55",
        resource_id="01a20d65-5762-7a08-b1f4-93d2c07e5a40",
        case_id="01a20d65-5762-7a08-b1f4-93d2c07e5a16",
        result="helped",
        actor="support",
        consulted_at="2026-04-02T10:30:00Z",
    )

    id: UUID
    resource_id: UUID
    case_id: UUID
    result: UseResult
    actor: str
    consulted_at: datetime


def parse_resource_file(body: bytes, *, is_csv: bool) -> list[dict[str, Any]]:
    """Read the resources of a file: CSV with a header, or JSON lines.

    Raises ResourceFileRefused, which names what is wrong.
    """
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ResourceFileRefused("the file is not UTF-8") from error
    errors: list[dict[str, str]] = []
    resources: dict[str, dict[str, Any]] = {}
    for line, fields in _list_csv(text) if is_csv else _list_json(text):
        errors.extend(_read_line(line, fields, resources))
        if len(errors) >= MAX_ERRORS:
            break
        if line > MAX_LINES + 1:
            errors.append({"field": f"lines.{line}", "message": f"a file has at most {MAX_LINES} lines"})
            break
    if errors:
        raise ResourceFileRefused("nothing of the file was taken: lines of it are wrong", errors=errors)
    return list(resources.values())


def _read_line(line: int, fields: object, resources: dict[str, dict[str, Any]]) -> Iterable[dict[str, str]]:
    try:
        resource = ResourceIn.model_validate(fields)
    except ValidationError as error:
        return [
            {"field": ".".join(map(str, ("lines", line, *problem["loc"]))), "message": problem["msg"]}
            for problem in error.errors()
        ]
    if resource.reference in resources:
        return [{"field": f"lines.{line}.reference", "message": "stands in the file more than once"}]
    resources[resource.reference] = resource.list_fields()
    return []


def _list_csv(text: str) -> Iterator[tuple[int, object]]:
    """List the lines of CSV, by the fields of its header; products are parted by `|`, what is empty is left out."""
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True, restkey="")
    try:
        for fields in reader:
            filled = {name: value for name, value in fields.items() if value not in ("", None)}
            if isinstance(filled.get("products"), str):
                filled["products"] = [name.strip() for name in filled["products"].split("|")]
            if str(filled.get("requests_left", "")).isdecimal():
                filled["requests_left"] = int(filled["requests_left"])
            yield reader.line_num, filled
    except csv.Error as error:
        raise ResourceFileRefused(f"line {reader.line_num}: {error}") from error


def _list_json(text: str) -> Iterator[tuple[int, object]]:
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            yield number, json.loads(line)
        except (ValueError, RecursionError) as error:
            raise ResourceFileRefused(f"line {number} is not JSON") from error
