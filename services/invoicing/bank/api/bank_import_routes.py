"""Imports of bank statements: each entry of a file once."""

import asyncio
from datetime import date, datetime
from typing import Annotated, Any, Self
from uuid import UUID

from fastapi import Query, Request, Response
from pydantic import BaseModel, Field

from services.invoicing.bank.api.bank_repeat_routes import RepeatedBankEntryOut
from services.invoicing.bank.domain.statements.statement_entries import BankStatementRefused
from services.invoicing.bank.repository import bank_entry_queries, bank_knowledge_queries
from services.invoicing.bank.repository.bank_repeat_queries import list_repeated_bank_entries
from services.invoicing.bank.tables import BankImportRow
from services.invoicing.bank.use_cases import bank_booking
from shared.persistence.database import Unit
from shared.pure.errors import Refusal
from shared.pure.fields import Code, set_model_example
from shared.web.auth import needs
from shared.web.commands import CommandRunner, perform_upload
from shared.web.http import PROBLEMS, Read, Router, accept_larger_body, describe_problem, receive_whole_body, refusals

reads = Router(prefix="/v1/bank-imports", tags=["bank"], dependencies=[needs("invoicing:read")], responses=PROBLEMS)
writes = Router(
    prefix="/v1/bank-imports", tags=["bank"], dependencies=[needs("invoicing:payments")], responses=PROBLEMS
)

MOST_REPEATS = 50
LARGEST = 64 * 1024 * 1024
"""Bytes of one file, about 60,000 entries of camt.053."""


class UnsupportedStatementType(Refusal):
    """A statement is camt.053 as application/xml, or CSV as text/csv. Octets with a mapping are CSV."""

    code = "unsupported_media_type"
    status = 415


class RefusedBankEntryOut(BaseModel):
    """An entry that was left out of an import, and why."""

    model_config = set_model_example(place=7, bank_account="DE02120300000000202051", field="BookgDt", message="missing")

    place: int = Field(description="in the file, from 1")
    bank_account: str
    field: str
    message: str


class ImportOut(BaseModel):
    """An imported file; `entries` by outcome at the import, `states` as they are now."""

    model_config = set_model_example(
        id="01a20d70-1c0e-7b3f-8a55-2f64d1f0a9b7",
        format="camt.053",
        closing_date="2026-03-30",
        imported_at="2026-03-31T06:00:00Z",
        known_until="2026-03-31T00:00:00Z",
        repeated=False,
        entries={"certain": 41, "unmatched": 3, "kept": 2, "repeated": 0},
        states={"booked": 41, "ignored": 1, "kept": 2, "unmatched": 2},
        refused=[{"place": 7, "bank_account": "DE02120300000000202051", "field": "BookgDt", "message": "missing"}],
        repeats=[],
    )

    id: UUID
    format: str
    closing_date: date | None = Field(description="of the newest statement in it")
    imported_at: datetime
    known_until: datetime | None = Field(description="now: the payments into all our bank accounts are known")
    repeated: bool = Field(description="this very file was imported before: nothing was changed")
    entries: dict[str, int] = Field(description="certain, unmatched, kept; repeated ones were taken before")
    states: dict[str, int]
    refused: list[RefusedBankEntryOut] = Field(
        description="entries that were left out; the payments into their bank account are known no longer than before"
    )
    repeats: list[RepeatedBankEntryOut] = Field(
        description=f"the first {MOST_REPEATS} entries that repeat another one; `GET /v1/bank-repeats` lists them all"
    )

    @classmethod
    async def from_bank_import_row(cls, unit: Unit, row: BankImportRow, *, repeated: bool = False) -> Self:
        """The answer for a row."""
        fields: dict[str, Any] = {
            "entries": bank_booking.count_imported_bank_entries(row),
            "states": await bank_entry_queries.count_bank_entry_states(unit, row.id),
        }
        now = {"repeated": repeated, "known_until": await bank_knowledge_queries.find_payments_known_until(unit)}
        fields["refused"] = [
            entry.model_dump() for entry in await bank_entry_queries.list_refused_bank_entries(unit, row.id)
        ]
        fields["repeats"] = [
            RepeatedBankEntryOut.from_repeated_bank_entry(repeat)
            for repeat in await list_repeated_bank_entries(unit, row.id, None, MOST_REPEATS)
        ]
        return cls.model_validate(row.model_dump() | fields | now)


CAMT = (
    '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt><Stmt><Id>112</Id>'
    "<Acct><Id><IBAN>DE02120300000000202051</IBAN></Id></Acct>"
    '<Ntry><Amt Ccy="EUR">252.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>'
    "<BookgDt><Dt>2026-03-30</Dt></BookgDt><AcctSvcrRef>2026033000017</AcctSvcrRef>"
    "<NtryDtls><TxDtls><RltdPties><Dbtr><Pty><Nm>Example Trading GmbH</Nm></Pty></Dbtr></RltdPties>"
    "<RmtInf><Ustrd>GS-DE-00000001</Ustrd></RmtInf></TxDtls></NtryDtls></Ntry></Stmt></BkToCstmrStmt></Document>"
)
CSV = (
    "Buchungstag;Betrag;Währung;Name Zahlungsbeteiligter;Verwendungszweck\n"
    "30.03.2026;252,00;EUR;Example Trading GmbH;GS-DE-00000001\n"
)
FILE: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/xml": {"schema": {"type": "string"}, "example": CAMT},
            "text/csv": {"schema": {"type": "string"}, "example": CSV},
            "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
        },
    }
}
UNSUPPORTED = describe_problem(415, "unsupported_media_type", "neither XML nor CSV", "send application/xml or text/csv")


@writes.post(
    "",
    status_code=201,
    response_model=ImportOut,
    summary="Import a bank statement",
    responses={415: UNSUPPORTED, **refusals(BankStatementRefused)},
    dependencies=[accept_larger_body(LARGEST, is_streamed=True)],
    openapi_extra=FILE,
)
async def import_statement(
    request: Request,
    command: Annotated[CommandRunner, perform_upload("bank_statement.import")],
    mapping: Annotated[Code | None, Query(description="for text/csv: what its columns mean")] = None,
) -> Response:
    """Take each entry of a file once, camt.053 or CSV: what is certain is booked, the rest waits for a person.

    A file that cannot be read is refused wholly, with the entry and the field; an entry of camt.053 without a booking
    date alone. Announces `BankStatementImported`.
    """
    _check(request.headers.get("content-type", ""), mapping)
    body, actor = await receive_whole_body(request), command.caller.subject

    async def import_uploaded_statement(unit: Unit) -> ImportOut:
        row, repeated = await bank_booking.import_bank_statement(unit, body, mapping, actor)
        return await ImportOut.from_bank_import_row(unit, row, repeated=repeated)

    await asyncio.to_thread(command.bind_content, body)
    return await command.run(import_uploaded_statement)


def _check(content_type: str, mapping: str | None) -> None:
    kind = content_type.partition(";")[0].strip().lower()
    if kind not in ("application/xml", "text/xml", "text/csv", "application/octet-stream"):
        raise UnsupportedStatementType("send application/xml, text/csv or application/octet-stream")
    if kind != "application/octet-stream" and (kind == "text/csv") != (mapping is not None):
        raise BankStatementRefused("mapping: CSV needs one, and XML has none")


@reads.get("/latest", name="get_latest_bank_import", summary="How fresh our knowledge of payments is")
async def latest_import(read: Read) -> ImportOut:
    """The newest import and what became of its entries; and until when the payments into all accounts are known."""

    async def load_latest_import(unit: Unit) -> ImportOut:
        return await ImportOut.from_bank_import_row(unit, await bank_entry_queries.get_latest_bank_import(unit))

    return await read(load_latest_import)
