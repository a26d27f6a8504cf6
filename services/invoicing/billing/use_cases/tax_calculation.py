"""The tax of a draft is asked of the outside calculator by a worker, and recorded with what becomes of the account."""

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

from services.invoicing.billing.adapters import open_tax_calculator
from services.invoicing.billing.domain.outside_tax import (
    InvoiceLineTax,
    InvoiceTax,
    InvoiceTaxRefused,
    compute_gross_total,
    find_invoice_tax_flaw,
)
from services.invoicing.billing.domain.tax_calculator import (
    InvoiceTaxFacts,
    TaxCalculationRequest,
    TaxCalculatorRefusal,
)
from services.invoicing.billing.repository import bill_run_queries, outside_tax_queries
from services.invoicing.billing.repository.bill_chunk import BillChunk
from services.invoicing.billing.use_cases import proration_credit_notes
from shared.persistence.database import Unit
from shared.process import intents
from shared.process.intents import Intent, RecordingOutcome
from shared.pure.errors import RetryLater

if TYPE_CHECKING:
    from shared.process.runtime import Runtime

ATTEMPTS = 4
"""How often a worker asks before the account is set aside: for 21 minutes of business time, by `intents.BACK_OFF`."""
ANSWERED_WITHIN = intents.LEASE - timedelta(seconds=15)
"""All quick attempts included, so that no second worker asks meanwhile."""


async def ask_tax_calculator(
    runtime: "Runtime", request: TaxCalculationRequest, within: timedelta
) -> InvoiceTax | InvoiceTaxRefused:
    """Ask the calculator about an invoice; InvoiceTaxRefused if it refuses, or answers what cannot be.

    Raises RetryLater.
    """
    calculator = open_tax_calculator(runtime)
    if calculator is None:
        return InvoiceTaxRefused("no tax calculator is set up")
    try:
        async with asyncio.timeout(within.total_seconds()):
            answer = await calculator.request_invoice_tax(request)
    except TaxCalculatorRefusal as refusal:
        return InvoiceTaxRefused(f"refused: {refusal}")
    except TimeoutError as error:
        raise RetryLater("the tax calculator takes too long") from error
    taxes = tuple(InvoiceLineTax(line.line, line.tax_minor, line.rate_bp) for line in answer.lines)
    wrong = find_invoice_tax_flaw(request.taxable_net_by_line, taxes)
    return (
        InvoiceTaxRefused(f"refused: the tax calculator's answer {wrong}") if wrong else InvoiceTax(taxes, answer.note)
    )


async def calculate_draft_tax(runtime: "Runtime", intent: Intent) -> InvoiceTax | InvoiceTaxRefused:
    """Ask for the tax of a draft. Raises RetryLater, but not for ever: a run waits, and a person can try it again."""
    request = TaxCalculationRequest(request_id=intent.id, purpose="invoice", **intent.payload)
    try:
        return await ask_tax_calculator(runtime, request, ANSWERED_WITHIN)
    except RetryLater as error:
        if intent.attempts < ATTEMPTS:
            raise
        return InvoiceTaxRefused(f"no answer: {error}")


async def record_draft_tax(unit: Unit, intent: Intent, result: InvoiceTax | InvoiceTaxRefused) -> RecordingOutcome:
    """Record what was answered; the account goes on, is set aside, or is drawn up anew if it is different now."""
    row = await outside_tax_queries.find_account_awaiting_tax(unit, intent.id)
    if row is None:
        return RecordingOutcome.DONE
    run_id, account_id = row["run_id"], row["account_id"]
    if not row["still_so"]:
        await bill_run_queries.reset_bill_run_accounts(unit, run_id, account_id, "waiting")
    elif isinstance(result, InvoiceTaxRefused):
        await bill_run_queries.skip_bill_run_account(unit, run_id, account_id, result.reason)
    elif compute_gross_total(InvoiceTaxFacts(**intent.payload).taxable_net_by_line, result.lines) == 0:
        await bill_run_queries.reset_bill_run_accounts(unit, run_id, account_id, "nothing")
    else:
        chunk = await BillChunk.open(unit, run_id)
        await chunk.stage_drafts([account_id])
        await chunk.apply_tax(intent.id, result)
        if not row["at_once"]:
            await proration_credit_notes.draft_surplus_credits(chunk)
        await chunk.keep_drafts("approved" if row["at_once"] else "drafted")
    unit.wake_after_commit("sweeps")
    return RecordingOutcome.DONE
