"""The rows of the schema `escalation`."""

from services.escalation.tables.attachments import AttachmentChunkRow, AttachmentRow
from services.escalation.tables.base import METADATA
from services.escalation.tables.cases import CaseLinkRow, CaseRow, CaseWordsRow, EntryRow
from services.escalation.tables.clocks import CaseClockRow, MovedCalendarRow, ResponseTargetRow
from services.escalation.tables.copies import AccountRow, CalendarRow, InvoiceRow
from services.escalation.tables.disputes import DisputeRow
from services.escalation.tables.mails import CaseAddressRow, CaseMailRow, InboundMailRow
from services.escalation.tables.resources import RESOURCE_WORDS, TEXT_SEARCH, ResourceUseRow, SupportResourceRow

__all__ = [
    "METADATA",
    "RESOURCE_WORDS",
    "TEXT_SEARCH",
    "AccountRow",
    "AttachmentChunkRow",
    "AttachmentRow",
    "CalendarRow",
    "CaseAddressRow",
    "CaseClockRow",
    "CaseLinkRow",
    "CaseMailRow",
    "CaseRow",
    "CaseWordsRow",
    "DisputeRow",
    "EntryRow",
    "InboundMailRow",
    "InvoiceRow",
    "MovedCalendarRow",
    "ResourceUseRow",
    "ResponseTargetRow",
    "SupportResourceRow",
]
