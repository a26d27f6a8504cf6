"""A bill run gives back what it owes: what was drawn up and comes to less than nothing becomes credit notes.

Accounts of which that is so are few, and worked on one by one; the others cost one statement a chunk.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from services.invoicing.accounts.repository import account_queries
from services.invoicing.accounts.repository.account_queries import LockedAccount
from services.invoicing.adjustments.domain import adjustment_rules
from services.invoicing.adjustments.use_cases import credit_note_issuing
from services.invoicing.adjustments.use_cases.credit_note_issuing import PRORATION, CreditReason
from services.invoicing.billing.domain.proration_credits import SurplusLineCredits, credit_charge_reversal_surplus
from services.invoicing.billing.repository import lapse_queries, proration_credit_queries
from services.invoicing.billing.repository.bill_chunk import BillChunk
from services.invoicing.billing.repository.lapse_queries import LapsedChargeReversal
from services.invoicing.billing.repository.proration_credit_queries import ChargeReversalSurplus, SurplusCreditOutcome
from services.invoicing.payments.repository import allocation_queries
from services.invoicing.payments.use_cases.payment_effects import UnsavedAccountInvoices
from services.invoicing.receivables.domain.invoice_balances import Invoice
from services.invoicing.receivables.repository import invoice_queries
from shared.persistence.database import Unit
from shared.pure.money import Money

Judged = Sequence[tuple[ChargeReversalSurplus, SurplusLineCredits]]


async def draft_surplus_credits(chunk: BillChunk) -> None:
    """Let what can be given back wait for approval, with what of it cannot; leave out who can be given nothing."""
    surpluses = await proration_credit_queries.list_charge_reversal_surpluses(chunk)
    decided_surpluses = await _decide_surpluses(chunk.unit, surpluses)
    if decided_surpluses:
        await proration_credit_queries.save_surplus_outcomes(
            chunk.unit, chunk.run_id, "drafted", [_outcome(*decision) for decision in decided_surpluses]
        )
        await chunk.drop_finished_accounts()


async def lapse_draft_surpluses(chunk: BillChunk) -> Sequence[LapsedChargeReversal]:
    """Let drafts that give something back give less by what people have given back since they were drawn up."""
    lapsed = await lapse_queries.lapse_drafted_charge_reversals(chunk.unit)
    if lapsed:
        await chunk.lower_lines([(lapse.charge_id, lapse.amount) for lapse in lapsed])
        await chunk.compute_totals()
        await lapse_queries.skip_settled_bill_accounts(chunk.unit, chunk.run_id, lapsed)
        await chunk.drop_finished_accounts()
        await chunk.compute_collectable()
    return lapsed


async def report_lapsed_reversals(unit: Unit, run_id: UUID, lapsed: Sequence[LapsedChargeReversal]) -> None:
    """Say in the run's report what lapsed, by account."""
    sums: Counter[tuple[UUID, str]] = Counter()
    for lapse in lapsed:
        sums[lapse.account_id, lapse.currency] += lapse.amount
    reasons = [
        (account_id, f"{Money(amount, currency)} without tax lapse: so much had been credited or written off before")
        for (account_id, currency), amount in sums.items()
    ]
    if reasons:
        await lapse_queries.save_reversal_lapse_reasons(unit, run_id, reasons)


async def take_surpluses_from_bills(chunk: BillChunk) -> Sequence[ChargeReversalSurplus]:
    """Take what is to be given back out of what becomes invoices."""
    surpluses = await proration_credit_queries.list_charge_reversal_surpluses(chunk)
    if surpluses:
        await chunk.drop_surpluses()
    return surpluses


async def issue_surplus_credits(
    unit: Unit, run_id: UUID, taken: Sequence[ChargeReversalSurplus]
) -> dict[UUID, UnsavedAccountInvoices]:
    """Issue the credit notes of what was taken out, by the facts of now; the invoices credited, by account.

    What they settle is billed no more; what no line can take stays unbilled, and the run says so. Saving the invoices
    is the caller's.
    """
    decided_surpluses = await _decide_surpluses(unit, taken)
    if not decided_surpluses:
        return {}
    locked_accounts = {
        account.id: account
        for account in await account_queries.list_locked_accounts(unit, [of.account_id for of, _ in decided_surpluses])
    }
    named = {invoice_id for _, credits in decided_surpluses for invoice_id, _, _ in credits.credits}
    before = await invoice_queries.map_account_open_invoices(unit, [], named)
    credited: dict[UUID, UnsavedAccountInvoices] = {}
    for of, credits in decided_surpluses:
        account_before = before.get(of.account_id, {})
        after = credited[of.account_id].after if of.account_id in credited else account_before
        after = await _credit(unit, locked_accounts[of.account_id], of, credits, after)
        credited[of.account_id] = UnsavedAccountInvoices(account_before, after)
    await proration_credit_queries.save_credit_settled_charges(
        unit, [(of, charge) for of, credits in decided_surpluses for charge in credits.charges]
    )
    await proration_credit_queries.save_surplus_outcomes(
        unit, run_id, "credited", [_outcome(*decision) for decision in decided_surpluses]
    )
    return credited


async def _decide_surpluses(unit: Unit, surpluses: Sequence[ChargeReversalSurplus]) -> Judged:
    if not surpluses:
        return []
    billed = await proration_credit_queries.list_creditable_lines(unit, surpluses)
    return [(surplus, credit_charge_reversal_surplus(surplus.due, billed[surplus.account_id])) for surplus in surpluses]


def _outcome(of: ChargeReversalSurplus, credits: SurplusLineCredits) -> SurplusCreditOutcome:
    unbilled_text = (
        f"{Money(credits.uncreditable_net_minor, of.currency)} without tax stay unbilled:"
        " no line that was billed can be credited with it"
    )
    return SurplusCreditOutcome(
        of.account_id, of.bill_id, bool(credits.credits), unbilled_text if credits.uncreditable_net_minor else None
    )


async def _credit(
    unit: Unit,
    account: LockedAccount,
    of: ChargeReversalSurplus,
    credits: SurplusLineCredits,
    before: Mapping[UUID, Invoice],
) -> dict[UUID, Invoice]:
    """Issue one credit note for each invoice, in the order in which they were issued; the account's invoices after."""
    after = dict(before)
    wanted = _by_invoice(credits.credits)
    for invoice in sorted((before[id_] for id_ in wanted), key=lambda invoice: invoice.number):
        paid = await allocation_queries.list_allocations_on_invoice(unit, invoice.id)
        credited = adjustment_rules.credit_invoice_lines(invoice, sorted(wanted[invoice.id]), paid)
        await credit_note_issuing.issue_credit_note(
            unit, account, invoice, credited, CreditReason(PRORATION, bill_id=of.bill_id)
        )
        after[invoice.id] = credited.invoice
    return after


def _by_invoice(taken: Iterable[tuple[UUID, int, int]]) -> Mapping[UUID, list[tuple[int, int]]]:
    lines_by_invoice: defaultdict[UUID, list[tuple[int, int]]] = defaultdict(list)
    for invoice_id, line, amount in taken:
        lines_by_invoice[invoice_id].append((line, amount))
    return lines_by_invoice
