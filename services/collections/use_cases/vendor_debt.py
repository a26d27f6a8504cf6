"""Debt to the vendor of an account as invoicing knows it: asked outside of any transaction."""

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from services.collections.adapters import open_invoicing_facts
from services.collections.use_cases.standing import GOOD, AccountStanding
from shared.contracts.vendor_exposures import VendorExposure
from shared.pure.errors import RetryLater
from shared.web.clients import RefusedByService

if TYPE_CHECKING:
    from shared.process.runtime import Runtime

MAX_WAIT_SECONDS = 2.0
"""Seconds: who asks for a standing gets the rest of it rather than waits."""


@dataclass(frozen=True, slots=True)
class VendorDebt:
    """Invoicing's exposure of the account, or why there is none."""

    exposure: VendorExposure | None
    missing: str | None


async def load_vendor_debt(runtime: "Runtime", standing: AccountStanding) -> VendorDebt:
    """Load the debt to the vendor beside a standing; nobody asks it of an account in good standing."""
    if standing.state == GOOD:
        return VendorDebt(None, "the account is in good standing")
    return await fetch_vendor_debt(runtime, standing.account_id)


async def fetch_vendor_debt(runtime: "Runtime", account_id: UUID) -> VendorDebt:
    """Ask invoicing, for a while. Never raises for want of an answer."""
    try:
        async with asyncio.timeout(MAX_WAIT_SECONDS):
            return VendorDebt(await open_invoicing_facts(runtime).fetch_vendor_exposure(account_id), None)
    except TimeoutError:
        return VendorDebt(None, f"invoicing gives no answer within {MAX_WAIT_SECONDS:g} s")
    except (RetryLater, RefusedByService) as error:
        return VendorDebt(None, f"invoicing gives no answer: {error}")
