"""Sums that customers were billed for the subscriptions and periods that the vendor bills: issued invoices, less what
bill runs gave back, without tax.

Our cycles need not be the vendor's: what counts is every stretch that touches its period, reversals and what was
billed for differences included. Set-up fees and usage are not for a period of the subscription, and do not count.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from typing import NamedTuple
from uuid import UUID

from services.invoicing.files.repository import PATIENCE
from services.invoicing.vendor_costs.domain.line_verdicts import Verdict
from shared.persistence.bulk_rows import split_into_columns
from shared.persistence.database import Unit
from shared.pure.money import Money


class CustomerBilledSum(NamedTuple):
    """Amount that was billed in one currency, and for which days; `period_to` is the day after the last one."""

    currency: str
    net_minor: int
    period_from: date
    period_to: date


_TOUCHES = """
JOIN charges c ON c.subscription_id = d.subscription_id
    AND c.kind IN ('cycle', 'reversal', 'change', 'vendor_difference')
    AND c.period_from < d.period_to AND c.period_to > d.period_from
LEFT JOIN invoice_lines i ON i.invoice_id = c.invoice_id AND i.charge_id = c.id
JOIN LATERAL (
    SELECT coalesce(i.net_minor, 0) + c.settled_minor AS net_minor WHERE i.charge_id IS NOT NULL OR c.settled_minor <> 0
) l ON true
"""
"""A charge counts as far as it was billed, or settled by credit notes."""

_OF_DIFFERENCES = f"""
SELECT d.id, c.currency, sum(l.net_minor)::bigint, min(c.period_from), max(c.period_to)
FROM vendor_differences d {_TOUCHES}
WHERE d.id = ANY($1::uuid[]) GROUP BY d.id, c.currency ORDER BY d.id, c.currency
"""

# A charge counts once for a verdict, however many charges of the vendor's it touches.
_OF_VERDICTS = f"""
SELECT verdict, currency, sum(net_minor)::bigint AS net_minor
FROM (SELECT DISTINCT d.verdict, c.currency, c.id, l.net_minor FROM verdicts d {_TOUCHES}) each
GROUP BY verdict, currency ORDER BY verdict, currency
"""


async def map_customer_difference_sums(
    unit: Unit, difference_ids: Sequence[UUID]
) -> dict[UUID, list[CustomerBilledSum]]:
    """Map each of these differences to what was billed for it so far, by currency."""
    sums_by_difference: dict[UUID, list[CustomerBilledSum]] = defaultdict(list)
    for id_, *billed in await unit.connection.fetch(_OF_DIFFERENCES, list(difference_ids)):
        sums_by_difference[id_].append(CustomerBilledSum(*billed))
    return sums_by_difference


async def map_customer_verdict_sums(unit: Unit) -> dict[Verdict, list[Money]]:
    """Map each verdict to what was billed for its comparisons, by currency, out of the temporary table `verdicts`."""
    sums_by_verdict: dict[Verdict, list[Money]] = defaultdict(list)
    for row in await unit.connection.fetch(_OF_VERDICTS, timeout=PATIENCE):
        sums_by_verdict[Verdict(row["verdict"])].append(Money(row["net_minor"], row["currency"]))
    return sums_by_verdict


async def list_customer_billed_sums(unit: Unit, reconciliation_id: UUID) -> dict[Verdict, list[Money]]:
    """List what was billed for the comparisons of each verdict, as at the comparison."""
    rows = await unit.connection.fetch(
        "SELECT verdict, currency, net_minor FROM reconciliation_customer_sums WHERE reconciliation_id = $1"
        " ORDER BY verdict, currency",
        reconciliation_id,
    )
    sums_by_verdict: dict[Verdict, list[Money]] = defaultdict(list)
    for row in rows:
        sums_by_verdict[Verdict(row["verdict"])].append(Money(row["net_minor"], row["currency"]))
    return sums_by_verdict


async def insert_customer_billed_sums(
    unit: Unit, reconciliation_id: UUID, sums_by_verdict: Iterable[tuple[Verdict, Sequence[Money]]]
) -> None:
    """Write what was billed."""
    rows = [
        (verdict.value, customer_sum.currency, customer_sum.minor)
        for verdict, ones in sums_by_verdict
        for customer_sum in ones
    ]
    await unit.connection.execute(
        "INSERT INTO reconciliation_customer_sums (reconciliation_id, verdict, currency, net_minor)"
        " SELECT $1, * FROM unnest($2::text[], $3::text[], $4::bigint[])",
        reconciliation_id,
        *split_into_columns(rows, 3),
    )
