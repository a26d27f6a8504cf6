"""The limit up to which the operator of a sandbox decides alone: upholding a dispute credits."""

from collections.abc import Iterable

from sandbox.driver import SandboxDriver

UNLIMITED_MINOR = 10**12


async def set_operator_limits(driver: SandboxDriver, currencies: Iterable[str]) -> None:
    """Let the operator credit any amount of these currencies."""
    body = {"amount_minor": UNLIMITED_MINOR, "reason": "there is nobody else here"}
    for currency in sorted(set(currencies)):
        await driver.set_role_limit("operator", currency, body)
