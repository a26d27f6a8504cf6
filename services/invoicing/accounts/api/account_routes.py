"""Accounts over REST."""

from typing import Annotated, Self
from uuid import UUID

from babel import Locale, UnknownLocaleError
from fastapi import Depends, Header, Query, Response
from pydantic import AfterValidator, BaseModel, Field

from services.invoicing.accounts.repository import account_queries, legal_entity_queries
from services.invoicing.accounts.repository.account_search import AccountSearchCriteria, search_accounts
from services.invoicing.accounts.repository.legal_entity_queries import UnknownLegalEntity
from services.invoicing.accounts.tables.account_tables import AccountRow
from services.invoicing.accounts.use_cases import account_registration
from services.invoicing.accounts.use_cases.account_registration import ExternalReferenceTaken
from shared.events.values import TaxStatus
from shared.persistence.database import Unit
from shared.pure.addresses import is_mail_address, parse_mail_address
from shared.pure.fields import NEEDED, Code, Country, Email, Name, RequestBody, Zone, set_model_example
from shared.pure.languages import LANGUAGES, LOCALE_PATTERN
from shared.pure.money import Currency
from shared.web.auth import needs
from shared.web.commands import ChangeRunner, CommandRunner, perform_change, perform_command
from shared.web.http import ETAG, PROBLEMS, Page, Paging, Read, Router, refusals
from shared.web.merge_patches import create_patch_model, merge_patch
from shared.web.versions import ChangedMeanwhile, IfMatchMissing, parse_if_match

reads = Router(prefix="/v1/accounts", tags=["accounts"], dependencies=[needs("invoicing:read")], responses=PROBLEMS)
writes = Router(prefix="/v1/accounts", tags=["accounts"], dependencies=[needs("invoicing:sales")], responses=PROBLEMS)


def _with_words(tag: str) -> str:
    try:
        Locale.parse(tag, sep="-")
    except (UnknownLocaleError, ValueError) as error:
        raise ValueError(f"not a locale of {', '.join(LANGUAGES)}") from error
    return tag


Language = Annotated[str, Field(pattern=LOCALE_PATTERN, examples=["de-CH"]), AfterValidator(_with_words)]
"""A language that documents have words for, or a locale of it, by which numbers and dates are written."""


class AccountMasterData(RequestBody):
    """Fields of an account that may change."""

    name: Name = Field(examples=["Account 17"])
    billing_email: Email = Field(examples=["billing@account-17.example"])
    terms_days: int = Field(ge=0, le=365, examples=[30], strict=True)
    vendor_customer_ids: list[Code] = Field(default=[], max_length=100)
    country: Country | None = Field(default=None, description="where it is taxed; needed before it can be billed")
    tax_status: TaxStatus = "standard"
    tax_id: Code | None = Field(default=None, examples=["DE123456789"])
    language: Language = Field(default="en", description="of its documents")
    address: list[Name] = Field(default=[], max_length=6, description="lines of the postal address, on its documents")
    support_level: Code = Field(default="standard", description="by which its questions are answered in time")


class AccountPatch(create_patch_model(AccountMasterData)):  # type: ignore[misc]
    """A merge patch: what is left out stays as it is; null empties the country, the tax id and lists."""

    model_config = set_model_example(billing_email="payables@alpenrose.example", terms_days=30, tax_id=None)


class AccountIn(AccountMasterData):
    """A billing customer to be registered."""

    model_config = set_model_example(
        name="Alpenrose Hotels",
        billing_email="billing@alpenrose.example",
        terms_days=14,
        vendor_customer_ids=["tenant-4711"],
        country="DE",
        tax_id="DE123456789",
        language="de",
        address=["Hauptstraße 5", "80331 München"],
        support_level="standard",
        legal_entity="GS-DE",
        currency="EUR",
        time_zone="Europe/Berlin",
        external_reference="crm-4711",
    )

    legal_entity: Code = Field(examples=["GS-DE"], description="which of our legal entities bills it; it exists")
    currency: Currency
    time_zone: Zone
    external_reference: Code | None = Field(default=None, examples=["crm-4711"])


class AccountOut(BaseModel):
    """A billing customer."""

    model_config = set_model_example(
        id="01a20d60-7458-729b-b244-54f33ab0c1d2",
        name="Alpenrose Hotels",
        legal_entity="GS-DE",
        currency="EUR",
        time_zone="Europe/Berlin",
        billing_email="billing@alpenrose.example",
        terms_days=14,
        external_reference="crm-4711",
        vendor_customer_ids=["tenant-4711"],
        country="DE",
        tax_status="standard",
        tax_id="DE123456789",
        language="de",
        address=["Hauptstraße 5", "80331 München"],
        support_level="standard",
        version=1,
    )

    id: UUID
    name: str
    legal_entity: str
    currency: str
    time_zone: str
    billing_email: str
    terms_days: int
    external_reference: str | None
    vendor_customer_ids: list[str]
    country: str | None
    tax_status: str
    tax_id: str | None
    language: str
    address: list[str]
    support_level: str
    version: int

    @classmethod
    def from_account_row(cls, row: AccountRow) -> Self:
        """The answer for a row."""
        return cls.model_validate(row.model_dump() | {"address": row.address or []})


class BillingContactOut(BaseModel):
    """Whom to write to; asked for at the time of writing, never kept elsewhere."""

    model_config = set_model_example(
        account_id="01a20d60-7458-729b-b244-54f33ab0c1d2",
        name="Alpenrose Hotels",
        billing_email="billing@alpenrose.example",
    )

    account_id: UUID
    name: str
    billing_email: str


@writes.post(
    "",
    status_code=201,
    response_model=AccountOut,
    summary="Register an account",
    responses=refusals(ExternalReferenceTaken, UnknownLegalEntity),
)
async def register_account(
    account: AccountIn, command: Annotated[CommandRunner, perform_command("account.register")]
) -> Response:
    """Register a billing customer; announces `AccountRegistered`."""

    async def register_and_show_account(unit: Unit) -> AccountOut:
        return AccountOut.from_account_row(await account_registration.register_account(unit, account.model_dump()))

    return await command.run(register_and_show_account)


async def _read_criteria(
    name: Annotated[Name | None, Query(description="how it begins, whatever the case")] = None,
    email: Annotated[Name | None, Query(description="the billing address, whatever the case")] = None,
    external_reference: Annotated[Code | None, Query()] = None,
    vendor_customer_id: Annotated[Code | None, Query()] = None,
    legal_entity: Annotated[Code | None, Query()] = None,
) -> AccountSearchCriteria:
    address = parse_mail_address(email) if email and is_mail_address(email) else email
    return AccountSearchCriteria(name, address, external_reference, vendor_customer_id, legal_entity)


@reads.get("", summary="List accounts", responses=refusals(UnknownLegalEntity))
async def list_accounts(
    read: Read, paging: Paging, criteria: Annotated[AccountSearchCriteria, Depends(_read_criteria)]
) -> Page[AccountOut]:
    """Accounts in the order of their ids, all or those that are asked for."""

    async def load_account_page(unit: Unit) -> list[AccountOut]:
        await legal_entity_queries.check_listed_legal_entity(unit, criteria.legal_entity)
        rows = await search_accounts(unit, criteria, paging.get_last_id(), paging.limit + 1)
        return [AccountOut.from_account_row(row) for row in rows]

    return paging.page(await read(load_account_page), key=lambda row: row.id)


@reads.get("/{account_id}", summary="One account", responses=ETAG)
async def get_account(account_id: UUID, read: Read, response: Response) -> AccountOut:
    """The account; its version is the ETag for a change."""
    row = await read(lambda unit: account_queries.get_account(unit, account_id))
    response.headers["ETag"] = f'"{row.version}"'
    return AccountOut.from_account_row(row)


@reads.get("/{account_id}/contact", summary="Whom to write to")
async def get_billing_contact(account_id: UUID, read: Read) -> BillingContactOut:
    """The billing contact of an account."""
    row = await read(lambda unit: account_queries.get_account(unit, account_id))
    return BillingContactOut(account_id=row.id, name=row.name, billing_email=row.billing_email)


@writes.patch(
    "/{account_id}", summary="Change an account", responses={**ETAG, **refusals(ChangedMeanwhile, IfMatchMissing)}
)
async def change_account(
    account_id: UUID,
    patch: AccountPatch,
    response: Response,
    command: Annotated[ChangeRunner, perform_change("account.change")],
    if_match: Annotated[
        str | None, Header(max_length=40, description="the ETag of the account", json_schema_extra=NEEDED)
    ] = None,
) -> AccountOut:
    """Change what the patch names and leave the rest (RFC 7396); announces `AccountChanged` if anything differs.

    As `application/json` or `application/merge-patch+json`.
    """
    version, fields = parse_if_match(if_match), merge_patch(AccountMasterData, patch)
    row = await command.run(lambda unit: account_registration.change_account(unit, account_id, version, fields))
    response.headers["ETag"] = f'"{row.version}"'
    return AccountOut.from_account_row(row)
