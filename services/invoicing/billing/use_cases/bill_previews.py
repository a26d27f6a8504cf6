"""Previews of an account's bill on a day: a draft that is drawn up by the code of every run, and undone.

Where an outside tax calculator says the tax, it is asked after that, in no transaction.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, time, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID
from zoneinfo import ZoneInfo

from services.invoicing.accounts.repository import account_queries
from services.invoicing.billing.domain.billed_lines import SignedLine, compute_collectable_minor
from services.invoicing.billing.domain.outside_tax import InvoiceTax, InvoiceTaxRefused, compute_gross_total
from services.invoicing.billing.domain.tax_calculator import InvoiceTaxFacts, TaxCalculationRequest
from services.invoicing.billing.repository import bill_run_queries, outside_tax_queries
from services.invoicing.billing.use_cases import account_billing, bill_run_control, tax_calculation
from shared.persistence.database import Unit
from shared.pure.calendar import find_local_instant, get_local_date
from shared.pure.errors import Refusal, RetryLater, Unavailable
from shared.pure.ids import new_id

if TYPE_CHECKING:
    from shared.process.runtime import Runtime

TAXED_WITHIN = timedelta(seconds=10)
"""How long the tax calculator may take while somebody waits for a preview."""


class BillPreviewDatePast(Refusal):
    """A preview is of today or later; what was due before is on the next invoice anyway."""

    code = "date_refused"
    status = 422


class TaxCalculatorUnavailable(Unavailable):
    """The outside tax calculator gives no answer now, and without tax nobody would know what is to be paid."""

    code = "tax_unavailable"
    retry_after = 10


class _Undone(Exception):
    """The draft was seen."""


@dataclass(frozen=True, slots=True)
class BillPreview:
    """Bill of a run of that day or, below 0, its credit; without lines it would do neither.

    `set_aside`: why the account could not be billed. `unbilled`: what of a credit would stay unbilled.
    """

    currency: str
    due_date: date | None
    total_minor: int
    lines: Sequence[Mapping[str, Any]]
    set_aside: str | None
    unbilled: str | None
    to_be_taxed: InvoiceTaxFacts | None = None
    """What the outside tax calculator is still to be asked: until then the lines have no tax."""


async def preview_account_bill(unit: Unit, account_id: UUID, day: date) -> BillPreview:
    """Draw up what is due by a day, renewals until then included, and undo it. Raises NotFound, BillPreviewDatePast."""
    account = await account_queries.get_account(unit, account_id)
    zone = ZoneInfo(account.time_zone)
    if day < get_local_date(unit.now, zone):
        raise BillPreviewDatePast(f"run_date: {day} is past in {account.time_zone}")
    await unit.lock_subjects(account_id)
    then = max(unit.now, find_local_instant(day, time(0), zone))
    try:
        async with unit.savepoint():
            # All that it publishes and writes is undone with the savepoint; the rows are read before.
            preview = await _drawn_up(replace(unit, now=then), account_id, account.currency, day)
            raise _Undone
    except _Undone:
        return preview


async def _drawn_up(unit: Unit, account_id: UUID, currency: str, day: date) -> BillPreview:
    run = bill_run_control.build_bill_run_row(unit, day, at_once=False, actor="preview")
    unit.session.add(run)
    await unit.session.flush()
    await bill_run_queries.include_account_in_preview(unit, run.id, account_id)
    await account_billing.draft_account_invoices(unit, run.id, day, [account_id])
    draft = await bill_run_queries.find_bill_preview_draft(unit, run.id)
    lines = await bill_run_queries.list_draft_line_records(unit, draft["id"]) if draft else []
    state, reason = await bill_run_queries.get_bill_preview_outcome(unit, run.id)
    facts = await outside_tax_queries.find_draft_tax_facts(unit, draft["id"]) if draft else None
    return BillPreview(
        currency,
        due_date=draft["due_date"] if draft and draft["total_minor"] > 0 else None,
        total_minor=draft["total_minor"] if draft else 0,
        lines=lines,
        set_aside=reason if state == "set_aside" else None,
        unbilled=reason if state != "set_aside" else None,
        to_be_taxed=InvoiceTaxFacts(**facts) if facts else None,
    )


async def add_outside_tax(runtime: "Runtime", preview: BillPreview, facts: InvoiceTaxFacts) -> BillPreview:
    """The preview with the tax that the calculator says, or why a run would set the account aside.

    Raises TaxCalculatorUnavailable.
    """
    request = TaxCalculationRequest(request_id=new_id(), purpose="preview", **facts.model_dump())
    try:
        result = await tax_calculation.ask_tax_calculator(runtime, request, TAXED_WITHIN)
    except RetryLater as error:
        raise TaxCalculatorUnavailable(str(error)) from error
    nothing = BillPreview(preview.currency, None, 0, [], None, None)
    if isinstance(result, InvoiceTaxRefused):
        return replace(nothing, set_aside=result.reason)
    comes_to = compute_gross_total(facts.taxable_net_by_line, result.lines)
    if comes_to == 0:
        return nothing
    lines = _add_tax(preview.lines, result)
    due_date = preview.due_date if comes_to > 0 else None
    return replace(preview, due_date=due_date, total_minor=comes_to, lines=lines, to_be_taxed=None)


def _add_tax(lines: Sequence[Mapping[str, Any]], taxed: InvoiceTax) -> list[dict[str, Any]]:
    taxes = {tax.line: {"tax_minor": tax.tax_minor, "tax_rate_bp": tax.rate_bp} for tax in taxed.lines}
    taxed_lines = sorted((dict(line) | taxes[line["line"]] for line in lines), key=lambda line: line["line"])
    collectable = compute_collectable_minor(
        [SignedLine(line["subscription_id"], line["net_minor"] + line["tax_minor"]) for line in taxed_lines]
    )
    return [
        line | {"collectable_minor": amount_minor} for line, amount_minor in zip(taxed_lines, collectable, strict=True)
    ]
