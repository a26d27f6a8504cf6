"""Worth of the lines of an invoice, together with what was given back of them."""

from uuid import UUID

from services.invoicing.adjustments.domain.line_worth import InvoiceLineWorth
from services.invoicing.adjustments.repository.supplies import COMPUTE_FORGIVEN_MINOR, SUPPLY
from shared.persistence.database import Unit

COMPUTE_SUPPLY_WORTH = f"""
WITH named AS (
    SELECT l.line, c.subscription_id, {SUPPLY}, c.cycle_from, c.cycle_to
    FROM invoice_lines l JOIN charges c ON c.id = l.charge_id WHERE l.invoice_id = $1
), worth AS (
    SELECT s.subscription_id, s.supply, s.cycle_from, s.cycle_to, sum(coalesce(l.amount_minor, 0)
        + coalesce(d.net_minor + d.tax_minor, 0) + coalesce(k.gross, 0) - coalesce(f.gross, 0)) AS worth
    FROM (SELECT DISTINCT subscription_id, supply, cycle_from, cycle_to FROM named) s
    JOIN charges c ON c.subscription_id = s.subscription_id AND c.cycle_from = s.cycle_from
        AND c.cycle_to = s.cycle_to AND {SUPPLY.removesuffix(" AS supply")} = s.supply
    {COMPUTE_FORGIVEN_MINOR}
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
"""`compute_supply_worth` of the domain, for the supply of each line of the invoice $1."""


async def find_invoice_line_worth(unit: Unit, invoice_id: UUID) -> InvoiceLineWorth:
    """Find what the lines of an invoice are still worth: what was billed of each supply, less what was given back."""
    rows = await unit.connection.fetch(COMPUTE_SUPPLY_WORTH, invoice_id)
    return InvoiceLineWorth({row["line"]: row["supply"] for row in rows}, {row["supply"]: row["worth"] for row in rows})
