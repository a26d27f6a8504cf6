"""How the stacks of tests begin."""

from datetime import UTC, datetime
from pathlib import Path

from sandbox.driver import SandboxDriver
from sandbox.limits import set_operator_limits

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
POLICY = Path(__file__).parents[2] / "sandbox" / "policies" / "standard.yaml"


async def publish_policy(driver: SandboxDriver) -> None:
    """Put the standard policy in force."""
    body = {"document": POLICY.read_text(), "effective_date": BEGIN.date().isoformat(), "reason": "first"}
    await driver.post("collections", "/v1/policies", body)


async def begin(driver: SandboxDriver) -> None:
    """Put the standard policy in force, and set the limits of roles."""
    await publish_policy(driver)
    await set_operator_limits(driver, ("EUR", "USD"))
