"""Field types of requests that every service shares: what Postgres and people can live with."""

import re
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Annotated, Any
from zoneinfo import available_timezones

import orjson
from babel import Locale
from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from shared.pure.addresses import parse_mail_address
from shared.pure.hidden_characters import (
    SEEN_ON_LINE,
    SEEN_ON_LINES,
    check_multiline_text,
    check_one_line_text,
    normalise_line_breaks,
)

NEEDED: dict[str, Any] = {"x-needed": True}
"""Marks a header that may be missing for FastAPI, since its absence has a refusal of its own; for callers it may not.

The OpenAPI document says so, and leaves the mark out.
"""

Name = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=SEEN_ON_LINE),
    AfterValidator(check_one_line_text),
]
"""A line of text, all of which can be seen."""


Prose = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=2000, pattern=SEEN_ON_LINES),
    AfterValidator(normalise_line_breaks),
    AfterValidator(check_multiline_text),
]
"""Text of several lines, such as a comment or a reason, all of which can be seen."""

Words = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True, max_length=2000, pattern=r"(?s)^[^\x00]*\p{L}{2}[^\x00]*\s[^\x00]*\p{L}{2}[^\x00]*$"
    ),
    AfterValidator(normalise_line_breaks),
    AfterValidator(check_multiline_text),
]
"""Prose of at least two words: a full stop is no reason."""

Code = Annotated[
    str, StringConstraints(min_length=1, max_length=60, pattern=r"^[A-Za-z0-9._-]*[A-Za-z0-9_-][A-Za-z0-9._-]*$")
]
"""An identifier that people and other systems use: part of a path as it is, so not of dots alone."""

Email = Annotated[str, Field(max_length=254, json_schema_extra={"format": "email"}), AfterValidator(parse_mail_address)]
"""An address that a letter can be written to; whether it exists is found out by writing to it."""


def _require_form(form: str) -> BeforeValidator:
    """Only text of this form is a time; pydantic would also read numbers (seconds since 1970) and other forms."""

    def check_form(value: object) -> object:
        if isinstance(value, str):
            if not re.fullmatch(form, value, re.ASCII):
                raise ValueError("not written as RFC 3339 has it")
        elif not isinstance(value, date):
            raise ValueError("a time is text")
        return value

    return BeforeValidator(check_form)


_DATE = r"\d{4}-\d{2}-\d{2}"

Day = Annotated[date, Field(ge=date(1990, 1, 1), le=date(2200, 1, 1)), _require_form(_DATE)]
"""A date of business, as `YYYY-MM-DD`."""

_FIRST, _LAST = datetime(1990, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)

Instant = Annotated[
    AwareDatetime,
    Field(ge=_FIRST, le=_LAST),
    _require_form(_DATE + r"[Tt]\d{2}:\d{2}:\d{2}(\.\d{1,6})?([Zz]|[+-]\d{2}:\d{2})"),
]
"""An instant of business with its offset (RFC 3339), to the microsecond: at the ends of the calendar another zone has
no name for it.
"""


@lru_cache
def _zones() -> frozenset[str]:
    """The names of IANA's list, which begin with a capital; what else lies beside the zones of a system does not."""
    return frozenset(name for name in available_timezones() if name[0].isupper() and name != "Factory")


def _known_zone(name: str) -> str:
    if name not in _zones():
        raise ValueError("not an IANA time zone")
    return name


Zone = Annotated[str, Field(max_length=60, examples=["Europe/Berlin"]), AfterValidator(_known_zone)]
"""The name of a time zone in IANA's list."""


@lru_cache
def _territories() -> frozenset[str]:
    return frozenset(code for code in map(str, Locale("en").territories) if len(code) == 2)


def _known_country(code: str) -> str:
    if code not in _territories():
        raise ValueError("not an ISO 3166 country")
    return code


Country = Annotated[str, Field(pattern="^[A-Z]{2}$", examples=["DE"]), AfterValidator(_known_country)]
"""The ISO 3166 code of a country."""


class RequestBody(BaseModel):
    """A request's body; a field that is not known is refused rather than ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def set_model_example(**fields: Any) -> ConfigDict:
    """The `model_config` of a body or an answer whose API page shows these fields.

    They travel as text until the page is made, since FastAPI drops every null from what it documents.
    """
    return ConfigDict(json_schema_extra={"examples": [orjson.dumps(fields).decode()]})


def get_model_example(model: type[BaseModel]) -> dict[str, Any]:
    """Get the example that the API page shows of a model, for that of one that contains it."""
    extra: Any = model.model_config["json_schema_extra"]
    fields: dict[str, Any] = orjson.loads(extra["examples"][0])
    return fields


class ReasonIn(RequestBody):
    """Why a person does what they do; who it is says the token."""

    reason: Prose = Field(examples=["agreed with the customer by phone"])
