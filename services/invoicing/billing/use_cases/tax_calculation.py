"""The tax of a draft is asked of the outside calculator by a worker, and recorded with what becomes of the account."""

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

from services.invoicing.billing.calculator.client import Calculator, CalculatorRefusal
from services.invoicing.billing.calculator.contract import Facts, TaxRequest
from services.invoicing.billing.domain.outside_tax import LineTax, NotTaxed, Taxed, compute_total, find_tax_flaw
from services.invoicing.billing.repository import bill_run_issuing, bill_run_queries, outside_tax_queries
from services.invoicing.billing.use_cases import proration_credit_notes
from shared.persistence.database import Unit
from shared.process import intents
from shared.process.intents import Intent, Recorded
from shared.pure.errors import Later

if TYPE_CHECKING:
    from shared.process.runtime import Runtime

ATTEMPTS = 4
"""How often a worker asks before the account is set aside: for 21 minutes of business time, by `intents.BACK_OFF`."""
ANSWERED_WITHIN = intents.LEASE - timedelta(seconds=15)
"""All quick attempts included, so that no second worker asks meanwhile."""


async def ask_calculator(runtime: "Runtime", request: TaxRequest, within: timedelta) -> Taxed | NotTaxed:
    """Ask the calculator about an invoice; NotTaxed if it refuses, or answers what cannot be. Raises Later."""
    settings = runtime.settings
    if not settings.tax_calculator_url:
        return NotTaxed("no tax calculator is set up")
    calculator = Calculator(runtime.tax_calculator, settings.tax_calculator_token_file)
    try:
        async with asyncio.timeout(within.total_seconds()):
            answer = await calculator.ask(request)
    except CalculatorRefusal as refusal:
        return NotTaxed(f"refused: {refusal}")
    except TimeoutError as error:
        raise Later("the tax calculator takes too long") from error
    taxes = tuple(LineTax(line.line, line.tax_minor, line.rate_bp) for line in answer.lines)
    wrong = find_tax_flaw(request.nets, taxes)
    return NotTaxed(f"refused: the tax calculator's answer {wrong}") if wrong else Taxed(taxes, answer.note)


async def calculate_draft_tax(runtime: "Runtime", intent: Intent) -> Taxed | NotTaxed:
    """Ask for the tax of a draft. Raises Later, but not for ever: a run waits, and a person can try it again."""
    request = TaxRequest(request_id=intent.id, purpose="invoice", **intent.payload)
    try:
        return await ask_calculator(runtime, request, ANSWERED_WITHIN)
    except Later as error:
        if intent.attempts < ATTEMPTS:
            raise
        return NotTaxed(f"no answer: {error}")


async def record_draft_tax(unit: Unit, intent: Intent, result: Taxed | NotTaxed) -> Recorded:
    """Record what was answered; the account goes on, is set aside, or is drawn up anew if it is different now."""
    row = await outside_tax_queries.find_waiting_account(unit, intent.id)
    if row is None:
        return Recorded.DONE
    run_id, account_id = row["run_id"], row["account_id"]
    if not row["still_so"]:
        await bill_run_queries.reset_accounts(unit, run_id, account_id, "waiting")
    elif isinstance(result, NotTaxed):
        await bill_run_queries.set_aside(unit, run_id, account_id, result.reason)
    elif compute_total(Facts(**intent.payload).nets, result.lines) == 0:
        await bill_run_queries.reset_accounts(unit, run_id, account_id, "nothing")
    else:
        await outside_tax_queries.take_taxed_drafts(unit, row, intent.id, result)
        if not row["at_once"]:
            await proration_credit_notes.keep_as_drafts(unit, run_id)
        state = "approved" if row["at_once"] else "drafted"
        await bill_run_issuing.keep_as_drafts(unit, run_id, state)
    unit.wake("sweeps")
    return Recorded.DONE
