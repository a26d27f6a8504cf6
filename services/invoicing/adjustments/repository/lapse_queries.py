"""The effect of what was given back by hand: what lines can still give back, and which reversals lapse for it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from services.invoicing.adjustments.domain.line_worth import Worth
from services.invoicing.adjustments.repository.supplies import SUPPLY
from shared.persistence.database import Unit, columns

_RUN_GIVEN = """(
    SELECT coalesce(sum(k.amount_minor), 0) FROM credit_notes n JOIN credit_note_lines k ON k.credit_note_id = n.id
    WHERE n.account_id = b.account_id AND n.invoice_id = b.invoice_id AND n.bill_id IS NOT NULL AND k.line = b.line
)"""
_FORGIVEN = f"""
LEFT JOIN invoice_lines l ON l.invoice_id = c.invoice_id AND l.charge_id = c.id
LEFT JOIN line_balances b ON b.invoice_id = l.invoice_id AND b.line = l.line
LEFT JOIN LATERAL (
    SELECT b.credited_minor + b.written_off_minor - {_RUN_GIVEN} AS gross
) f ON b.credited_minor + b.written_off_minor > 0
"""
"""Part of a query: the amount that people credited, wrote off or let go of the line of a charge."""

_LAPSE = """
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
"""Statement that lets the last reversals of a cycle lapse until its charges, less what was forgiven, reach 0."""

_DUE = "c.account_id = ANY($1::uuid[]) AND c.invoice_id IS NULL AND c.due_on <= $2"
_DRAFTED = "c.invoice_id = ANY(ARRAY(SELECT invoice_id FROM bill_invoices WHERE total_minor < 0))"


@dataclass(frozen=True, slots=True)
class Lapse:
    """A part of a reversal that lapsed: minor units without tax."""

    account_id: UUID
    charge_id: UUID
    currency: str
    amount: int


def _statement(pending: str) -> str:
    case = SUPPLY.removesuffix(" AS supply")
    return _LAPSE.format(supply=SUPPLY, case=case, pending=pending, forgiven=_FORGIVEN)


async def lapse_due(unit: Unit, account_ids: Sequence[UUID], day: date) -> list[Lapse]:
    """Let the reversals of these accounts that are due by a day lapse as far as people gave back what they reverse."""
    return [Lapse(*row) for row in await unit.connection.fetch(_statement(_DUE), account_ids, day)]


async def lapse_drafted(unit: Unit) -> list[Lapse]:
    """Let the reversals lapse that the temporary tables hold for accounts that are owed something."""
    return [Lapse(*row) for row in await unit.connection.fetch(_statement(_DRAFTED))]


_LOWER = """
UPDATE bill_lines l SET net_minor = l.net_minor + n.amount,
    tax_minor = round(l.tax_minor::numeric * (l.net_minor + n.amount) / l.net_minor)
FROM unnest($1::uuid[], $2::bigint[]) AS n (charge_id, amount) WHERE l.charge_id = n.charge_id
"""
_LEFT_OUT = """
UPDATE bill_run_accounts r SET due_at = NULL, state = CASE WHEN b.total_minor = 0 THEN 'nothing' ELSE 'set_aside' END,
    reason = CASE WHEN b.total_minor > 0 THEN 'credited by hand since it was drawn up; to be drawn up again' END
FROM bill_invoices b
WHERE r.run_id = $1 AND r.account_id = b.account_id AND b.total_minor >= 0 AND r.account_id = ANY($2::uuid[])
"""


async def lower_reversals(unit: Unit, lapses: Sequence[Lapse]) -> None:
    """Lower the lines of the temporary tables by what lapsed of them, their tax in proportion."""
    await unit.connection.execute(_LOWER, *columns([(lapse.charge_id, lapse.amount) for lapse in lapses], 2))


async def leave_out_settled(unit: Unit, run_id: UUID, lapses: Sequence[Lapse]) -> None:
    """Leave accounts out that are owed nothing more; who would have to pay is set aside, since nobody approved that."""
    await unit.connection.execute(_LEFT_OUT, run_id, [lapse.account_id for lapse in lapses])


_SAY = """
UPDATE bill_run_accounts r SET reason = concat_ws('; ', r.reason, n.reason)
FROM unnest($2::uuid[], $3::text[]) AS n (account_id, reason)
WHERE r.run_id = $1 AND r.account_id = n.account_id AND r.state IN ('drafted', 'credited', 'nothing')
"""


async def note_reasons(unit: Unit, run_id: UUID, reasons: Sequence[tuple[UUID, str]]) -> None:
    """Say beside these accounts of a run what became of their credit."""
    await unit.connection.execute(_SAY, run_id, *columns(reasons, 2))


_WORTH = f"""
WITH named AS (
    SELECT l.line, c.subscription_id, {SUPPLY}, c.cycle_from, c.cycle_to
    FROM invoice_lines l JOIN charges c ON c.id = l.charge_id WHERE l.invoice_id = $1
), worth AS (
    SELECT s.subscription_id, s.supply, s.cycle_from, s.cycle_to, sum(coalesce(l.amount_minor, 0)
        + coalesce(d.net_minor + d.tax_minor, 0) + coalesce(k.gross, 0) - coalesce(f.gross, 0)) AS worth
    FROM (SELECT DISTINCT subscription_id, supply, cycle_from, cycle_to FROM named) s
    JOIN charges c ON c.subscription_id = s.subscription_id AND c.cycle_from = s.cycle_from
        AND c.cycle_to = s.cycle_to AND {SUPPLY.removesuffix(" AS supply")} = s.supply
    {_FORGIVEN}
    LEFT JOIN drafts o ON o.id = c.invoice_id AND o.total_minor > 0
    LEFT JOIN draft_lines d ON d.draft_id = o.id AND d.charge_id = c.id
    LEFT JOIN LATERAL (
        SELECT sum(e.net_minor + e.tax_minor) AS gross FROM credited_charges e
        WHERE e.account_id = c.account_id AND e.charge_id = c.id
    ) k ON c.settled_minor <> 0
    GROUP BY s.subscription_id, s.supply, s.cycle_from, s.cycle_to
)
SELECT n.line, dense_rank() OVER (ORDER BY subscription_id, supply, cycle_from, cycle_to) AS supply,
    greatest(w.worth, 0)::bigint AS worth
FROM named n JOIN worth w USING (subscription_id, supply, cycle_from, cycle_to)
"""


async def find_worth(unit: Unit, invoice_id: UUID) -> Worth:
    """Find what the lines of an invoice are still worth: what was billed of each supply, less what was given back."""
    rows = await unit.connection.fetch(_WORTH, invoice_id)
    return Worth({row["line"]: row["supply"] for row in rows}, {row["supply"]: row["worth"] for row in rows})
