"""`Idempotency-Key`: the same key and body from the same caller gets the same answer, and one effect.

Bodies are the same if they are the same JSON, whatever the order of their fields and the blanks between them.

The key is inserted first and locked until the unit ends, so of two requests at once the second waits and
gets the first's answer. A refusal rolls back and is not stored: the same key may be tried again.
A key is kept for `KEPT`; whoever repeats a request later than that asks for something new.
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import NamedTuple
from uuid import UUID

from shared.persistence.bulk_rows import split_into_columns
from shared.persistence.database import Unit
from shared.persistence.unit_endings import KeptAnswer
from shared.pure.errors import Refusal


class IdempotencyKeyReused(Refusal):
    """The key was used for another body."""

    code = "idempotency_key_reused"
    status = 422


class FirstAnswerRemoved(Refusal):
    """The request was done, and what it was answered was removed since then."""

    code = "answer_removed"
    status = 410


class IdempotencyKey(NamedTuple):
    """Name of a request by its caller (the key is theirs, for a method and path), with digests of its content.

    `body_hash` is of the JSON of the body, `sent_hash` of its bytes as they were sent: keys were once kept by those.
    """

    caller: str
    route: str
    key: str
    body_hash: str
    sent_hash: str


@dataclass(frozen=True, slots=True)
class KeptFirstAnswer:
    """Answer to a request, in JSON."""

    status: int
    body: str
    is_repeated: bool = False


KEPT = timedelta(days=30)
"""For how long (business time) a key gets the first answer again, at least."""
CHUNK = 1000
"""How many keys one unit prunes at most."""

_BEGIN = """
INSERT INTO idempotency (caller, route, key, body_hash, created_at)
SELECT caller, route, key, body_hash, $1
FROM unnest($2::text[], $3::text[], $4::text[], $5::text[]) AS asked (caller, route, key, body_hash)
ORDER BY caller, route, key
ON CONFLICT DO NOTHING RETURNING caller, route, key
"""
_STORED = """
SELECT i.caller, i.route, i.key, i.body_hash IN (asked.body_hash, asked.sent_hash) AS is_same, status, answer
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[])
    AS asked (caller, route, key, body_hash, sent_hash)
JOIN idempotency i USING (caller, route, key)
"""
_FORGET = """
DELETE FROM idempotency i USING unnest($1::text[], $2::text[], $3::text[]) AS n (caller, route, key)
WHERE (i.caller, i.route, i.key) = (n.caller, n.route, n.key)
"""
REMOVED_ANSWER = "null"
"""What stands in the place of an answer that was removed."""
_REMOVE_ANSWERS = """
UPDATE idempotency SET answer = $3
WHERE (answer::jsonb ->> 'id' = ANY ($1) OR answer::jsonb ->> 'case_id' = ANY ($1)) AND route <> ALL ($2)
"""
_PRUNE = """
WITH old AS (
    SELECT caller, route, key FROM idempotency WHERE created_at < $1
    ORDER BY created_at LIMIT $2 FOR UPDATE SKIP LOCKED
)
DELETE FROM idempotency USING old
WHERE (idempotency.caller, idempotency.route, idempotency.key) = (old.caller, old.route, old.key)
RETURNING 1
"""


async def take_idempotency_keys(
    unit: Unit, keys: Collection[IdempotencyKey]
) -> dict[IdempotencyKey, KeptFirstAnswer | Refusal]:
    """Take these keys, each of another place; what those were answered that had been used before."""
    answers: dict[IdempotencyKey, KeptFirstAnswer | Refusal] = {}
    wanted = {key[:3]: key for key in keys}
    while wanted:  # a key may be pruned between the two statements
        for row in await unit.connection.fetch(
            _BEGIN, unit.now, *split_into_columns((key[:4] for key in wanted.values()), 4)
        ):
            del wanted[tuple(row)]
        if wanted:
            for *place, is_same, status, body in await unit.connection.fetch(
                _STORED, *split_into_columns(wanted.values(), 5)
            ):
                key = wanted.pop((place[0], place[1], place[2]))
                answers[key] = _repeat_answer(is_same, status, body)
    return answers


def _repeat_answer(is_same: bool, status: int, body: str) -> KeptFirstAnswer | Refusal:
    if not is_same:
        return IdempotencyKeyReused("this Idempotency-Key was used with another body")
    if body == REMOVED_ANSWER:
        return FirstAnswerRemoved("this request was done; what it was answered was removed")
    return KeptFirstAnswer(status, body, is_repeated=True)


def normalise_json_body(body: bytes) -> bytes:
    """Normalise a body: fields in the order of their names, no blanks; numbers stay as they are written.

    What is no JSON stays as it is: it is refused elsewhere.
    """
    try:
        content = json.loads(body, parse_float=lambda digits: f"\0{digits}")
        return json.dumps(content, sort_keys=True, separators=(",", ":")).encode()
    except (ValueError, RecursionError):
        return body


def store_first_answers(unit: Unit, answers: Mapping[IdempotencyKey, KeptFirstAnswer]) -> None:
    """Keep what these keys, which this unit took, are answered; it is written when the unit ends."""
    unit.keep_answers(KeptAnswer(*key[:3], answer.status, answer.body) for key, answer in answers.items())


async def forget_idempotency_keys(unit: Unit, keys: Collection[IdempotencyKey]) -> None:
    """Give up keys that this unit took: what they asked for was not done."""
    if keys:
        await unit.connection.execute(_FORGET, *split_into_columns((key[:3] for key in keys), 3))


async def delete_first_answers(unit: Unit, ids: Collection[UUID], kept_routes: Collection[str]) -> None:
    """Remove what was answered about these things and cases, but for routes whose answers have no words of people.

    The keys stay: nothing is done a second time. A service that does this has indexes for it.
    """
    texts = [str(thing_id) for thing_id in ids]
    await unit.connection.execute(_REMOVE_ANSWERS, texts, list(kept_routes), REMOVED_ANSWER)


async def prune_idempotency_keys(unit: Unit) -> bool:
    """Forget keys that are older than `KEPT`, a chunk of them; whether there may be more."""
    return len(await unit.connection.fetch(_PRUNE, unit.now - KEPT, CHUNK)) == CHUNK
