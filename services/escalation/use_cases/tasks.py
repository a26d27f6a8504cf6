"""Tasks and cases that events of other services open for a person: one for each cause, not for each event."""

from uuid import UUID

from services.escalation.domain.differences import is_reconciliation_difference_large
from services.escalation.use_cases.cases import CaseLink, NewCase, open_case_for_event, open_task
from shared.events.collections import NoticeBounced, NoticeFailed, TerminationRequested
from shared.events.entitlements import (
    EntitlementEnded,
    HoldPlaced,
    RenewalSettingsNotRestored,
    SuspensionRefusedByVendor,
    VendorSyncFailed,
)
from shared.events.invoicing import DocumentFailed, ReconciliationCompleted, VendorDifferenceDecided
from shared.persistence.database import Unit

SUBSCRIPTION_ENDED = "subscription_ended"
"""The code of entitlements' own refusal to suspend what has ended: nobody needs to look."""
WANTED_OF_VENDOR = {
    "active": "reinstate a subscription",
    "suspended": "suspend a subscription",
    "auto_renew_off": "switch off auto-renew of a subscription that ends",
}


async def open_termination_task(unit: Unit, event: TerminationRequested) -> None:
    """Have a person decide about the end of subscriptions whose invoices stay unpaid."""
    cause = f"termination:{event.suspension_id or min(event.invoice_ids)}"
    links = [CaseLink("invoice", invoice_id) for invoice_id in event.invoice_ids]
    if event.suspension_id is not None:
        links.append(CaseLink("suspension", event.suspension_id))
    await open_task(unit, event.account_id, cause, "decide whether unpaid subscriptions are ended", links)


async def open_unreachable_customer_task(unit: Unit, event: NoticeFailed | NoticeBounced) -> None:
    """Have a person reach a customer whose notices are refused for good, or come back."""
    subject = "notices cannot be delivered: find out how this customer is reached"
    await open_task(unit, event.account_id, f"notices_fail:{event.account_id}", subject)


async def open_undelivered_invoice_task(unit: Unit, event: DocumentFailed) -> None:
    """Have a person reach a customer whose invoices are refused for good; the cause is that of refused notices."""
    subject = "invoices cannot be delivered: find out how this customer is reached"
    await open_task(unit, event.account_id, f"notices_fail:{event.account_id}", subject)


async def open_large_difference_task(unit: Unit, event: ReconciliationCompleted) -> None:
    """Have a person look at a vendor invoice that differs by more than the limit."""
    differences = [(total.verdict, total.billed_minor - total.expected_minor) for total in event.totals]
    if is_reconciliation_difference_large(differences, event.currency):
        subject = f"the vendor's invoice {event.number} differs from what was expected"
        await open_task(unit, None, f"reconciliation:{event.reconciliation_id}", subject)


async def open_vendor_dispute_task(unit: Unit, event: VendorDifferenceDecided) -> None:
    """Have a person dispute with the vendor what somebody decided to dispute."""
    if event.decision == "dispute_with_vendor":
        subject = f"dispute a difference with the vendor: {event.verdict}"
        links = [CaseLink("vendor_difference", event.difference_id)]
        await open_task(unit, event.account_id, f"vendor_difference:{event.difference_id}", subject, links)


async def open_cancellation_task(unit: Unit, event: EntitlementEnded) -> None:
    """Have a person cancel at the vendor what has ended before its term: it bills on until then."""
    if event.ended_on < event.term_end:
        subject = f"cancel a subscription at the vendor that has ended before its term ({event.term_end})"
        links = [CaseLink("subscription", event.subscription_id)]
        await open_task(unit, event.account_id, f"cancel_at_vendor:{event.subscription_id}", subject, links)


async def open_fraud_case(unit: Unit, event: HoldPlaced) -> None:
    """Open a fraud case for a hold that was placed for it."""
    if event.hold_reason == "fraud":
        cause, links = f"fraud_hold:{event.hold_id}", [CaseLink("subscription", event.subscription_id)]
        new = NewCase("fraud", None, event.account_id, "a fraud hold was placed", cause, links=links)
        await open_case_for_event(unit, new)


async def open_vendor_refusal_case(unit: Unit, event: SuspensionRefusedByVendor) -> None:
    """Have somebody look at a suspension that the vendor refuses."""
    if event.vendor_code != SUBSCRIPTION_ENDED:
        subject = f"the vendor refuses to suspend a subscription ({event.vendor_code})"
        await _open_vendor_refusal(unit, event.account_id, event.subscription_id, "suspension_refused", subject)


async def open_vendor_sync_case(unit: Unit, event: VendorSyncFailed) -> None:
    """Have somebody look at what the vendor will not do."""
    subject = f"the vendor refuses to {WANTED_OF_VENDOR[event.wanted_state]} ({event.vendor_code})"
    await _open_vendor_refusal(unit, event.account_id, event.subscription_id, "sync_failed", subject)


async def open_lost_renewal_case(unit: Unit, event: RenewalSettingsNotRestored) -> None:
    """Have somebody look at renewal settings that are lost, which costs money at the end of the term."""
    subject = f"renewal settings were not restored: {', '.join(event.missing_settings)}"
    await _open_vendor_refusal(unit, event.account_id, event.subscription_id, "renewal_not_restored", subject)


async def _open_vendor_refusal(unit: Unit, account_id: UUID, subscription_id: UUID, what: str, subject: str) -> None:
    links = [CaseLink("subscription", subscription_id)]
    cause = f"vendor:{subscription_id}:{what}"
    await open_case_for_event(unit, NewCase("vendor_refusal", None, account_id, subject, cause, links=links))
