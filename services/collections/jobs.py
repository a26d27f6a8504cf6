"""Work that falls due in collections: the steps of the policy, and the calls that they need."""

from services.collections.use_cases import due_steps, notice_sending, suspension_check
from services.collections.use_cases.account_evaluation import CHECK_SUSPENSION, SEND_NOTICE
from shared.process.intents import IntentKind
from shared.process.sweeps import Sweep

SWEEPS = (
    Sweep(
        name="steps",
        due="SELECT account_id::text FROM items WHERE due_at <= $1 ORDER BY due_at",
        handler=due_steps.take_due_dunning_steps,
    ),
)

INTENTS = (
    IntentKind(SEND_NOTICE, notice_sending.send_notice, notice_sending.record_notice_result),
    IntentKind(CHECK_SUSPENSION, suspension_check.fetch_invoicing_facts, suspension_check.request_due_suspensions),
)
