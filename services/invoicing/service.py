"""The wiring of invoicing."""

from services.invoicing.consumers import handlers
from services.invoicing.jobs import INTENTS, SWEEPS
from services.invoicing.metrics import FIGURES
from services.invoicing.routes import ROUTERS
from services.invoicing.tables import METADATA
from shared.process.service import Service

SERVICE = Service(
    name="invoicing",
    summary="What is owed, by whom: accounts, subscriptions, invoices, payments, balances.",
    routers=ROUTERS,
    tables=METADATA,
    handlers=handlers,
    figures=FIGURES,
    sweeps=SWEEPS,
    intents=INTENTS,
)
