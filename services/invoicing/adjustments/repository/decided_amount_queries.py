"""Amounts that persons have decided to give, which count against the limits of a day."""

from datetime import date
from typing import NamedTuple
from uuid import UUID

from shared.persistence.database import Unit


class DecidedAmountSums(NamedTuple):
    """Sums of a day in one currency, by one person and to one account; minor units."""

    by_actor_minor: int
    to_account_minor: int


_SUM = """
SELECT
    (SELECT coalesce(sum(amount_minor), 0) FROM decided_amounts
     WHERE actor = $1 AND day = $3 AND currency = $4 AND subject_id <> $5)::bigint AS by_actor_minor,
    (SELECT coalesce(sum(amount_minor), 0) FROM decided_amounts
     WHERE account_id = $2 AND day = $3 AND currency = $4 AND subject_id <> $5)::bigint AS to_account_minor
"""


async def sum_decided_amounts(
    unit: Unit, actor: str, account_id: UUID, day: date, currency: str, subject_id: UUID
) -> DecidedAmountSums:
    """Sum what a person gave, and what an account was given, on a day; without what one subject was counted for."""
    row = await unit.connection.fetchrow(_SUM, actor, account_id, day, currency, subject_id)
    return DecidedAmountSums(*row)


async def has_decided_amount(unit: Unit, subject_id: UUID) -> bool:
    """Whether somebody was authorised to give this, or has given it."""
    return bool(
        await unit.connection.fetchval("SELECT EXISTS (SELECT FROM decided_amounts WHERE subject_id = $1)", subject_id)
    )


_SAVE = """
INSERT INTO decided_amounts (subject_id, actor, account_id, day, currency, amount_minor)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (subject_id) DO UPDATE SET actor = excluded.actor, day = excluded.day, amount_minor = excluded.amount_minor
"""


async def save_decided_amount(
    unit: Unit, subject_id: UUID, actor: str, account_id: UUID, day: date, currency: str, amount_minor: int
) -> None:
    """Count an amount for a person and an account, once for each subject: the last who decides has it."""
    await unit.connection.execute(_SAVE, subject_id, actor, account_id, day, currency, amount_minor)


async def delete_decided_amount(unit: Unit, subject_id: UUID) -> None:
    """Count no more what was not given after all."""
    await unit.connection.execute("DELETE FROM decided_amounts WHERE subject_id = $1", subject_id)
