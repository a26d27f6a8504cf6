"""What we go on owing the vendor for an account, as invoicing knows it: asked outside of any transaction."""

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from services.collections.use_cases.standing import GOOD, Standing
from shared.pure.errors import Later
from shared.web.clients import Answered

if TYPE_CHECKING:
    from shared.process.runtime import Runtime

PATIENCE = 2.0
"""Seconds: who asks for a standing gets the rest of it rather than waits."""


@dataclass(frozen=True, slots=True)
class VendorDebt:
    """Invoicing's exposure of the account, or why there is none."""

    exposure: dict[str, Any] | None
    missing: str | None


async def beside(runtime: "Runtime", found: Standing) -> VendorDebt:
    """What belongs beside a standing; nobody asks it of an account in good standing."""
    if found.state == GOOD:
        return VendorDebt(None, "the account is in good standing")
    return await of_account(runtime, found.account_id)


async def of_account(runtime: "Runtime", account_id: UUID) -> VendorDebt:
    """Ask invoicing, for a while. Never raises for want of an answer."""
    try:
        async with asyncio.timeout(PATIENCE):
            return VendorDebt(await runtime.clients["invoicing"].get(f"/v1/accounts/{account_id}/exposure"), None)
    except TimeoutError:
        return VendorDebt(None, f"invoicing gives no answer within {PATIENCE:g} s")
    except (Later, Answered) as error:
        return VendorDebt(None, f"invoicing gives no answer: {error}")
