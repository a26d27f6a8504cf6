"""Files of bank statements while they are read."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import asdict, dataclass, field
from datetime import date
from hashlib import sha256

import orjson

from services.invoicing.domain.matching import lookup_numbers
from services.invoicing.domain.statements import Closing, Entry, camt, tabular
from services.invoicing.domain.statements.tabular import Columns
from services.invoicing.repository.incoming import Incoming, IncomingFormerKey
from shared.ids import new_id

BREATHER = 500
"""After so many entries other requests of the process get a turn."""


@dataclass(slots=True)
class BankFile:
    """A file while it is read."""

    body: bytes
    columns: Columns | None
    closings: dict[str, date] = field(default_factory=dict)
    """The newest closing of each bank account in it."""
    former_keys: list[IncomingFormerKey] = field(default_factory=list)
    """Of the entries that were read."""

    @property
    def hash(self) -> str:
        """The same for the same file read by the same mapping."""
        told = b"" if self.columns is None else orjson.dumps(asdict(self.columns))
        return sha256(told + b"\n" + self.body).hexdigest()

    def _read(self) -> Iterator[Entry | Closing]:
        return camt.read(self.body) if self.columns is None else tabular.read(self.body, self.columns)

    async def entries(self) -> AsyncIterator[Incoming]:
        """The entries, as they come in; closings and former keys are noted. Raises StatementRefused."""
        for one in self._read():
            if isinstance(one, Closing):
                self.closings[one.account] = max(self.closings.get(one.account, one.day), one.day)
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
