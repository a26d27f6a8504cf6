"""Files of bank statements while they are read."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import asdict, dataclass, field
from datetime import date
from hashlib import sha256

import orjson

from services.invoicing.domain.matching import lookup_numbers
from services.invoicing.domain.statements import Closing, Entry, RefusedEntry, camt, tabular
from services.invoicing.domain.statements.entries import refuse
from services.invoicing.domain.statements.tabular import Columns
from services.invoicing.repository.incoming import Incoming, IncomingFormerKey
from shared.ids import new_id

MOST_REFUSED = 100
"""Entries that are refused by themselves; a file with more of them is refused."""
BREATHER = 500
"""After so many entries other requests of the process get a turn."""


@dataclass(slots=True)
class BankFile:
    """A file while it is read."""

    body: bytes
    columns: Columns | None
    closings: dict[str, date] = field(default_factory=dict)
    """The newest closing of each bank account in it."""
    refused: list[RefusedEntry] = field(default_factory=list)
    """The entries that are left out."""
    former_keys: list[IncomingFormerKey] = field(default_factory=list)
    """Of the entries that were read."""

    @property
    def hash(self) -> str:
        """The same for the same file read by the same mapping."""
        told = b"" if self.columns is None else orjson.dumps(asdict(self.columns))
        return sha256(told + b"\n" + self.body).hexdigest()

    @property
    def complete_closings(self) -> dict[str, date]:
        """The closings of those bank accounts of which every entry was taken."""
        incomplete = {entry.account for entry in self.refused}
        return {account: day for account, day in self.closings.items() if account not in incomplete}

    def _refuse(self, entry: RefusedEntry) -> None:
        if len(self.refused) == MOST_REFUSED:
            refuse(entry.place, entry.field, f"{entry.message}, as of {MOST_REFUSED} entries before it")
        self.refused.append(entry)

    def _read(self) -> Iterator[Entry | Closing | RefusedEntry]:
        return camt.read(self.body) if self.columns is None else tabular.read(self.body, self.columns)

    async def entries(self) -> AsyncIterator[Incoming]:
        """The entries, as they come in; closings and former keys are noted. Raises StatementRefused."""
        for one in self._read():
            if isinstance(one, Closing):
                self.closings[one.account] = max(self.closings.get(one.account, one.day), one.day)
                continue
            if isinstance(one, RefusedEntry):
                self._refuse(one)
                continue
            if one.place % BREATHER == 0:
                await asyncio.sleep(0)
            self.former_keys += [
                (one.place, one.account, former.key, former.payer, former.text)
                for former in one.former_keys
                if former.key != one.key
            ]
            yield _incoming(one)


def _incoming(one: Entry) -> Incoming:
    return Incoming(
        place=one.place,
        id=new_id(),
        bank_account=one.account,
        entry_key=one.key,
        kind=one.kind,
        is_credit=one.is_credit,
        amount=one.amount,
        currency=one.currency,
        booked_on=one.booked_on,
        payer=one.payer,
        text=one.text,
        reference=one.reference,
        ids=list(one.ids),
        return_reason=one.return_reason,
        grams=lookup_numbers(one.text, one.ids),
    )
