"""The routes of invoicing."""

from services.invoicing.accounts.api import (
    account_routes,
    business_calendar_routes,
    contact_person_routes,
    legal_entity_routes,
)
from services.invoicing.adjustments.api import (
    approval_list_routes,
    approval_routes,
    credit_note_routes,
    refund_routes,
    reservation_routes,
    write_off_routes,
)
from services.invoicing.bank import api as bank_api
from services.invoicing.billing.api import bill_run_routes, draft_routes, invoice_issue_routes, preview_routes
from services.invoicing.catalog.api import plan_routes, tax_rate_routes
from services.invoicing.documents import api as documents_api
from services.invoicing.explanations import api as explanations_api
from services.invoicing.exposure.api import exchange_rate_routes, exposure_routes
from services.invoicing.ledger.api import ledger_routes
from services.invoicing.payments.api import (
    chargeback_reason_routes,
    chargeback_routes,
    debit_routes,
    payment_routes,
    tolerance_routes,
)
from services.invoicing.receivables.api import balance_routes, invoice_routes, notice_fact_routes
from services.invoicing.revenue.api import ledger_period_routes, month_closing_routes
from services.invoicing.setting_decisions.api import second_person_routes, setting_change_routes
from services.invoicing.subscriptions.api import subscription_routes, term_routes
from services.invoicing.usage import api as usage_api
from services.invoicing.vendor_costs.api import difference_routes, reconciliation_routes, vendor_invoice_routes
from shared.web.http.audit_entries import create_audit_router
from shared.web.http.failed_work import create_failed_work_router

# A request is held against one router after the other, so what is asked for most comes first.
ROUTERS = (
    payment_routes.writes,
    balance_routes.reads,
    payment_routes.reads,
    account_routes.reads,
    notice_fact_routes.reads,
    account_routes.writes,
    contact_person_routes.reads,
    contact_person_routes.writes,
    plan_routes.reads,
    plan_routes.writes,
    subscription_routes.reads,
    subscription_routes.writes,
    term_routes.reads,
    term_routes.writes,
    usage_api.writes,
    bill_run_routes.reads,
    bill_run_routes.writes,
    draft_routes.reads,
    tax_rate_routes.reads,
    tax_rate_routes.writes,
    preview_routes.reads,
    invoice_routes.reads,
    invoice_issue_routes.writes,
    explanations_api.reads,
    chargeback_routes.reads,
    chargeback_routes.writes,
    chargeback_reason_routes.reads,
    chargeback_reason_routes.admin,
    debit_routes.reads,
    debit_routes.writes,
    credit_note_routes.reads,
    credit_note_routes.writes,
    write_off_routes.writes,
    refund_routes.writes,
    approval_list_routes.reads,
    approval_routes.reads,
    approval_routes.writes,
    approval_routes.limits,
    tolerance_routes.reads,
    tolerance_routes.writes,
    reservation_routes.writes,
    reservation_routes.releases,
    exposure_routes.reads,
    exchange_rate_routes.reads,
    exchange_rate_routes.writes,
    ledger_routes.reads,
    month_closing_routes.writes,
    ledger_period_routes.reads,
    vendor_invoice_routes.reads,
    vendor_invoice_routes.writes,
    reconciliation_routes.reads,
    reconciliation_routes.writes,
    difference_routes.reads,
    difference_routes.writes,
    *bank_api.ROUTERS,
    legal_entity_routes.reads,
    legal_entity_routes.writes,
    business_calendar_routes.reads,
    business_calendar_routes.writes,
    second_person_routes.reads,
    second_person_routes.admin,
    setting_change_routes.reads,
    setting_change_routes.decisions,
    *documents_api.ROUTERS,
    create_audit_router("invoicing"),
    create_failed_work_router("invoicing"),
)
