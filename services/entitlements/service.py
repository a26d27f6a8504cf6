"""The wiring of entitlements."""

from services.entitlements.api import ROUTERS
from services.entitlements.consumers import handlers
from services.entitlements.jobs import INTENTS, SWEEPS
from services.entitlements.metrics import FIGURES
from services.entitlements.tables import METADATA
from shared.process.service import Service

SERVICE = Service(
    name="entitlements",
    summary="May this subscription be used, and why (not): entitlements, holds, the vendor's view.",
    routers=ROUTERS,
    tables=METADATA,
    handlers=handlers,
    figures=FIGURES,
    sweeps=SWEEPS,
    intents=INTENTS,
    calls=("collections",),
)
