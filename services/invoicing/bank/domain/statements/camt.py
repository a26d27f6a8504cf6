"""ISO 20022 camt.053, bank to customer statement, of any version: only the local names of elements count.

The versions differ where a status and a party's name stand (`Sts` or `Sts/Cd`, `Dbtr/Nm` or `Dbtr/Pty/Nm`).
A document type is refused before anything that it declares is read, so there are no entities to expand.
"""

from collections.abc import Iterator
from datetime import date
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from services.invoicing.bank.domain.statements.camt_elements import find_first_xml_text
from services.invoicing.bank.domain.statements.camt_parts import split_camt_entry
from services.invoicing.bank.domain.statements.statement_entries import (
    BankStatementClosingBalance,
    BankStatementEntry,
    BankStatementEntryKeys,
    RawBankStatementEntry,
    RefusedBankStatementEntry,
    refuse_bank_statement,
)

PIECE = 64 * 1024
"""How much is read before what was found in it is handed on (bytes); no more of the tree is held than one entry."""
DEEPEST = 64
MAX_TOKEN_BYTES = 256 * 1024
"""Length of one tag or comment. Expat reads an unfinished one from its begin again with each piece: one of 60 MiB
took 42 seconds.
"""
MAX_ELEMENTS = 500_000
"""Elements of one entry, of its transactions too: 20,000 payments that a bank told as one."""
MAX_ELEMENTS_OF_FILE = 4_000_000
"""Elements of a whole document: as many as the largest file has, at 16 bytes each."""
STATUSES = {"BOOK", "PDNG", "INFO", "FUTR"}
KEPT = {"Id", "Acct", "Bal", "Ntry"}
"""The elements below a statement that are of use, each kept until it ends."""


class _Reader:
    """Builds the elements directly below `Stmt` one at a time."""

    def __init__(self) -> None:
        self.done: list[Element] = []
        self.statements = 0
        self._path: list[str] = []
        self._builder: TreeBuilder | None = None
        self._elements = 0
        self._elements_of_file = 0
        self._fed_bytes = 0
        self._parser = expat.ParserCreate(namespace_separator=" ")
        self._parser.buffer_text = True
        self._parser.StartDoctypeDeclHandler = _no_doctype
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._data

    def feed(self, piece: bytes, *, last: bool) -> list[Element]:
        """The elements that end in this piece. Raises BankStatementRefused."""
        try:
            self._parser.Parse(piece, last)
        except expat.ExpatError as error:
            refuse_bank_statement(0, "document", f"not well-formed XML ({error})")
        except (LookupError, ValueError) as error:
            refuse_bank_statement(0, "document", f"an encoding that is not known ({type(error).__name__})")
        self._fed_bytes += len(piece)
        if not last and self._fed_bytes - self._parser.CurrentByteIndex > MAX_TOKEN_BYTES:
            refuse_bank_statement(0, "document", f"a tag or comment of more than {MAX_TOKEN_BYTES} bytes")
        done, self.done = self.done, []
        return done

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        local = name.rpartition(" ")[2]
        self._path.append(local)
        if len(self._path) > DEEPEST:
            refuse_bank_statement(0, "document", "nested too deep")
        self._elements_of_file += 1
        if self._elements_of_file > MAX_ELEMENTS_OF_FILE:
            refuse_bank_statement(0, "document", f"more than {MAX_ELEMENTS_OF_FILE} elements")
        if local == "Stmt" and len(self._path) == 3:
            self.statements += 1
            self.done.append(Element("Stmt"))
        if self._builder is None and self._path[2:3] == ["Stmt"] and len(self._path) == 4 and local in KEPT:
            self._builder, self._elements = TreeBuilder(), 0
        if self._builder is not None:
            self._elements += 1
            if self._elements > MAX_ELEMENTS:
                refuse_bank_statement(0, "document", f"an entry of more than {MAX_ELEMENTS} elements")
            self._builder.start(local, attributes)

    def _end(self, name: str) -> None:
        if self._builder is not None:
            self._builder.end(name.rpartition(" ")[2])
            if len(self._path) == 4:
                self.done.append(self._builder.close())
                self._builder = None
        self._path.pop()

    def _data(self, text: str) -> None:
        if self._builder is not None:
            self._builder.data(text)


def _no_doctype(*_: object) -> None:
    refuse_bank_statement(0, "document", "has a document type (DTD), and statements have none")


def read_camt_statement(
    body: bytes,
) -> Iterator[BankStatementEntry | BankStatementClosingBalance | RefusedBankStatementEntry]:
    """The booked entries of a document in its order, and its closing balances. Raises BankStatementRefused.

    An entry without a booking date is refused by itself.
    """
    reader, keys, account = _Reader(), BankStatementEntryKeys(), ""
    for begin in range(0, max(len(body), 1), PIECE):
        for element in reader.feed(body[begin : begin + PIECE], last=begin + PIECE >= len(body)):
            if element.tag == "Stmt":
                account = ""
                keys.restart_statement_entry_count()
            elif element.tag == "Acct":
                account = find_first_xml_text(element, "Id/IBAN", "Id/Othr/Id")
            elif element.tag == "Bal":
                yield from _closing(element, account)
            elif element.tag == "Ntry" and _is_booked(element, keys.place + 1):
                if not find_first_xml_text(element, "BookgDt/Dt", "BookgDt/DtTm"):
                    yield keys.refuse_bank_statement_entry(account, "BookgDt", "missing")
                    continue
                yield from (
                    keys.build_bank_statement_entry(raw_entry)
                    for raw_entry in _read_entry(element, account, keys.place + 1)
                )
    if reader.statements == 0:
        refuse_bank_statement(0, "Stmt", "the document has no statement")


def _is_booked(entry: Element, place: int) -> bool:
    """Whether it is booked. What is not yet is left to the statement that books it."""
    status = find_first_xml_text(entry, "Sts/Cd", "Sts")
    if status not in STATUSES:
        refuse_bank_statement(place, "Sts", "none of BOOK, PDNG, INFO, FUTR")
    return status == "BOOK"


def _day(place: int, field: str, element: Element | None) -> date:
    text = "" if element is None else find_first_xml_text(element, "Dt", "DtTm")
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        refuse_bank_statement(place, field, "not a date" if text else "missing")


def _closing(balance: Element, account: str) -> Iterator[BankStatementClosingBalance]:
    if find_first_xml_text(balance, "Tp/CdOrPrtry/Cd") == "CLBD":
        if not account:
            refuse_bank_statement(0, "Acct", "the statement names no account")
        yield BankStatementClosingBalance(account, _day(0, "Bal.Dt", balance.find("Dt")))


def _read_entry(entry: Element, account: str, place: int) -> Iterator[RawBankStatementEntry]:
    """Read an entry; each transaction of a collective one by itself, where the bank tells their amounts."""
    if not account:
        refuse_bank_statement(place, "Acct", "the statement names no account")
    booked_on = _day(place, "BookgDt", entry.find("BookgDt"))
    for part in split_camt_entry(entry, place):
        yield RawBankStatementEntry(
            account=account,
            amount=part.amount,
            currency=part.currency,
            is_credit=part.is_credit,
            booked_on=booked_on,
            payer=part.payer,
            text=part.text,
            reference=part.reference,
            kind=part.kind,
            ids=part.ids,
            return_reason=part.return_reason,
            former=part.former_readings,
        )
