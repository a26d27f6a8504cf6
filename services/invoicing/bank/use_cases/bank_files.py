"""Files of bank statements while they are read."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from hashlib import sha256
from itertools import islice

import orjson

from services.invoicing.bank.domain.entry_matching import list_entry_references
from services.invoicing.bank.domain.statements import camt, tabular
from services.invoicing.bank.domain.statements.statement_entries import (
    BankStatementClosingBalance,
    BankStatementEntry,
    RefusedBankStatementEntry,
    refuse_bank_statement,
)
from services.invoicing.bank.domain.statements.tabular import BankColumnMapping
from services.invoicing.bank.repository.bank_matching_queries import IncomingBankEntry, IncomingFormerKey
from shared.pure.ids import new_id

MOST_REFUSED = 100
"""Entries that are refused by themselves; a file with more of them is refused."""
READ_TOGETHER = 500
"""So many entries are read before other requests of the process get a turn."""


@dataclass(slots=True)
class BankStatementFile:
    """A file while it is read."""

    body: bytes
    columns: BankColumnMapping | None
    closings: dict[str, date] = field(default_factory=dict)
    """The newest closing of each bank account in it."""
    refused: list[RefusedBankStatementEntry] = field(default_factory=list)
    """The entries that are left out."""
    former_keys: list[IncomingFormerKey] = field(default_factory=list)
    """The keys under which the entries that were read may be known from before."""

    @property
    def statement_content_hash(self) -> str:
        """Hash of the content: the same for the same file read by the same mapping."""
        mapping_bytes = b"" if self.columns is None else orjson.dumps(asdict(self.columns))
        return sha256(mapping_bytes + b"\n" + self.body).hexdigest()

    @property
    def complete_statement_closings(self) -> dict[str, date]:
        """The closings of those bank accounts of which every entry was taken."""
        incomplete = {entry.account for entry in self.refused}
        return {account: day for account, day in self.closings.items() if account not in incomplete}

    def _refuse(self, entry: RefusedBankStatementEntry) -> None:
        if len(self.refused) == MOST_REFUSED:
            refuse_bank_statement(entry.place, entry.field, f"{entry.message}, as of {MOST_REFUSED} entries before it")
        self.refused.append(entry)

    def _read(self) -> Iterator[BankStatementEntry | BankStatementClosingBalance | RefusedBankStatementEntry]:
        return (
            camt.read_camt_statement(self.body)
            if self.columns is None
            else tabular.read_csv_statement(self.body, self.columns)
        )

    async def read_bank_entries(self) -> AsyncIterator[IncomingBankEntry]:
        """The entries, as they come in; closings and former keys are noted. Raises BankStatementRefused.

        A thread reads them, some at a time, so that the process goes on with other requests.
        """
        reading = self._read()
        while read := await asyncio.to_thread(lambda: list(islice(reading, READ_TOGETHER))):
            for incoming in self._take_in(read):
                yield incoming

    def _take_in(
        self, read: Sequence[BankStatementEntry | BankStatementClosingBalance | RefusedBankStatementEntry]
    ) -> Iterator[IncomingBankEntry]:
        for entry in read:
            if isinstance(entry, BankStatementClosingBalance):
                self.closings[entry.account] = max(self.closings.get(entry.account, entry.day), entry.day)
                continue
            if isinstance(entry, RefusedBankStatementEntry):
                self._refuse(entry)
                continue
            self.former_keys += [
                (entry.place, entry.account, former.key, former.payer, former.text)
                for former in entry.former_keys
                if former.key != entry.key
            ]
            yield _incoming(entry)


def _incoming(entry: BankStatementEntry) -> IncomingBankEntry:
    return IncomingBankEntry(
        place=entry.place,
        id=new_id(),
        bank_account=entry.account,
        entry_key=entry.key,
        kind=entry.kind,
        is_credit=entry.is_credit,
        amount=entry.amount,
        currency=entry.currency,
        booked_on=entry.booked_on,
        payer=entry.payer,
        text=entry.text,
        reference=entry.reference,
        ids=list(entry.ids),
        return_reason=entry.return_reason,
        grams=list_entry_references(entry.text, entry.ids),
    )
