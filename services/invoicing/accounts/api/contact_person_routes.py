"""Contact persons of accounts over REST, and whom to write to."""

from datetime import date, datetime
from typing import Annotated, Self
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import Header, Query, Response
from pydantic import BaseModel, Field

from services.invoicing.accounts.api.account_routes import Language
from services.invoicing.accounts.domain.contact_person import (
    DEFAULT_ROLE,
    ContactChannel,
    ContactPersonErased,
    ContactPersonRefused,
    ContactRole,
)
from services.invoicing.accounts.repository import account_queries
from services.invoicing.accounts.repository.contact_person_queries import (
    find_addressee,
    get_contact_person,
    list_contact_persons,
)
from services.invoicing.accounts.tables.account_tables import AccountRow
from services.invoicing.accounts.tables.contact_person_tables import ContactPersonRow
from services.invoicing.accounts.use_cases import contact_person_changes
from shared.persistence.database import Unit
from shared.pure.calendar import get_local_date
from shared.pure.fields import NEEDED, Day, Email, Name, ReasonIn, RequestBody, get_model_example, set_model_example
from shared.web.auth import needs
from shared.web.commands import ChangeRunner, CommandRunner, perform_change, perform_command
from shared.web.http import ETAG, PROBLEMS, Page, Paging, Read, Router, refusals
from shared.web.merge_patches import create_patch_model, merge_patch
from shared.web.versions import ChangedMeanwhile, IfMatchMissing, build_etag, parse_if_match

PREFIX, TAGS = "/v1/accounts/{account_id}", ["contact persons"]
reads = Router(prefix=PREFIX, tags=TAGS, dependencies=[needs("invoicing:read")], responses=PROBLEMS)
writes = Router(prefix=PREFIX, tags=TAGS, dependencies=[needs("invoicing:sales")], responses=PROBLEMS)

Phone = Annotated[str, Field(pattern=r"^\+?[0-9][0-9 ()/.-]{2,38}$", examples=["+49 30 1234567"])]
"""A telephone number as people write it."""


class ContactPersonIn(RequestBody):
    """A person at a customer: in which role, how they are reached, and from when until when."""

    model_config = set_model_example(
        role="technical",
        name="Ines Alpenrose",
        email="ines@alpenrose.example",
        phone="+49 89 1234567",
        language="de",
        channel="email",
        valid_from="2026-03-02",
        valid_to=None,
    )

    role: ContactRole
    name: Name
    email: Email
    phone: Phone | None = None
    language: Language = Field(default="en", description="in which they are written to")
    channel: ContactChannel = Field(default="email", description="how they want to be reached")
    valid_from: Day = Field(description="the first day on which they are asked, in the account's time zone")
    valid_to: Day | None = Field(
        default=None, description="the first day on which they are not asked any more; null while that is open"
    )


class ContactPersonPatch(create_patch_model(ContactPersonIn)):  # type: ignore[misc]
    """A merge patch: what is left out stays as it is; null empties the phone and the end of the validity."""

    model_config = set_model_example(phone=None, channel="email")


class ContactPersonEndIn(RequestBody):
    """From when on a contact person is not asked any more."""

    model_config = set_model_example(valid_to="2026-04-01")

    valid_to: Day = Field(description="the first day on which they are not asked any more")


class ContactPersonOut(BaseModel):
    """A contact person; what names them is null once they were erased. The version is the ETag for a change."""

    model_config = set_model_example(
        id="01a20d60-7458-729b-b244-54f33ab0c1d3",
        account_id="01a20d60-7458-729b-b244-54f33ab0c1d2",
        **get_model_example(ContactPersonIn),
        version=1,
        erased_at=None,
    )

    id: UUID
    account_id: UUID
    role: ContactRole
    name: str | None
    email: str | None
    phone: str | None
    language: str
    channel: ContactChannel
    valid_from: date
    valid_to: date | None
    version: int
    erased_at: datetime | None

    @classmethod
    def from_contact_person_row(cls, row: ContactPersonRow) -> Self:
        """Build the answer for a row."""
        return cls.model_validate(row.model_dump())


class AddresseeOut(BaseModel):
    """Whom to write to; asked for at the time of writing, and nothing but the id kept elsewhere."""

    model_config = set_model_example(
        account_id="01a20d60-7458-729b-b244-54f33ab0c1d2",
        contact_person_id="01a20d60-7458-729b-b244-54f33ab0c1d3",
        role="technical",
        name="Ines Alpenrose",
        email="ines@alpenrose.example",
        phone="+49 89 1234567",
        language="de",
        channel="email",
    )

    account_id: UUID
    contact_person_id: UUID | None = Field(description="null where it is the account itself, at its billing address")
    role: ContactRole = Field(description="the role that was asked for, or billing where nobody has it")
    name: str
    email: str
    phone: str | None
    language: str
    channel: ContactChannel

    @classmethod
    def from_contact_person_row(cls, row: ContactPersonRow) -> Self:
        """Build the answer for a contact person."""
        return cls.model_validate(row.model_dump() | {"contact_person_id": row.id})

    @classmethod
    def from_account_row(cls, row: AccountRow) -> Self:
        """Build the answer for an account that has no contact person in either role."""
        return cls(
            account_id=row.id,
            contact_person_id=None,
            role=DEFAULT_ROLE,
            name=row.name,
            email=row.billing_email,
            phone=None,
            language=row.language,
            channel="email",
        )


@reads.get("/addressee", summary="Whom to write to in a role")
async def get_addressee(
    account_id: UUID, read: Read, role: Annotated[ContactRole, Query()] = "billing"
) -> AddresseeOut:
    """The contact person of a role who is valid today, else that of billing, else the account's billing address."""

    async def load_addressee(unit: Unit) -> AddresseeOut:
        account = await account_queries.get_account(unit, account_id)
        today = get_local_date(unit.now, ZoneInfo(account.time_zone))
        row = await find_addressee(unit, account_id, role, today)
        return AddresseeOut.from_account_row(account) if row is None else AddresseeOut.from_contact_person_row(row)

    return await read(load_addressee)


@reads.get("/contact-persons", name="list_contact_persons", summary="List the contact persons of an account")
async def list_persons_of_account(
    account_id: UUID,
    read: Read,
    paging: Paging,
    role: Annotated[ContactRole | None, Query()] = None,
    valid_on: Annotated[Day | None, Query(description="those who are asked on this day")] = None,
) -> Page[ContactPersonOut]:
    """Contact persons in the order of their ids, also those who are asked no more."""

    async def load_contact_persons(unit: Unit) -> list[ContactPersonOut]:
        await account_queries.get_account(unit, account_id)
        rows = await list_contact_persons(unit, account_id, role, valid_on, paging.get_last_id(), paging.limit + 1)
        return [ContactPersonOut.model_validate(dict(row)) for row in rows]

    return paging.page(await read(load_contact_persons), key=lambda person: person.id)


@writes.post(
    "/contact-persons",
    status_code=201,
    response_model=ContactPersonOut,
    summary="Add a contact person",
    responses=refusals(ContactPersonRefused),
)
async def add_contact_person(
    account_id: UUID,
    person: ContactPersonIn,
    command: Annotated[CommandRunner, perform_command("contact_person.add")],
) -> Response:
    """Add a contact person to an account."""

    async def add_person_to_account(unit: Unit) -> ContactPersonOut:
        fields = person.model_dump()
        return ContactPersonOut.from_contact_person_row(
            await contact_person_changes.add_contact_person(unit, account_id, fields)
        )

    return await command.run(add_person_to_account, subject=account_id)


@reads.get(
    "/contact-persons/{contact_person_id}", name="get_contact_person", summary="One contact person", responses=ETAG
)
async def get_one_contact_person(
    account_id: UUID, contact_person_id: UUID, read: Read, response: Response
) -> ContactPersonOut:
    """The contact person as they are now."""
    row = await read(lambda unit: get_contact_person(unit, account_id, contact_person_id))
    response.headers["ETag"] = build_etag(row.version)
    return ContactPersonOut.from_contact_person_row(row)


@writes.patch(
    "/contact-persons/{contact_person_id}",
    summary="Change a contact person",
    responses={**ETAG, **refusals(ChangedMeanwhile, IfMatchMissing, ContactPersonErased, ContactPersonRefused)},
)
async def change_contact_person(
    account_id: UUID,
    contact_person_id: UUID,
    patch: ContactPersonPatch,
    response: Response,
    command: Annotated[ChangeRunner, perform_change("contact_person.change")],
    if_match: Annotated[
        str | None, Header(max_length=40, description="the ETag of the contact person", json_schema_extra=NEEDED)
    ] = None,
) -> ContactPersonOut:
    """Change what the patch names and leave the rest (RFC 7396).

    As `application/json` or `application/merge-patch+json`.
    """
    version, fields = parse_if_match(if_match), merge_patch(ContactPersonIn, patch)
    change = contact_person_changes.change_contact_person
    row = await command.run(lambda unit: change(unit, account_id, contact_person_id, version, fields))
    response.headers["ETag"] = build_etag(row.version)
    return ContactPersonOut.from_contact_person_row(row)


@writes.post(
    "/contact-persons/{contact_person_id}:end",
    response_model=ContactPersonOut,
    summary="Ask a contact person no more from a day on",
    responses=refusals(ContactPersonErased, ContactPersonRefused),
)
async def end_contact_person(
    account_id: UUID,
    contact_person_id: UUID,
    end: ContactPersonEndIn,
    command: Annotated[CommandRunner, perform_command("contact_person.end")],
) -> Response:
    """End the validity of a contact person, in the place of a former end."""

    async def end_contact_validity(unit: Unit) -> ContactPersonOut:
        row = await contact_person_changes.end_contact_person(unit, account_id, contact_person_id, end.valid_to)
        return ContactPersonOut.from_contact_person_row(row)

    return await command.run(end_contact_validity, status=200, subject=account_id)


@writes.post(
    "/contact-persons/{contact_person_id}:erase",
    response_model=ContactPersonOut,
    summary="Erase what names a contact person",
)
async def erase_contact_person(
    account_id: UUID,
    contact_person_id: UUID,
    erasure: ReasonIn,
    command: Annotated[CommandRunner, perform_command("contact_person.erase")],
) -> Response:
    """Empty name, address and telephone number for good, in the audit too; the id stays, and names nobody."""

    async def erase_contact_data(unit: Unit) -> ContactPersonOut:
        return ContactPersonOut.from_contact_person_row(
            await contact_person_changes.erase_contact_person(unit, account_id, contact_person_id)
        )

    return await command.run(erase_contact_data, status=200, reason=erasure.reason, subject=account_id)
