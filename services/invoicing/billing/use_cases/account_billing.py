"""A chunk of a bill run's accounts: what is due becomes drafts or is issued, approved drafts are issued.

What comes to more than nothing is issued as an invoice, what comes to less as credit notes.
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import date
from itertools import groupby
from uuid import UUID

from services.invoicing.accounts.repository import account_queries
from services.invoicing.billing.repository import (
    bill_run_queries,
    lapse_queries,
    outside_tax_queries,
)
from services.invoicing.billing.repository.bill_chunk import BillChunk
from services.invoicing.billing.repository.lapse_queries import LapsedChargeReversal
from services.invoicing.billing.use_cases import proration_credit_notes
from services.invoicing.payments.use_cases.payment_recording import apply_unapplied_cash
from services.invoicing.subscriptions.use_cases import cycle_charges, term_renewals
from shared.base.telemetry import log
from shared.base.transient_errors import is_transient_error
from shared.persistence.database import Unit

Work = Callable[[Unit, UUID, date, list[UUID]], Awaitable[None]]


async def bill_locked_accounts(unit: Unit, account_ids: list[str]) -> None:
    """Do what bill runs want of these accounts, which are locked."""
    todo = await bill_run_queries.list_bill_run_work(unit, [UUID(id_) for id_ in account_ids])
    for (run_id, state, day, at_once), rows in groupby(
        todo, key=lambda row: (row["run_id"], row["state"], row["run_date"], row["at_once"])
    ):
        work = _issue_approved if state == "approved" else _bill_at_once if at_once else draft_account_invoices
        await _run_all_or_each(unit, work, run_id, day, [row["account_id"] for row in rows])


async def _run_all_or_each(unit: Unit, work: Work, run_id: UUID, day: date, account_ids: list[UUID]) -> None:
    """Do it for all at once. Where that breaks, one by one: who cannot be billed is set aside, the others go on."""
    if await _run_in_savepoint(unit, work, run_id, day, account_ids) is None:
        return
    for account_id in account_ids:
        error = await _run_in_savepoint(unit, work, run_id, day, [account_id])
        if error is not None:
            await bill_run_queries.skip_bill_run_account(unit, run_id, account_id, f"a defect: {type(error).__name__}")


async def _run_in_savepoint(
    unit: Unit, work: Work, run_id: UUID, day: date, account_ids: list[UUID]
) -> Exception | None:
    """Do it within a savepoint; what broke it, or None. What is transient is raised, and the unit runs again."""
    try:
        async with unit.savepoint():
            await work(unit, run_id, day, account_ids)
    except Exception as error:
        if is_transient_error(error):
            raise
        log.exception("accounts cannot be billed", run=str(run_id), accounts=len(account_ids))
        return error
    return None


async def _draw_up(
    unit: Unit, run_id: UUID, day: date, account_ids: list[UUID]
) -> tuple[BillChunk, Sequence[LapsedChargeReversal]]:
    """Renew what has ended, charge what is due, and draw up the invoices; those that are to be taxed wait for that.

    What lapses of reversals, since people gave it back before, is on none.
    """
    await term_renewals.renew_ended_terms(unit, account_ids)
    await cycle_charges.charge_changed_billing_cycles(
        unit, await bill_run_queries.list_subscriptions_to_prorate(unit, account_ids, day), day
    )
    await unit.write_pending()
    chunk = await BillChunk.open(unit, run_id)
    await chunk.begin_invoices(account_ids)
    await chunk.charge_whole_cycles(account_ids, day)
    lapsed = await lapse_queries.lapse_due_charge_reversals(unit, account_ids, day)
    await chunk.draw_up_lines(day)
    await outside_tax_queries.queue_draft_tax_requests(chunk)
    return chunk, lapsed


async def draft_account_invoices(unit: Unit, run_id: UUID, day: date, account_ids: list[UUID]) -> None:
    """Draw up the invoices of these accounts, which are locked, as drafts of a run."""
    chunk, lapsed = await _draw_up(unit, run_id, day, account_ids)
    await proration_credit_notes.draft_surplus_credits(chunk)
    await chunk.keep_drafts()
    await proration_credit_notes.report_lapsed_reversals(unit, run_id, lapsed)


async def _bill_at_once(unit: Unit, run_id: UUID, day: date, account_ids: list[UUID]) -> None:
    chunk, lapsed = await _draw_up(unit, run_id, day, account_ids)
    await _issue(chunk)
    await proration_credit_notes.report_lapsed_reversals(unit, run_id, lapsed)


async def _issue_approved(unit: Unit, run_id: UUID, day: date, account_ids: list[UUID]) -> None:
    chunk = await BillChunk.open(unit, run_id)
    await chunk.stage_drafts(account_ids)
    lapsed = await proration_credit_notes.lapse_draft_surpluses(chunk)
    await _issue(chunk)
    await proration_credit_notes.report_lapsed_reversals(unit, run_id, lapsed)


async def _issue(chunk: BillChunk) -> None:
    unit, taken = chunk.unit, await proration_credit_notes.take_surpluses_from_bills(chunk)
    await chunk.issue_invoices()
    credited = await proration_credit_notes.issue_surplus_credits(unit, chunk.run_id, taken)
    with_cash = [*await chunk.list_accounts_with_cash(), *credited]
    await apply_unapplied_cash(unit, await account_queries.list_locked_accounts(unit, with_cash), credited)
