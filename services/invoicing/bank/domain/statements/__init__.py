"""Bank statements as banks give them out: camt.053 and CSV in, entries out, one by one.

statement_entries  an entry, and by what it is known again
camt               ISO 20022 camt.053; camt_parts: the payments of an entry, camt_former: as they were read at first
tabular            CSV, by a mapping that says what its columns mean
"""

from services.invoicing.bank.domain.statements.statement_entries import (
    BankEntryKind,
    BankStatementClosingBalance,
    BankStatementEntry,
    BankStatementRefused,
    RefusedBankStatementEntry,
)

__all__ = [
    "BankEntryKind",
    "BankStatementClosingBalance",
    "BankStatementEntry",
    "BankStatementRefused",
    "RefusedBankStatementEntry",
]
