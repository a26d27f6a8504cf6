"""Amounts are reserved in invoicing while the caller waits, in the way in which a worker would do it.

The intent was committed with what wants it, and leased to the request: no worker is faster. What cannot be done now
stays for the worker.
"""

from typing import TYPE_CHECKING
from uuid import UUID

from shared.process import intents
from shared.process.intents import Intent

if TYPE_CHECKING:
    from shared.process.runtime import Runtime


async def reserve_amounts_now(runtime: "Runtime", dispute_id: UUID, leased: Intent | None) -> None:
    """Reserve the amounts of a dispute, unless a worker does; a repeated request may have no lease yet."""
    intent = leased or await runtime.units.run(lambda unit: intents.lease_intent(unit, dispute_id))
    if intent is not None:
        await runtime.jobs.perform_claimed_intent(intent)


async def reserve_dispute_amendment(runtime: "Runtime", leased: Intent | None) -> None:
    """Reserve the amounts of an amendment, unless a worker does."""
    if leased is not None:
        await runtime.jobs.perform_claimed_intent(leased)
