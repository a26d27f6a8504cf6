"""The legal entities of the sandbox: an account can only be one's that exists."""

from typing import Any

from sandbox.driver import Refused, SandboxDriver

SELLER: dict[str, Any] = {
    "name": "The Reseller",
    "address": ["1 Example Street", "Exampletown"],
    "tax_id": "DE123456789",
    "register_number": "HRB 4711 B",
    "bank_name": "Example Bank",
    "iban": "DE02120300000000202051",
    "bic": "BYLADEM1001",
    "sends_documents": False,
}
"""What invoices say of each legal entity; they can be looked at, and are not mailed, which would be hundreds."""


async def ensure_legal_entity(driver: SandboxDriver, code: str) -> None:
    """Make a legal entity unless it exists, asking once for each driver. Raises Refused."""
    if code in driver.legal_entities:
        return
    try:
        await driver.get("invoicing", f"/v1/legal-entities/{code}")
    except Refused:
        await driver.approve_proposal(await driver.put("invoicing", f"/v1/legal-entities/{code}", SELLER))
    driver.legal_entities.add(code)
