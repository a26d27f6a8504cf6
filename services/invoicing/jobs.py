"""What falls due in invoicing: being overdue is judged at local midnights, and our own payments raise an alarm."""

from services.invoicing import use_cases
from shared.jobs import Sweep

SWEEPS = (
    Sweep(
        name="overdue",
        due="SELECT account_id::text FROM invoice_states WHERE judge_at <= $1",
        judge=use_cases.overdue.judge,
    ),
    Sweep(
        name="vendor_payments",
        due="SELECT id::text FROM vendor_invoices WHERE warn_at <= $1",
        judge=use_cases.vendor_invoices.warn,
    ),
)
