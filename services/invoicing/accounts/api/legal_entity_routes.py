"""Our legal entities over REST: what documents say of us, and who calculates our tax."""

from datetime import datetime
from typing import Annotated, Literal, Self

from fastapi import Header, Response
from pydantic import AfterValidator, BaseModel, Field, model_validator

from services.invoicing.accounts.api.account_routes import Language
from services.invoicing.accounts.repository import legal_entity_queries
from services.invoicing.accounts.use_cases import legal_entity_changes
from services.invoicing.settings.api import (
    CHANGE_PROPOSED,
    SettingChangeOut,
    answer_pending_setting_change,
    find_pending_setting_change,
)
from services.invoicing.settings.domain.setting_change import SettingKind
from services.invoicing.settings.use_cases import is_setting_change_applied
from shared.persistence.database import Unit
from shared.pure.fields import Code, Country, Email, Name, Prose, RequestBody, get_model_example, set_model_example
from shared.pure.payment_references import has_valid_check_digits
from shared.pure.proposals import ChangeAlreadyProposed
from shared.web.auth import needs
from shared.web.commands import ChangeRunner, perform_change
from shared.web.http import ETAG, PROBLEMS, Page, Read, Router, TextPaging, refusals
from shared.web.versions import ChangedMeanwhile, IfMatchMissing, parse_if_match

PREFIX, TAGS = "/v1/legal-entities", ["legal entities"]
reads = Router(prefix=PREFIX, tags=TAGS, dependencies=[needs("invoicing:read")], responses=PROBLEMS)
writes = Router(prefix=PREFIX, tags=TAGS, dependencies=[needs("invoicing:settings")], responses=PROBLEMS)


def _check_iban(iban: str) -> str:
    if not has_valid_check_digits(iban):
        raise ValueError("the check digits of the IBAN are wrong")
    return iban


Iban = Annotated[str, Field(pattern="^[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}$"), AfterValidator(_check_iban)]
"""An account's number as ISO 13616 has it, without spaces."""


class FootersIn(RequestBody):
    """The footer in each language of documents; a language without one has `footer`."""

    model_config = set_model_example(
        en="Managing director: A. Person", de="Geschäftsführung: A. Person", fr=None, ru=None
    )

    en: Prose | None = None
    de: Prose | None = None
    fr: Prose | None = None
    ru: Prose | None = None


class LegalEntityIn(RequestBody):
    """Facts of a legal entity for its documents and mails, whether documents go out, and who calculates its tax."""

    model_config = set_model_example(
        name="Goodstanding GmbH",
        address=["Musterstraße 1", "10115 Berlin", "Germany"],
        tax_id="DE123456789",
        register_number="HRB 4711 B",
        bank_name="Sparkasse Berlin",
        iban="DE02120300000000202051",
        bic="BYLADEM1001",
        footer="Managing director: A. Person",
        footers=get_model_example(FootersIn),
        sends_documents=True,
        country="DE",
        tax_calculator="rates",
        mail_from="billing@goodstanding.example",
        reply_to="questions@goodstanding.example",
        signature="Your accounts team\n+49 30 1234567",
        language="de",
    )

    name: Name
    address: list[Name] = Field(min_length=1, max_length=6)
    tax_id: Code
    register_number: Name
    bank_name: Name
    iban: Iban = Field(examples=["DE02120300000000202051"])
    bic: str = Field(pattern="^[A-Z]{6}[A-Z0-9]{2}([A-Z0-9]{3})?$", examples=["BYLADEM1001"])
    footer: Prose | None = Field(default=None, description="what stands below every page")
    footers: FootersIn | None = Field(
        default=None, description="the same by the language of the document, where it is another text"
    )
    sends_documents: bool = Field(
        default=False, description="whether invoices and credit notes issued from now on go out by mail", strict=True
    )
    country: Country | None = Field(default=None, description="where it is taxed; the outside calculator needs it")
    tax_calculator: Literal["rates", "outside"] = Field(
        default="rates", description="whether bill runs tax by the rates set here, or ask the outside tax calculator"
    )
    mail_from: Email | None = Field(
        default=None, description="the address that its mails come from, by its name; else that of the settings"
    )
    reply_to: Email | None = Field(default=None, description="the address that answers to its mails go to")
    signature: Prose | None = Field(default=None, description="what stands below its mails")
    language: Language | None = Field(
        default=None, description="in which it writes to an account whose language has no words"
    )

    @model_validator(mode="after")
    def _has_country(self) -> Self:
        if self.tax_calculator == "outside" and self.country is None:
            raise ValueError("the outside tax calculator needs the country of the legal entity")
        return self


class LegalEntityChangeIn(LegalEntityIn):
    """The data that a legal entity shall have, and why, for whoever has to agree."""

    model_config = set_model_example(
        **get_model_example(LegalEntityIn), reason="the account at the other bank is closed"
    )

    reason: Prose | None = None


class LegalEntityOut(LegalEntityIn):
    """A legal entity of ours; its version is the ETag for a change."""

    model_config = set_model_example(
        code="GS-DE",
        version=1,
        changed_by="finance",
        changed_at="2026-03-02T09:00:00Z",
        proposed_change=None,
        **get_model_example(LegalEntityIn),
    )

    code: str
    version: int
    changed_by: str
    changed_at: datetime
    proposed_change: SettingChangeOut | None

    @classmethod
    async def load_legal_entity(cls, unit: Unit, code: str) -> Self:
        """Load what is said of a legal entity, and what is proposed. Raises NotFound."""
        row = await legal_entity_queries.get_legal_entity_row(unit, code)
        proposed = await find_pending_setting_change(unit, SettingKind.LEGAL_ENTITY, code)
        return cls.model_validate(row.model_dump() | {"proposed_change": proposed})


class ListedLegalEntityOut(BaseModel):
    """A legal entity; at version 0 its code is in use and nothing is said of it yet, so it has no documents."""

    model_config = set_model_example(
        code="GS-DE",
        name="Goodstanding GmbH",
        country="DE",
        tax_calculator="rates",
        sends_documents=True,
        second_person_required=True,
        version=1,
    )

    code: str
    name: str | None
    country: str | None
    tax_calculator: Literal["rates", "outside"]
    sends_documents: bool
    second_person_required: bool
    version: int


@reads.get("", summary="List our legal entities")
async def list_legal_entities(read: Read, paging: TextPaging) -> Page[ListedLegalEntityOut]:
    """Legal entities in the order of their codes, with data or without."""
    rows = await read(lambda unit: legal_entity_queries.list_legal_entities(unit, paging.after, paging.limit + 1))
    return paging.page([ListedLegalEntityOut(**row) for row in rows], key=lambda entity: entity.code)


@reads.get("/{code}", summary="One of our legal entities", responses=ETAG)
async def get_legal_entity(code: Code, read: Read, response: Response) -> LegalEntityOut:
    """Get the facts of a legal entity for its documents, and who calculates its tax."""
    entity = await read(lambda unit: LegalEntityOut.load_legal_entity(unit, code))
    response.headers["ETag"] = f'"{entity.version}"'
    return entity


@writes.put(
    "/{code}",
    response_model=LegalEntityOut,
    summary="Say what our documents say of us",
    responses={**ETAG, **CHANGE_PROPOSED, **refusals(ChangeAlreadyProposed, ChangedMeanwhile, IfMatchMissing)},
)
async def put_legal_entity(
    code: Code,
    entity: LegalEntityChangeIn,
    response: Response,
    command: Annotated[ChangeRunner, perform_change("legal_entity.set")],
    if_match: Annotated[
        str | None, Header(max_length=40, description="the ETag of the legal entity, once it is known")
    ] = None,
) -> LegalEntityOut | Response:
    """Set the data of a legal entity: without `If-Match` for the first time, with its ETag after that.

    What says where money goes, who writes mails, and how it is taxed (bank, IBAN, BIC, `mail_from`, `reply_to`,
    `tax_id`, `country`, `tax_calculator`, and an IBAN in any other text) needs a second person (202) once it has issued
    an invoice, if it requires one.
    """
    version = None if if_match is None else parse_if_match(if_match)
    fields = entity.model_dump(mode="json", exclude={"reason"})

    async def change_legal_entity_data(unit: Unit) -> LegalEntityOut | Response:
        if version is None and await legal_entity_queries.find_legal_entity(unit, code):
            raise IfMatchMissing("send If-Match with the ETag of the legal entity")
        row = await legal_entity_changes.change_legal_entity(unit, command.caller, code, version, fields, entity.reason)
        return (
            await LegalEntityOut.load_legal_entity(unit, code)
            if is_setting_change_applied(row)
            else answer_pending_setting_change(row)
        )

    answer = await command.run(change_legal_entity_data, reason=entity.reason)
    if isinstance(answer, LegalEntityOut):
        response.headers["ETag"] = f'"{answer.version}"'
    return answer
