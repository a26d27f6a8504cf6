"""Queries of bills that come to less than nothing, and of the lines that can take their credits."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from uuid import UUID

import asyncpg

from services.invoicing.adjustments.repository.supplies import SUPPLY
from services.invoicing.billing.domain.proration_credits import (
    ChargedSupply,
    CreditableInvoiceLine,
    CreditSettledCharge,
    DueCharge,
)
from services.invoicing.billing.repository.bill_chunk import BillChunk
from services.invoicing.subscriptions.domain.proration import BillingCycle
from shared.persistence.bulk_rows import split_into_columns
from shared.persistence.database import Unit


@dataclass(frozen=True, slots=True)
class ChargeReversalSurplus:
    """Bill of an account that was drawn up and comes to less than nothing."""

    account_id: UUID
    bill_id: UUID
    currency: str
    due: tuple[DueCharge, ...]


@dataclass(frozen=True, slots=True)
class SurplusCreditOutcome:
    """Outcome of an account in a run; `reason` says what of its credit stays unbilled, if anything does."""

    account_id: UUID
    bill_id: UUID
    is_credited: bool
    reason: str | None


async def list_charge_reversal_surpluses(chunk: BillChunk) -> list[ChargeReversalSurplus]:
    """List the bills of a chunk that come to less than nothing."""
    return [
        ChargeReversalSurplus(account_id, bill_id, currency, tuple(_due(row) for row in lines))
        for (account_id, bill_id, currency), lines in groupby(
            await chunk.list_surplus_lines(), key=lambda row: (row["account_id"], row["invoice_id"], row["currency"])
        )
    ]


def _due(row: asyncpg.Record) -> DueCharge:
    return DueCharge(row["charge_id"], _supply(row), row["net_minor"], row["tax_minor"])


def _supply(row: asyncpg.Record) -> ChargedSupply:
    return ChargedSupply(row["subscription_id"], row["supply"], BillingCycle(row["cycle_from"], row["cycle_to"]))


COMPUTE_LINE_CREDITABLE_MINOR = "b.amount_minor - b.credited_minor - b.written_off_minor"
"""`compute_line_creditable_minor` of the domain of adjustments, over `line_balances b`."""
COMPUTE_LINE_EXCESS = "coalesce(b.amount_minor, 0) - coalesce(g.amount, 0) - l.amount_minor"
"""`InvoicedSupplyLine.excess_minor` of the domain: a line `l`, its balance `b`, the credits of bill runs `g`."""
LIST_CREDITABLE_LINES = f"""
WITH given AS (
    SELECT n.invoice_id, k.line, sum(k.amount_minor) AS amount
    FROM credit_notes n JOIN credit_note_lines k ON k.credit_note_id = n.id
    WHERE n.account_id = ANY($1::uuid[]) AND n.bill_id IS NOT NULL GROUP BY n.invoice_id, k.line
), parts AS (
    SELECT i.account_id, i.issued_at, i.number, l.invoice_id, l.line, l.amount_minor, l.tax_minor, c.subscription_id,
        {SUPPLY}, c.cycle_from, c.cycle_to, b.credited_minor,
        {COMPUTE_LINE_CREDITABLE_MINOR} AS creditable_minor,
        {COMPUTE_LINE_EXCESS} AS beyond
    FROM invoices i
    JOIN invoice_lines l ON l.invoice_id = i.id
    JOIN charges c ON c.id = l.charge_id
    LEFT JOIN line_balances b ON b.invoice_id = l.invoice_id AND b.line = l.line
    LEFT JOIN given g ON g.invoice_id = l.invoice_id AND g.line = l.line
    WHERE i.account_id = ANY($1::uuid[])
    UNION ALL
    SELECT k.account_id, NULL, NULL, NULL, NULL, 0, 0, c.subscription_id, {SUPPLY}, c.cycle_from, c.cycle_to, 0, 0,
        -k.net_minor - k.tax_minor
    FROM credited_charges k JOIN charges c ON c.id = k.charge_id WHERE k.account_id = ANY($1::uuid[])
), summed AS (
    SELECT *, (sum(beyond) OVER (PARTITION BY subscription_id, supply, cycle_from, cycle_to))::bigint AS excess
    FROM parts
)
SELECT account_id, invoice_id, line, subscription_id, supply, cycle_from, cycle_to, amount_minor, tax_minor,
    credited_minor, creditable_minor, excess
FROM summed WHERE creditable_minor > 0
    AND (excess > 0 OR (subscription_id, cycle_from) IN (SELECT * FROM unnest($2::uuid[], $3::date[])))
ORDER BY account_id, issued_at DESC, number DESC, line DESC
"""
"""The lines of the accounts $1 that can take something back; `excess` is `compute_supply_excess` of the domain."""


async def list_creditable_lines(
    unit: Unit, surpluses: Sequence[ChargeReversalSurplus]
) -> dict[UUID, list[CreditableInvoiceLine]]:
    """The lines of these accounts that can take something back, by account, the last ones first."""
    lines_by_account: dict[UUID, list[CreditableInvoiceLine]] = {surplus.account_id: [] for surplus in surpluses}
    supplies = {(due.supply.subscription_id, due.supply.cycle.begin) for surplus in surpluses for due in surplus.due}
    for row in await unit.connection.fetch(
        LIST_CREDITABLE_LINES, list(lines_by_account), *split_into_columns(supplies, 2)
    ):
        lines_by_account[row["account_id"]].append(
            CreditableInvoiceLine(
                row["invoice_id"],
                row["line"],
                _supply(row),
                row["amount_minor"],
                row["tax_minor"],
                row["credited_minor"],
                row["creditable_minor"],
                row["excess"],
            )
        )
    return lines_by_account


_SETTLE = """
WITH settled AS (
    SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::bigint[], $5::bigint[], $6::bigint[])
        AS s (bill_id, account_id, charge_id, net, tax, kept)
), noted AS (
    INSERT INTO credited_charges (bill_id, charge_id, account_id, net_minor, tax_minor)
    SELECT bill_id, charge_id, account_id, net, tax FROM settled WHERE net <> 0 OR kept = 0
)
UPDATE charges c
SET settled_minor = c.settled_minor + s.net, invoice_id = CASE WHEN s.kept = 0 THEN s.bill_id END
FROM settled s WHERE c.id = s.charge_id
"""


async def save_credit_settled_charges(
    unit: Unit, settled: Iterable[tuple[ChargeReversalSurplus, CreditSettledCharge]]
) -> None:
    """Charges are settled by the credit notes of their bills; what is kept of them is to be billed by a later run."""
    rows = [
        (
            of.bill_id,
            of.account_id,
            settled_charge.charge_id,
            settled_charge.net,
            settled_charge.tax,
            settled_charge.kept,
        )
        for of, settled_charge in settled
    ]
    await unit.connection.execute(_SETTLE, *split_into_columns(rows, 6))


_OUTCOMES = """
WITH outcomes AS (
    SELECT * FROM unnest($2::uuid[], $3::uuid[], $4::boolean[], $5::text[]) AS o (account_id, bill_id, given, reason)
)
UPDATE bill_run_accounts r SET reason = o.reason, due_at = NULL, state = CASE WHEN o.given THEN $6 ELSE 'nothing' END,
    invoice_id = CASE WHEN o.given THEN o.bill_id END
FROM outcomes o WHERE r.run_id = $1 AND r.account_id = o.account_id
"""


async def save_surplus_outcomes(unit: Unit, run_id: UUID, state: str, outcomes: Sequence[SurplusCreditOutcome]) -> None:
    """These accounts of a run are in a state now, those to which nothing can be given in `nothing`."""
    rows = [(outcome.account_id, outcome.bill_id, outcome.is_credited, outcome.reason) for outcome in outcomes]
    await unit.connection.execute(_OUTCOMES, run_id, *split_into_columns(rows, 4), state)
