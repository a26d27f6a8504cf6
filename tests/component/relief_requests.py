"""Requests that lower what is owed, and the limits of the roles that make them."""

from typing import Any

from tests.builders import Client


async def set_limit(client: Client, amount_minor: int, role: str = "operator") -> None:
    """Set what a role may credit, write off or refund in euro without a second person (minor units)."""
    body = {"amount_minor": amount_minor, "reason": "the board"}
    answer = await client.http.put(f"/v1/approval-limits/{role}/EUR", json=body, headers=client.somebody().headers)
    assert answer.status_code == 200, answer.text


def build_credit(invoice_id: str, *lines: tuple[int, int]) -> dict[str, Any]:
    """Build the body of a credit note by hand: numbers of lines and amounts (minor units)."""
    credited = [{"line": line, "amount_minor": amount_minor} for line, amount_minor in lines]
    return {"invoice_id": invoice_id, "lines": credited, "reason_code": "goodwill", "reason": "two days without"}
