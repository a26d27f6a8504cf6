"""The effect of what was given back by hand: what lines can still give back, and which reversals lapse for it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from services.invoicing.adjustments.repository.supplies import COMPUTE_FORGIVEN_MINOR, SUPPLY
from shared.persistence.bulk_rows import split_into_columns
from shared.persistence.database import Unit

COMPUTE_REVERSAL_LAPSES = """
WITH reversals AS (
    SELECT c.id, c.subscription_id, {supply}, c.cycle_from, c.cycle_to, c.created_at,
        c.settled_minor + c.lapsed_minor - c.amount_minor AS rest
    FROM charges c WHERE {pending} AND c.amount_minor < c.settled_minor + c.lapsed_minor
), forgiven AS (
    SELECT s.subscription_id, s.supply, s.cycle_from, s.cycle_to,
        sum(f.gross - div(l.tax_minor * f.gross, l.amount_minor)) - sum(c.amount_minor - c.lapsed_minor) AS excess
    FROM (SELECT DISTINCT subscription_id, supply, cycle_from, cycle_to FROM reversals) s
    JOIN charges c ON c.subscription_id = s.subscription_id AND c.cycle_from = s.cycle_from
        AND c.cycle_to = s.cycle_to AND {case} = s.supply
    {forgiven}
    GROUP BY s.subscription_id, s.supply, s.cycle_from, s.cycle_to
), lapsing AS (
    SELECT r.id, r.rest, v.excess - (sum(r.rest) OVER (PARTITION BY r.subscription_id, r.supply, r.cycle_from,
        r.cycle_to ORDER BY r.created_at DESC, r.id DESC) - r.rest) AS excess
    FROM reversals r JOIN forgiven v USING (subscription_id, supply, cycle_from, cycle_to) WHERE v.excess > 0
)
UPDATE charges c SET lapsed_minor = c.lapsed_minor - least(l.rest, l.excess)
FROM lapsing l WHERE c.id = l.id AND l.excess > 0
RETURNING c.account_id, c.id AS charge_id, c.currency, least(l.rest, l.excess)::bigint AS amount
"""
"""`compute_reversal_lapses` of the domain, for the supplies of all reversals that are `pending`."""


def _format_lapse_statement(pending: str) -> str:
    case = SUPPLY.removesuffix(" AS supply")
    return COMPUTE_REVERSAL_LAPSES.format(supply=SUPPLY, case=case, pending=pending, forgiven=COMPUTE_FORGIVEN_MINOR)


LAPSE_DUE_REVERSALS = _format_lapse_statement(
    "c.account_id = ANY($1::uuid[]) AND c.invoice_id IS NULL AND c.due_on <= $2"
)
LAPSE_DRAFTED_REVERSALS = _format_lapse_statement(
    "c.invoice_id = ANY(ARRAY(SELECT invoice_id FROM bill_invoices WHERE total_minor < 0))"
)


@dataclass(frozen=True, slots=True)
class LapsedChargeReversal:
    """A part of a reversal that lapsed: minor units without tax."""

    account_id: UUID
    charge_id: UUID
    currency: str
    amount: int


async def lapse_due_charge_reversals(unit: Unit, account_ids: Sequence[UUID], day: date) -> list[LapsedChargeReversal]:
    """Let the reversals of these accounts that are due by a day lapse as far as people gave back what they reverse."""
    return [LapsedChargeReversal(*row) for row in await unit.connection.fetch(LAPSE_DUE_REVERSALS, account_ids, day)]


async def lapse_drafted_charge_reversals(unit: Unit) -> list[LapsedChargeReversal]:
    """Let the reversals lapse that the temporary tables hold for accounts that are owed something."""
    return [LapsedChargeReversal(*row) for row in await unit.connection.fetch(LAPSE_DRAFTED_REVERSALS)]


_LEFT_OUT = """
UPDATE bill_run_accounts r SET due_at = NULL, state = CASE WHEN b.total_minor = 0 THEN 'nothing' ELSE 'set_aside' END,
    reason = CASE WHEN b.total_minor > 0 THEN 'credited by hand since it was drawn up; to be drawn up again' END
FROM bill_invoices b
WHERE r.run_id = $1 AND r.account_id = b.account_id AND b.total_minor >= 0 AND r.account_id = ANY($2::uuid[])
"""


async def skip_settled_bill_accounts(unit: Unit, run_id: UUID, lapses: Sequence[LapsedChargeReversal]) -> None:
    """Leave accounts out that are owed nothing more; who would have to pay is set aside, since nobody approved that."""
    await unit.connection.execute(_LEFT_OUT, run_id, [lapse.account_id for lapse in lapses])


_SAY = """
UPDATE bill_run_accounts r SET reason = concat_ws('; ', r.reason, n.reason)
FROM unnest($2::uuid[], $3::text[]) AS n (account_id, reason)
WHERE r.run_id = $1 AND r.account_id = n.account_id AND r.state IN ('drafted', 'credited', 'nothing')
"""


async def save_reversal_lapse_reasons(unit: Unit, run_id: UUID, reasons: Sequence[tuple[UUID, str]]) -> None:
    """Say beside these accounts of a run what became of their credit."""
    await unit.connection.execute(_SAY, run_id, *split_into_columns(reasons, 2))
