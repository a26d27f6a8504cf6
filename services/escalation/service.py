"""The wiring of escalation."""

from services.escalation.api import ROUTERS
from services.escalation.consumers import handlers
from services.escalation.jobs import INTENTS, SWEEPS
from services.escalation.metrics import FIGURES
from services.escalation.tables import METADATA
from shared.process.service import Service

SERVICE = Service(
    name="escalation",
    summary="Who has a problem, whose turn it is, and whether the customer was told: cases, disputes, contacts.",
    routers=ROUTERS,
    tables=METADATA,
    handlers=handlers,
    figures=FIGURES,
    intents=INTENTS,
    sweeps=SWEEPS,
    calls=("invoicing", "collections"),
)
