"""The rows of the schema `escalation`."""

from services.escalation.tables.base import METADATA
from services.escalation.tables.cases import CaseLinkRow, CaseRow, CaseWordsRow, EntryRow
from services.escalation.tables.clocks import CaseClockRow, MovedCalendarRow, ResponseTargetRow
from services.escalation.tables.copies import AccountRow, CalendarRow, InvoiceRow
from services.escalation.tables.disputes import DisputeAmendmentRow, DisputeReasonRow, DisputeRow
from services.escalation.tables.resources import RESOURCE_WORDS, TEXT_SEARCH, ResourceUseRow, SupportResourceRow
from services.escalation.tables.service_credits import ServiceCreditRow, ServiceCreditTypeRow, VendorCreditRow
from services.escalation.tables.support_statements import SupportStatementRow
from services.escalation.tables.vendor_disputes import VendorDisputeRow

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
    "DisputeAmendmentRow",
    "DisputeReasonRow",
    "DisputeRow",
    "EntryRow",
    "InvoiceRow",
    "MovedCalendarRow",
    "ResourceUseRow",
    "ResponseTargetRow",
    "ServiceCreditRow",
    "ServiceCreditTypeRow",
    "SupportResourceRow",
    "SupportStatementRow",
    "VendorCreditRow",
    "VendorDisputeRow",
]
