"""What falls due in collections: the steps of the policy; and the calls that they want."""

from services.collections import use_cases
from services.collections.use_cases.judging import CHECK_SUSPENSION
from services.collections.use_cases.notices import SEND_NOTICE
from shared.process.intents import Kind
from shared.process.sweeps import Sweep

SWEEPS = (
    Sweep(
        name="steps",
        due="SELECT account_id::text FROM items WHERE due_at <= $1 ORDER BY due_at",
        judge=use_cases.judging.sweep,
    ),
)

INTENTS = (
    Kind(SEND_NOTICE, use_cases.delivery.send, use_cases.delivery.sent),
    Kind(CHECK_SUSPENSION, use_cases.checking.ask, use_cases.checking.request_due),
)
