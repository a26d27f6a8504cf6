"""Documents over REST: as pages, as PDF, as data; and whether they were sent."""

from services.invoicing.documents.api import delivery_routes, paper_routes, statement_routes

ROUTERS = (paper_routes.reads, statement_routes.reads, delivery_routes.reads, delivery_routes.writes)
