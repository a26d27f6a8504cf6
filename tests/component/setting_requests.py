"""Settings that move money, as two people set them."""

from typing import Any

import httpx2

from tests.builders import Client

GROUNDS = {"reason": "looked at the papers"}


async def approve_change(client: Client, answer: httpx2.Response) -> httpx2.Response:
    """Let another person approve what waits for one; the answer to them, or the one that was given at once."""
    if answer.status_code != 202:
        return answer
    path = f"/v1/setting-changes/{answer.json()['id']}:approve"
    approved = await client.somebody("treasurer").post(path, GROUNDS)
    assert approved.status_code == 200, approved.text
    return approved


async def put_by_two(client: Client, path: str, body: object, headers: dict[str, str] | None = None) -> dict[str, Any]:
    """PUT a setting, which must be accepted, and let another person agree where one has to."""
    answer = await client.http.put(path, json=body, headers=client.headers | (headers or {}))
    assert answer.status_code in (200, 202), answer.text
    return dict((await approve_change(client, answer)).json())


async def make_by_two(client: Client, path: str, body: object) -> dict[str, Any]:
    """POST a setting, which must be accepted, and let another person agree where one has to."""
    answer = await client.post(path, body)
    assert answer.status_code in (200, 201, 202), answer.text
    return dict((await approve_change(client, answer)).json())


async def close_month(client: Client, month: str, legal_entity: str = "GS-DE", reason: str = "month end") -> None:
    """Close a month of the ledger by two people."""
    await make_by_two(client, f"/v1/ledger/{legal_entity}/periods/{month}:close", {"reason": reason})
