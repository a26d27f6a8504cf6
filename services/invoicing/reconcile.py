"""Reconcile a vendor invoice with a file on this machine's disk, of a million lines if need be.

python -m services.invoicing.reconcile FILE --invoice NUMBER --actor WHO
python -m services.invoicing.reconcile FILE --invoice NUMBER --actor WHO --replace REASON

CSV (`.csv`) or JSON lines (`.jsonl`, `.ndjson`), packed (`.gz`) or not. It does what the route does, with the same
answers: nothing for a file that was taken before, exit code 1 and the broken lines for one that is refused.
"""

import asyncio
import hashlib
from pathlib import Path
from typing import Annotated

import typer

from services.invoicing.files.domain.file_layouts import UploadedFileLayout
from services.invoicing.files.repository import ReceivedUploadedFile
from services.invoicing.vendor_costs.use_cases import reconciliation
from services.invoicing.vendor_costs.use_cases.reconciliation import ReconciliationResult
from shared.base.settings import load_settings
from shared.base.telemetry import set_up_telemetry
from shared.base.wakeups import LoopWakeups
from shared.persistence.audit import AuditedAct
from shared.persistence.database import Cause, Unit, Units
from shared.pure.errors import Refusal
from shared.pure.ids import new_id
from shared.web.auth import parse_command_actor

LAYOUTS = {
    ".csv": UploadedFileLayout.CSV,
    ".jsonl": UploadedFileLayout.JSON_LINES,
    ".ndjson": UploadedFileLayout.JSON_LINES,
}


async def reconcile_vendor_invoice(
    units: Units, path: Path, number: str, actor: str, because: str | None
) -> ReconciliationResult:
    """Reconcile the vendor invoice of this number with the file. Raises what the use case refuses."""
    layout = LAYOUTS[_suffix(path)]
    with path.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
        file = ReceivedUploadedFile(content, digest, layout)

        async def reconcile_received_file(unit: Unit) -> ReconciliationResult:
            result = await reconciliation.reconcile_vendor_invoice_number(unit, number, file, actor, because)
            unit.audit.check(unit.cause)
            return result

        act = AuditedAct(actor, "vendor_reconciliation.take", because)
        cause = Cause(id=str(new_id()), act=act)
        return await units.run(reconcile_received_file, cause)


def _suffix(path: Path) -> str:
    return path.with_suffix("").suffix if path.suffix == ".gz" else path.suffix


def describe_reconciliation_result(result: ReconciliationResult) -> str:
    """Describe what a reconciliation came to, for people."""
    row = result.row
    head = f"{row.status}: {row.lines} lines in {row.took_ms / 1000:.1f} s" + (" (before)" if result.repeated else "")
    sums = (
        f"{part.verdict.value:20} {part.lines:>9} lines  "
        f"{part.billed_minor - part.expected_minor:>14} {row.currency} minor"
        for part in result.sums
    )
    return "\n".join((head, *sums))


def main(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True)],
    invoice: Annotated[str, typer.Option(help="the vendor's number of the invoice")],
    actor: Annotated[str, typer.Option(help="who reconciles")],
    replace: Annotated[str | None, typer.Option(help="take the place of another file, for this reason")] = None,
) -> None:
    """Reconcile a vendor invoice with a file."""
    if _suffix(file) not in LAYOUTS:
        raise typer.BadParameter(f"{file.name} is neither {', '.join(LAYOUTS)}, nor one of them packed as .gz")
    who = parse_command_actor(actor)
    set_up_telemetry("invoicing/reconcile")

    async def run_reconciliation() -> ReconciliationResult:
        units = Units(load_settings(), LoopWakeups())
        try:
            return await reconcile_vendor_invoice(units, file, invoice, who, replace)
        finally:
            await units.close()

    try:
        typer.echo(describe_reconciliation_result(asyncio.run(run_reconciliation())))
    except Refusal as refused:
        errors = refused.more.get("errors", [])
        lines = [f"{error['field']}: {error['message']}" for error in errors] if isinstance(errors, list) else []
        typer.echo("\n".join([refused.detail, *lines]), err=True)
        raise typer.Exit(1) from refused


if __name__ == "__main__":
    typer.run(main)
