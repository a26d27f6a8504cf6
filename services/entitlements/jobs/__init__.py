"""Due work of entitlements: access ends with its subscription, and the vendor is given the state that is wanted."""

from services.entitlements.jobs.vendor_sync import sync_with_vendor
from services.entitlements.use_cases import subscription_ends
from services.entitlements.use_cases.vendor_results import SYNC, record_vendor_outcome
from shared.process.intents import IntentKind
from shared.process.sweeps import Sweep

SWEEPS = (
    Sweep(
        name="ends",
        due="SELECT account_id::text FROM entitlements WHERE ends_at <= $1 AND state <> 'ended' ORDER BY ends_at",
        handler=subscription_ends.end_due_entitlements,
    ),
)

INTENTS = (IntentKind(SYNC, sync_with_vendor, record_vendor_outcome),)
