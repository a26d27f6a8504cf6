"""Collections, as escalation asks it."""

from uuid import UUID

from shared.contracts.dunning_item import DunningItem
from shared.web.clients import ServiceClient, parse_answer


class CollectionsItems:
    """Answers of collections about invoices. Every call raises RetryLater, RefusedByService."""

    def __init__(self, client: ServiceClient) -> None:
        self._client = client

    async def fetch_dunning_item(self, invoice_id: UUID) -> DunningItem:
        """Ask for the terms and the next step of an invoice."""
        answer = await self._client.get(f"/v1/items/{invoice_id}")
        return parse_answer(DunningItem, answer)
