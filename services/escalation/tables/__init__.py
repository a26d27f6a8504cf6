"""The rows of the schema `escalation`."""

from services.escalation.tables.base import METADATA
from services.escalation.tables.cases import CaseLinkRow, CaseRow, CaseWordsRow, EntryRow
from services.escalation.tables.clocks import CaseClockRow, MovedCalendarRow, ResponseTargetRow
from services.escalation.tables.copies import AccountRow, CalendarRow, InvoiceRow
from services.escalation.tables.disputes import DisputeRow
from services.escalation.tables.resources import RESOURCE_WORDS, TEXT_SEARCH, ResourceUseRow, SupportResourceRow
from services.escalation.tables.service_health import HealthWatchRow, IncidentCaseRow, IncidentRow
from services.escalation.tables.vendor_tickets import TicketNoteRow, VendorChannelRow, VendorTicketRow

__all__ = [
    "METADATA",
    "RESOURCE_WORDS",
    "TEXT_SEARCH",
    "AccountRow",
    "CalendarRow",
    "CaseClockRow",
    "CaseLinkRow",
    "CaseRow",
    "CaseWordsRow",
    "DisputeRow",
    "EntryRow",
    "HealthWatchRow",
    "IncidentCaseRow",
    "IncidentRow",
    "InvoiceRow",
    "MovedCalendarRow",
    "ResourceUseRow",
    "ResponseTargetRow",
    "SupportResourceRow",
    "TicketNoteRow",
    "VendorChannelRow",
    "VendorTicketRow",
]
