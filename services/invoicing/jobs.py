"""What falls due in invoicing: being overdue is judged at local midnights."""

from services.invoicing import use_cases
from shared.jobs import Sweep

SWEEPS = (
    Sweep(
        name="overdue",
        due="SELECT account_id::text FROM invoice_states WHERE judge_at <= $1",
        judge=use_cases.overdue.judge,
    ),
)
