"""A vendor's reconciliation file is taken, wholly or not at all, and compared with what we expected; again if asked."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from services.invoicing.files.domain.broken_lines import refuse_broken_file_lines
from services.invoicing.files.repository import ReceivedUploadedFile
from services.invoicing.vendor_costs.domain import line_verdicts
from services.invoicing.vendor_costs.domain.line_verdicts import ReconciliationVerdictSum
from services.invoicing.vendor_costs.domain.vendor_lines import VendorFileLines
from services.invoicing.vendor_costs.repository import (
    cost_comparison,
    reconciliation_queries,
    vendor_file_queries,
    vendor_invoice_queries,
)
from services.invoicing.vendor_costs.tables import ReconciliationRow, VendorInvoiceRow
from shared.events.invoicing import ReconciliationCompleted, ReconciliationTotal, VendorCredit, VendorCreditReceived
from shared.persistence.audit import AuditedChange
from shared.persistence.database import Unit
from shared.pure.errors import NotFound, Refusal
from shared.pure.ids import new_id
from shared.pure.money import Money

CREDITS_AN_EVENT = 500
"""Most credits that one event names, so that it stays well below the limit of a message."""


class AnotherVendorFile(Refusal):
    """The vendor invoice has another file, which is replaced only on request, with a reason."""

    code = "another_file"


class VendorFileDecisionsTaken(Refusal):
    """People have decided about differences of the file that is there, so it stays."""

    code = "decisions_taken"


@dataclass(frozen=True, slots=True)
class TakenVendorFile:
    """File whose lines are taken, as it is kept; sums in minor units, the total with tax."""

    sha256: str
    layout: str
    lines: int
    total_minor: int
    tax_minor: int


@dataclass(frozen=True, slots=True)
class ReconciliationResult:
    """A reconciliation and what it came to by verdict; `repeated` if it was there before."""

    row: ReconciliationRow
    sums: Sequence[ReconciliationVerdictSum]
    repeated: bool = False


async def get_reconciliation_result(unit: Unit, invoice_id: UUID) -> ReconciliationResult:
    """Get what the current reconciliation of a vendor invoice came to. Raises NotFound."""
    await vendor_invoice_queries.get_vendor_invoice_row(unit, invoice_id)
    row = await reconciliation_queries.find_reconciliation(unit, invoice_id)
    if row is None:
        raise NotFound(f"no reconciliation file was received for vendor invoice {invoice_id}")
    return ReconciliationResult(
        row, await reconciliation_queries.list_reconciliation_verdict_sums(unit, row.id), repeated=True
    )


async def reconcile_vendor_file(
    unit: Unit, invoice_id: UUID, file: ReceivedUploadedFile, actor: str, replace_because: str | None
) -> ReconciliationResult:
    """Take a file and compare it. The same file again changes nothing; another one takes its place if that is asked.

    Raises NotFound, AnotherVendorFile, VendorFileDecisionsTaken, UploadedFileLinesBroken, VendorFileSumsRefused.
    """
    started = time.monotonic()
    await vendor_invoice_queries.get_vendor_invoice_row(unit, invoice_id)
    await cost_comparison.lock_vendor_cost_comparison(unit)
    await unit.lock_subjects(invoice_id)
    invoice = await vendor_invoice_queries.get_vendor_invoice_row(unit, invoice_id)
    former_row = await reconciliation_queries.find_reconciliation(unit, invoice_id)
    if former_row is not None and former_row.file_sha256 == file.sha256:
        unit.record_nothing()
        return await get_reconciliation_result(unit, invoice_id)
    if former_row is not None:
        await _replace(unit, former_row, actor, replace_because)
    lines = VendorFileLines(file.layout, invoice.currency)
    await vendor_file_queries.copy_vendor_file_lines(unit, file.content, lines)
    refuse_broken_file_lines(lines.broken_lines)
    _check_sums(lines, invoice)
    taken = TakenVendorFile(file.sha256, file.layout.value, lines.count, lines.total_minor, lines.tax_minor)
    return await _compare(unit, invoice, taken, former_row, actor, started)


async def compare_vendor_file_again(unit: Unit, invoice_id: UUID, actor: str, reason: str) -> ReconciliationResult:
    """Compare the lines that were taken with what we expect by now: a charge may have been recorded late.

    Raises NotFound, VendorFileDecisionsTaken.
    """
    started = time.monotonic()
    await get_reconciliation_result(unit, invoice_id)
    await cost_comparison.lock_vendor_cost_comparison(unit)
    await unit.lock_subjects(invoice_id)
    former_row = (await get_reconciliation_result(unit, invoice_id)).row
    await vendor_file_queries.stage_stored_vendor_lines(unit, former_row.id)
    await _replace(unit, former_row, actor, reason)
    taken = TakenVendorFile(
        former_row.file_sha256, former_row.layout, former_row.lines, former_row.total_minor, former_row.tax_minor
    )
    return await _compare(
        unit, await vendor_invoice_queries.get_vendor_invoice_row(unit, invoice_id), taken, former_row, actor, started
    )


async def _compare(
    unit: Unit,
    invoice: VendorInvoiceRow,
    taken: TakenVendorFile,
    replaced: ReconciliationRow | None,
    actor: str,
    started: float,
) -> ReconciliationResult:
    sums = await cost_comparison.compare_vendor_lines(
        unit, invoice, line_verdicts.compute_vendor_unit_tolerance(invoice.currency)
    )
    row = _row(unit, invoice, taken, line_verdicts.get_reconciliation_status(sums), actor)
    await reconciliation_queries.insert_reconciliation(unit, row)
    await reconciliation_queries.insert_reconciliation_verdict_sums(unit, row.id, sums)
    await cost_comparison.save_vendor_comparison(unit, row.id, invoice)
    row.took_ms = round((time.monotonic() - started) * 1000)
    unit.publish(_complete(row, invoice, sums, replaced))
    await _publish_credits(unit, row, invoice.currency, is_replacing=replaced is not None)
    former, present = (_as_audited(replaced), _as_audited(row)) if replaced else (None, None)
    unit.record(AuditedChange("vendor_reconciliation", row.id, None, former, present))
    return ReconciliationResult(
        row, sorted(sums, key=lambda verdict_sum: list(line_verdicts.Verdict).index(verdict_sum.verdict))
    )


async def _publish_credits(unit: Unit, row: ReconciliationRow, currency: str, *, is_replacing: bool) -> None:
    """Publish what the vendor credits; also that it is nothing any more, where another file said otherwise."""
    credits = [VendorCredit(**credit) for credit in await reconciliation_queries.list_vendor_credit_lines(unit, row.id)]
    for start in range(0, max(len(credits), int(is_replacing)), CREDITS_AN_EVENT):
        unit.publish(
            VendorCreditReceived(
                vendor_invoice_id=row.vendor_invoice_id,
                reconciliation_id=row.id,
                currency=currency,
                credits=tuple(credits[start : start + CREDITS_AN_EVENT]),
            )
        )


def _as_audited(row: ReconciliationRow) -> dict[str, object]:
    return {"reconciliation_id": row.id, "lines": row.lines, "total_minor": row.total_minor, "state": row.status}


async def reconcile_vendor_invoice_number(
    unit: Unit, number: str, file: ReceivedUploadedFile, actor: str, replace_because: str | None
) -> ReconciliationResult:
    """Reconcile the vendor invoice of this number with a file, as `reconcile_vendor_file` does."""
    invoice = await vendor_invoice_queries.find_vendor_invoice_row(unit, number)
    if invoice is None:
        raise NotFound(f"there is no vendor invoice {number}")
    return await reconcile_vendor_file(unit, invoice.id, file, actor, replace_because)


async def _replace(unit: Unit, former_row: ReconciliationRow, actor: str, because: str | None) -> None:
    if because is None:
        raise AnotherVendorFile("the vendor invoice has another file; replace it with ?replace=true and a reason")
    if await reconciliation_queries.has_decided_vendor_differences(unit, former_row.id):
        raise VendorFileDecisionsTaken("differences of the file that is there are decided, so it stays")
    await reconciliation_queries.delete_replaced_reconciliation(unit, former_row.id, actor, because)


def _check_sums(lines: VendorFileLines, invoice: VendorInvoiceRow) -> None:
    currency = invoice.currency
    line_verdicts.check_vendor_file_sums(
        lines.count,
        (Money(lines.total_minor, currency), Money(lines.tax_minor, currency)),
        (Money(invoice.total_minor, currency), Money(invoice.tax_minor, currency)),
    )


def _row(
    unit: Unit,
    invoice: VendorInvoiceRow,
    taken: TakenVendorFile,
    status: line_verdicts.ReconciliationStatus,
    actor: str,
) -> ReconciliationRow:
    return ReconciliationRow(
        id=new_id(),
        vendor_invoice_id=invoice.id,
        currency=invoice.currency,
        file_sha256=taken.sha256,
        layout=taken.layout,
        lines=taken.lines,
        total_minor=taken.total_minor,
        tax_minor=taken.tax_minor,
        status=status.value,
        took_ms=0,
        reconciled_at=unit.now,
        reconciled_by=actor,
    )


def _complete(
    row: ReconciliationRow,
    invoice: VendorInvoiceRow,
    sums: Sequence[ReconciliationVerdictSum],
    replaced: ReconciliationRow | None,
) -> ReconciliationCompleted:
    return ReconciliationCompleted(
        vendor_invoice_id=invoice.id,
        reconciliation_id=row.id,
        replaced_reconciliation_id=replaced.id if replaced else None,
        number=invoice.number,
        currency=row.currency,
        file_sha256=row.file_sha256,
        status=row.status,
        lines=row.lines,
        totals=tuple(
            ReconciliationTotal(
                verdict=subtotal.verdict.value,
                comparisons=subtotal.comparisons,
                lines=subtotal.lines,
                billed_minor=subtotal.billed_minor,
                expected_minor=subtotal.expected_minor,
            )
            for subtotal in sums
        ),
    )
