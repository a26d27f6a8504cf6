"""What falls due in entitlements: the vendor is given the state that is wanted."""

from services.entitlements.jobs.sync import perform
from services.entitlements.use_cases.vendor import SYNC, record
from shared.intents import Kind

INTENTS = (Kind(SYNC, perform, record),)
