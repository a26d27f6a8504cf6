"""The rows of the schema `escalation`."""

from services.escalation.tables.base import METADATA
from services.escalation.tables.cases import CASE_WORDS, ENTRY_WORDS, CaseLinkRow, CaseRow, EntryRow
from services.escalation.tables.copies import AccountRow, InvoiceRow
from services.escalation.tables.disputes import DisputeRow

__all__ = [
    "CASE_WORDS",
    "ENTRY_WORDS",
    "METADATA",
    "AccountRow",
    "CaseLinkRow",
    "CaseRow",
    "DisputeRow",
    "EntryRow",
    "InvoiceRow",
]
