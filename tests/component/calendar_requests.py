"""Business calendars as requests set them, and as they are announced."""

from typing import Any

import httpx2
import orjson

from shared.events.invoicing import BusinessCalendarChanged
from tests.builders import Client, Database

PATH = "/v1/legal-entities/{}/business-calendar"
OFFICE = [{"opens": "09:00", "closes": "17:00"}]
WORKWEEK: dict[str, Any] = dict.fromkeys(("monday", "tuesday", "wednesday", "thursday", "friday"), OFFICE)
ANNOUNCED = """
SELECT (headers ->> 'ce_sequence')::bigint AS sequence, data FROM invoicing.outbox
WHERE type LIKE '%.BusinessCalendarChanged.v1' AND subject = $1 ORDER BY position
"""


def build_calendar(**more: Any) -> dict[str, Any]:
    """Build the body of a calendar of Berlin's."""
    return {"time_zone": "Europe/Berlin", "country": "DE", "subdivision": "BE", "hours": WORKWEEK} | more


async def put_calendar(
    client: Client, body: dict[str, Any], code: str = "GS-DE", version: Any = None
) -> httpx2.Response:
    """Put a calendar, in the place of this version."""
    headers = client.headers | ({} if version is None else {"if-match": f'"{version}"'})
    return await client.http.put(PATH.format(code), json=body, headers=headers)


async def list_announced(database: Database, code: str = "GS-DE") -> list[BusinessCalendarChanged]:
    """List what was announced of the calendar of a legal entity, in order; its sequence has no gap."""
    rows = await database.rows(ANNOUNCED, f"calendar:{code}")
    assert [row["sequence"] for row in rows] == list(range(1, len(rows) + 1))
    return [BusinessCalendarChanged.model_validate(orjson.loads(row["data"])) for row in rows]
