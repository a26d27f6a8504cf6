"""Documents over REST: as pages, as PDF, as data; and whether they were sent."""

from services.invoicing.api.documents import deliveries, papers, statements

ROUTERS = (papers.reads, statements.reads, deliveries.reads, deliveries.writes)
