"""Work that falls due in collections: the steps of the policy, and the calls that they need."""

from services.collections import use_cases
from services.collections.use_cases.judging import CHECK_SUSPENSION
from services.collections.use_cases.notices import SEND_NOTICE
from shared.process.intents import IntentKind
from shared.process.sweeps import Sweep

SWEEPS = (
    Sweep(
        name="steps",
        due="SELECT account_id::text FROM items WHERE due_at <= $1 ORDER BY due_at",
        handler=use_cases.judging.take_due_dunning_steps,
    ),
)

INTENTS = (
    IntentKind(SEND_NOTICE, use_cases.delivery.send_notice, use_cases.delivery.record_notice_result),
    IntentKind(CHECK_SUSPENSION, use_cases.checking.fetch_invoicing_facts, use_cases.checking.request_due_suspensions),
)
