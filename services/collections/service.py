"""The wiring of collections."""

from services.collections.api import ROUTERS
from services.collections.consumers import handlers
from services.collections.jobs import INTENTS, SWEEPS
from services.collections.metrics import FIGURES
from services.collections.tables import METADATA
from shared.process.service import Service

SERVICE = Service(
    name="collections",
    summary="Who is late, what they were told, what happens next and when: policy, cases, notices, suspensions.",
    routers=ROUTERS,
    tables=METADATA,
    handlers=handlers,
    figures=FIGURES,
    sweeps=SWEEPS,
    intents=INTENTS,
    calls=("invoicing",),
)
