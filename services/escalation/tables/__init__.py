"""The rows of the schema `escalation`."""

from services.escalation.tables.attachments import AttachmentRow
from services.escalation.tables.base import METADATA
from services.escalation.tables.cases import CaseLinkRow, CaseRow, EntryRow
from services.escalation.tables.chargebacks import ChargebackEvidenceRow, ChargebackRow
from services.escalation.tables.clocks import CaseClockRow, ResponseTargetRow
from services.escalation.tables.copies import BusinessCalendarRow
from services.escalation.tables.disputes import DisputeAmendmentRow, DisputeReasonRow, DisputeRow
from services.escalation.tables.mails import CaseAddressRow, CaseMailRow, InboundMailRow
from services.escalation.tables.removals import RetentionPeriodRow
from services.escalation.tables.resources import (
    TEXT_SEARCHES,
    ResourceUseRow,
    SupportResourceRow,
)
from services.escalation.tables.service_credits import ServiceCreditRow, ServiceCreditTypeRow, VendorCreditRow
from services.escalation.tables.service_health import HealthWatchRow, IncidentRow
from services.escalation.tables.support_statements import SupportStatementRow
from services.escalation.tables.vendor_disputes import VendorDisputeRow
from services.escalation.tables.vendor_tickets import (
    TicketNoteRow,
    VendorChannelRow,
    VendorTicketMailRow,
    VendorTicketRow,
)

__all__ = [
    "METADATA",
    "TEXT_SEARCHES",
    "AttachmentRow",
    "BusinessCalendarRow",
    "CaseAddressRow",
    "CaseClockRow",
    "CaseLinkRow",
    "CaseMailRow",
    "CaseRow",
    "ChargebackEvidenceRow",
    "ChargebackRow",
    "DisputeAmendmentRow",
    "DisputeReasonRow",
    "DisputeRow",
    "EntryRow",
    "HealthWatchRow",
    "InboundMailRow",
    "IncidentRow",
    "ResourceUseRow",
    "ResponseTargetRow",
    "RetentionPeriodRow",
    "ServiceCreditRow",
    "ServiceCreditTypeRow",
    "SupportResourceRow",
    "SupportStatementRow",
    "TicketNoteRow",
    "VendorChannelRow",
    "VendorCreditRow",
    "VendorDisputeRow",
    "VendorTicketMailRow",
    "VendorTicketRow",
]
