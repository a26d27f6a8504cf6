"""Drafts whose tax an outside calculator shall say: what it is asked, the intents to ask, and what it answered."""

from typing import Any
from uuid import UUID

import asyncpg

from services.invoicing.billing.repository.bill_chunk import BillChunk
from shared.base.telemetry import get_traceparent
from shared.persistence.database import Unit
from shared.process.intents import build_intents_statement
from shared.pure.errors import Unavailable

CALCULATE_TAX = "calculate_tax"
"""The kind of the intent; its key is the draft's id."""

_FACTS = """
SELECT d.id, d.run_id, d.account_id, jsonb_build_object(
    'legal_entity', d.legal_entity, 'seller_country', e.country, 'customer_country', a.country,
    'tax_status', a.tax_status, 'tax_id', a.tax_id, 'currency', d.currency, 'date', d.issue_date,
    'lines', (
        SELECT jsonb_agg(jsonb_build_object('line', l.line, 'tax_class', p.tax_class, 'net_minor', l.net_minor,
            'description', l.description) ORDER BY l.line)
        FROM draft_lines l JOIN charges c ON c.id = l.charge_id JOIN plans p ON p.id = c.plan_id
        WHERE l.draft_id = d.id
    )) AS facts
FROM drafts d
JOIN accounts a ON a.id = d.account_id
JOIN legal_entities e ON e.code = d.legal_entity AND e.tax_calculator = 'outside'
"""
"""What the calculator is asked about drafts, as `calculator.Facts` has it; nothing where there are rates."""

_WANT = build_intents_statement(f"""
SELECT gen_random_uuid(), f.account_id, f.id::text, f.facts
FROM bill_invoices b JOIN ({_FACTS}) AS f ON f.id = b.invoice_id WHERE b.to_be_taxed
""")


async def queue_draft_tax_requests(chunk: BillChunk) -> None:
    """Let drafts that are to be taxed wait for that; the others that were drawn up can go on.

    Raises Unavailable.
    """
    unit, waiting = chunk.unit, await chunk.count_to_be_taxed()
    if not waiting:
        return
    await chunk.keep_drafts("to_be_taxed", to_be_taxed=True)
    wanted = await unit.connection.execute(_WANT, CALCULATE_TAX, unit.now, unit.now, get_traceparent())
    if wanted != f"INSERT 0 {waiting}":  # nobody would ever answer what is not asked
        raise Unavailable("a legal entity's tax is calculated otherwise since a moment ago; try again")
    await chunk.drop_drafts_awaiting_tax()
    unit.wake_after_commit("intents")


async def find_draft_tax_facts(unit: Unit, draft_id: UUID) -> dict[str, Any] | None:
    """Find what the calculator is asked about a draft; None if its tax follows from rates."""
    facts: dict[str, Any] | None = await unit.connection.fetchval(
        f"SELECT facts FROM ({_FACTS}) AS f WHERE id = $1", draft_id
    )
    return facts


_WAITING = f"""
SELECT r.run_id, r.account_id, b.at_once, f.facts IS NOT DISTINCT FROM i.payload AS still_so
FROM intents i
JOIN bill_run_accounts r ON r.invoice_id = i.key::uuid AND r.account_id = i.account_id AND r.state = 'to_be_taxed'
JOIN bill_runs b ON b.id = r.run_id
LEFT JOIN ({_FACTS}) AS f ON f.id = r.invoice_id
WHERE i.id = $1
"""


async def find_account_awaiting_tax(unit: Unit, intent_id: UUID) -> asyncpg.Record | None:
    """The account of a run that waits for the answer to an intent, if it still does.

    `still_so`: the question is still the one to ask; who the customer is to the tax office may be different now.
    """
    return await unit.connection.fetchrow(_WAITING, intent_id)


async def list_tax_intent_keys(unit: Unit, run_id: UUID) -> list[str]:
    """The keys of the intents by which the tax of a run's drafts is wanted."""
    rows = await unit.connection.fetch(
        "SELECT invoice_id::text AS key FROM bill_run_accounts WHERE run_id = $1 AND state = 'to_be_taxed'", run_id
    )
    return [row["key"] for row in rows]
