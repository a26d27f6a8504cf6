"""Columns that show what a line charges: subscription, plan, period, quantity, usage."""

USAGE_JOIN = """
LEFT JOIN LATERAL (
    SELECT string_agg(DISTINCT meter, ', ' ORDER BY meter) AS meters,
        CASE WHEN count(DISTINCT meter) = 1 THEN trim_scale(sum(quantity)) ELSE 0 END AS quantity
    FROM usage_lines WHERE charge_id = c.id
) u ON c.kind = 'usage'
"""
"""The meters of a charge for usage, and how much of it there was; quantities of several meters are not added."""
CHARGE_COLUMNS = """
    c.kind, c.period_from, c.period_to, CASE WHEN c.kind <> 'usage' THEN c.quantity END AS quantity,
    CASE WHEN c.kind <> 'usage' THEN c.unit_price_minor END AS unit_price_minor,
    u.meters, CASE WHEN u.quantity <> 0 THEN u.quantity::text END AS used
"""
"""What a charge is for, of a charge `c` with `USAGE_JOIN`: usage has meters, anything else quantity and unit price."""
