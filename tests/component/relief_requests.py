"""Requests that lower what is owed, and the limits of the roles that make them."""

from typing import Any

from tests.builders import Client
from tests.component.setting_requests import put_by_two


async def set_limit(client: Client, amount_minor: int, role: str = "operator") -> None:
    """Set what a role may credit, write off or refund in euro without a second person (minor units)."""
    body = {"amount_minor": amount_minor, "reason": "the board"}
    await put_by_two(client.somebody(), f"/v1/approval-limits/{role}/EUR", body)


def build_credit(invoice_id: str, *lines: tuple[int, int]) -> dict[str, Any]:
    """Build the body of a credit note by hand: numbers of lines and amounts (minor units)."""
    credited = [{"line": line, "amount_minor": amount_minor} for line, amount_minor in lines]
    return {"invoice_id": invoice_id, "lines": credited, "reason_code": "goodwill", "reason": "two days without"}
