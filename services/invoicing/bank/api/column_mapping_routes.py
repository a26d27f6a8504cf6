"""Mappings: what the columns of a bank's CSV mean."""

import re
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from services.invoicing.bank.domain.statements.tabular import BankColumnMapping
from services.invoicing.bank.repository import bank_entry_queries
from services.invoicing.bank.use_cases import bank_booking, column_mappings
from shared.persistence.database import Unit
from shared.pure.fields import Code, Name, RequestBody, get_model_example, set_model_example
from shared.pure.money import Currency
from shared.web.auth import needs
from shared.web.commands import ChangeRunner, perform_change
from shared.web.http import PROBLEMS, Read, Router

reads = Router(prefix="/v1/bank-mappings", tags=["bank"], dependencies=[needs("invoicing:read")], responses=PROBLEMS)
writes = Router(
    prefix="/v1/bank-mappings", tags=["bank"], dependencies=[needs("invoicing:payments")], responses=PROBLEMS
)


def _whole_date(written: str) -> str:
    if sorted(re.findall("%(.)", written.lower())) != ["d", "m", "y"]:
        raise ValueError("a day, a month and a year, each once")
    return written


DateFormat = Annotated[
    str, StringConstraints(pattern=r"^(%[dmYy]|[-./ ])+$", max_length=20), AfterValidator(_whole_date)
]
"""How a bank writes dates, in the directives of C's `strptime`."""


class MappingIn(RequestBody):
    """Names of the columns of a bank's CSV, and how it writes numbers and dates."""

    model_config = set_model_example(
        bank_account="DE02120300000000202051",
        booked_on="Buchungstag",
        amount="Betrag",
        currency="Währung",
        sign=None,
        payer="Name Zahlungsbeteiligter",
        text=["Verwendungszweck"],
        entry_id=None,
        decimal_separator=",",
        date_format="%d.%m.%Y",
        delimiter=";",
        encoding="utf-8",
    )

    bank_account: Code = Field(description="the account of ours that the files are about")
    booked_on: Name
    amount: Name
    currency: Name | None = None
    fixed_currency: Currency | None = Field(default=None, description="where no column says it")
    sign: Name | None = Field(default=None, description="without it, the sign of the amount")
    credit_signs: list[Name] = Field(default=[], max_length=20, description="what `sign` says when money came in")
    debit_signs: list[Name] = Field(default=[], max_length=20)
    payer: Name | None = None
    text: list[Name] = Field(min_length=1, max_length=20, description="the columns with the reference text")
    entry_id: Name | None = Field(default=None, description="by which the bank tells entries apart, if it does")
    decimal_separator: Literal[",", "."] = "."
    date_format: DateFormat = Field(default="%Y-%m-%d", examples=["%d.%m.%Y"])
    delimiter: Literal[",", ";", "\t", "|"] = ","
    encoding: Literal["utf-8", "iso-8859-1", "iso-8859-15", "windows-1252"] = "utf-8"

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if (self.currency is None) == (self.fixed_currency is None):
            raise ValueError("either currency or fixed_currency")
        if self.sign is not None and not (self.credit_signs and self.debit_signs):
            raise ValueError("sign needs credit_signs and debit_signs")
        return self

    def build_bank_column_mapping(self) -> BankColumnMapping:
        """Mapping of the columns."""
        return bank_booking.COLUMNS.validate_python(self.model_dump())


class MappingOut(MappingIn):
    """A mapping as it is kept."""

    model_config = set_model_example(
        name="sparkasse",
        **{**get_model_example(MappingIn), "fixed_currency": None, "credit_signs": [], "debit_signs": []},
    )

    name: str

    @classmethod
    async def load_bank_column_mapping(cls, unit: Unit, name: str) -> Self:
        """The mapping of this name."""
        return cls.model_validate(
            {"name": name, **(await bank_entry_queries.get_column_mapping_row(unit, name)).columns}
        )


@writes.put("/{name}", summary="Say what the columns of a bank's CSV mean")
async def put_bank_mapping(
    name: Code, mapping: MappingIn, command: Annotated[ChangeRunner, perform_change("bank_mapping.set")]
) -> MappingOut:
    """Keep a mapping, in the place of a former one of this name."""

    async def put_column_mapping(unit: Unit) -> MappingOut:
        await column_mappings.replace_bank_column_mapping(
            unit, name, mapping.build_bank_column_mapping(), command.caller.subject
        )
        return await MappingOut.load_bank_column_mapping(unit, name)

    return await command.run(put_column_mapping)


@reads.get("/{name}", summary="One mapping")
async def get_bank_mapping(name: Code, read: Read) -> MappingOut:
    """Get the meaning of the columns of a bank's CSV."""
    return await read(lambda unit: MappingOut.load_bank_column_mapping(unit, name))
