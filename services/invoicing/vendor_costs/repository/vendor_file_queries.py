"""The lines of a reconciliation file in a temporary table, where they are compared."""

from typing import BinaryIO
from uuid import UUID

from services.invoicing.files import repository as files_repository
from services.invoicing.files.repository import PATIENCE
from services.invoicing.vendor_costs.domain.vendor_line import VendorFileLine
from services.invoicing.vendor_costs.domain.vendor_lines import VendorFileLines
from services.invoicing.vendor_costs.repository.cost_comparison import NORMAL_ID
from shared.persistence.database import Unit

_INCOMING = """
CREATE TEMPORARY TABLE incoming (
    line int NOT NULL, vendor_customer_id text, vendor_subscription_id text, product text, charge_type text NOT NULL,
    kind text, unit_price numeric NOT NULL, effective_unit_price numeric, quantity numeric NOT NULL,
    subtotal_minor bigint NOT NULL, tax_minor bigint NOT NULL, total_minor bigint NOT NULL, period_from date,
    period_to date, reference text, extra jsonb
) ON COMMIT DROP
"""


async def copy_vendor_file_lines(unit: Unit, file: BinaryIO, lines: VendorFileLines) -> None:
    """COPY the lines of a file into the temporary table `incoming`, and take its statistics.

    What is broken is in `lines` afterwards, and then the table holds a part of the file only.
    """
    await unit.connection.execute(_INCOMING)
    rows = lines.read_vendor_lines(files_repository.read_unpacked_file_lines(file))
    await files_repository.copy_into_temporary_table(unit, "incoming", VendorFileLine._fields, rows)
    await unit.connection.execute("ANALYZE incoming", timeout=PATIENCE)


_AGAIN = f"""
INSERT INTO incoming
SELECT line, {NORMAL_ID.format("vendor_customer_id")}, {NORMAL_ID.format("vendor_subscription_id")}, product,
    charge_type, kind, unit_price, effective_unit_price, quantity, subtotal_minor, tax_minor, total_minor, period_from,
    period_to, reference, extra
FROM reconciliation_lines WHERE reconciliation_id = $1
"""


async def stage_stored_vendor_lines(unit: Unit, reconciliation_id: UUID) -> None:
    """Take the lines of a reconciliation that is there into `incoming`, with its statistics."""
    await unit.connection.execute(_INCOMING)
    await unit.connection.execute(_AGAIN, reconciliation_id, timeout=PATIENCE)
    await unit.connection.execute("ANALYZE incoming", timeout=PATIENCE)
