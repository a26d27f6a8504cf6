"""Collections, as entitlements asks it."""

from uuid import UUID

from shared.contracts.suspension_confirmations import SuspensionConfirmation
from shared.web.clients import ServiceClient, parse_answer


class CollectionsConfirmations:
    """Answers of collections about suspensions. Every call raises RetryLater, RefusedByService."""

    def __init__(self, client: ServiceClient) -> None:
        self._client = client

    async def fetch_suspension_confirmation(self, suspension_id: UUID) -> SuspensionConfirmation:
        """Ask whether a suspension still stands."""
        answer = await self._client.get(f"/v1/suspensions/{suspension_id}/confirmation")
        return parse_answer(SuspensionConfirmation, answer)
