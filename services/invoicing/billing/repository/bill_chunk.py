"""A chunk of a bill run's accounts while its invoices are drawn up and issued, set-based."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

import asyncpg

from services.invoicing.billing.domain.outside_tax import InvoiceTax
from services.invoicing.billing.repository import chunk_drafting_statements, chunk_issuing_statements
from services.invoicing.deliveries import repository as deliveries_repository
from shared.events.invoicing import InvoiceIssued
from shared.persistence.bulk_rows import split_into_columns
from shared.persistence.database import Unit
from shared.pure.ids import new_id

TEMPORARY_TABLES = """
CREATE TEMPORARY TABLE IF NOT EXISTS bill_invoices (
    account_id uuid, invoice_id uuid, legal_entity text, currency text, time_zone text,
    issue_date date, due_date date, total_minor bigint, number text, to_be_taxed boolean, tax_request_id uuid,
    tax_note text
) ON COMMIT DELETE ROWS;
CREATE TEMPORARY TABLE IF NOT EXISTS bill_lines (
    invoice_id uuid, line int, account_id uuid, charge_id uuid, subscription_id uuid, description text,
    is_deferred boolean, net_minor bigint, tax_minor bigint, tax_rate_bp int, needs_rate text,
    collectable_minor bigint
) ON COMMIT DELETE ROWS;
"""
MOST_LINES = 2000
"""Lines of one invoice: an event carries them all, and is bounded."""


class BillChunk:
    """The invoices of a chunk of a run's accounts, in two temporary tables of the unit's connection.

    `bill_invoices` has an invoice for each account, `bill_lines` their lines. The tables have fixed names, are made
    once for a connection, and are empty when a unit begins and when a chunk does: made anew for each chunk they would
    bloat the catalogue, and the plans of prepared statements would be lost. Statistics are taken where a plan needs
    them.

    New invoices: `begin_invoices`, `charge_whole_cycles`, `draw_up_lines`. Drafts that were kept: `stage_drafts`. Then
    either way `keep_drafts` or `issue_invoices`.
    """

    def __init__(self, unit: Unit, run_id: UUID) -> None:
        self.unit = unit
        self.run_id = run_id

    @classmethod
    async def open(cls, unit: Unit, run_id: UUID) -> "BillChunk":
        """Make the tables, or empty them: a chunk before may be of the same unit."""
        await unit.connection.execute(TEMPORARY_TABLES)
        await unit.connection.execute("TRUNCATE bill_invoices, bill_lines")
        return cls(unit, run_id)

    async def begin_invoices(self, account_ids: Sequence[UUID]) -> None:
        """Begin an invoice for each of these accounts, dated today in its zone."""
        await self._execute(
            chunk_drafting_statements.BEGIN_INVOICES, account_ids, [new_id() for _ in account_ids], self.unit.now
        )
        await self._execute("ANALYZE bill_invoices")

    async def charge_whole_cycles(self, account_ids: Sequence[UUID], day: date) -> None:
        """Charge the cycles due by a day in which nothing changed, as often as there are any, onto the invoices."""
        while await self.unit.connection.fetchval(
            chunk_drafting_statements.CHARGE_WHOLE_CYCLES, account_ids, day, self.unit.now
        ):
            pass

    async def draw_up_lines(self, day: date) -> None:
        """Let the invoices have what is due by a day as lines; set aside or leave out who has no invoice."""
        await self._execute(chunk_drafting_statements.DRAW_UP_LINES, day)
        await self._execute("ANALYZE bill_lines")
        await self.compute_totals()
        await self._execute(chunk_drafting_statements.SET_ASIDE_ACCOUNTS, self.run_id, MOST_LINES)
        await self._execute(chunk_drafting_statements.FINISH_EMPTY_ACCOUNTS, self.run_id)
        await self.drop_finished_accounts()
        await self.compute_collectable()
        await self._execute(chunk_drafting_statements.BIND_CHARGES)

    async def drop_finished_accounts(self) -> None:
        """Give up the invoices of accounts with which the run is done; what they would have billed stays unbilled."""
        await self._execute(chunk_drafting_statements.RELEASE_CHARGES, self.run_id)
        await self._execute(chunk_drafting_statements.DROP_FINISHED_INVOICES, self.run_id)
        await self._execute(chunk_drafting_statements.DROP_FINISHED_LINES)

    async def compute_totals(self) -> None:
        """Say what each invoice comes to."""
        await self._execute(chunk_drafting_statements.COMPUTE_TOTALS)

    async def compute_collectable(self) -> None:
        """Say what is to be paid of each line, once reversals are taken off."""
        await self._execute(chunk_drafting_statements.START_COLLECTABLE_MINOR)
        await self._execute(chunk_drafting_statements.COMPUTE_COLLECTABLE_MINOR)

    async def count_to_be_taxed(self) -> int:
        """Count the invoices that the outside calculator is to tax."""
        number: int = await self.unit.connection.fetchval("SELECT count(*) FROM bill_invoices WHERE to_be_taxed")
        return number

    async def drop_drafts_awaiting_tax(self) -> None:
        """Leave what needs no answer of the outside calculator."""
        await self._execute(
            "DELETE FROM bill_lines l USING bill_invoices b WHERE b.invoice_id = l.invoice_id AND b.to_be_taxed"
        )
        await self._execute("DELETE FROM bill_invoices WHERE to_be_taxed")

    async def apply_tax(self, request_id: UUID, taxed: InvoiceTax) -> None:
        """Let the lines of the one invoice have the tax that the outside calculator answered to a request."""
        taxes = [(tax.line, tax.tax_minor, tax.rate_bp) for tax in taxed.lines]
        await self._execute(chunk_drafting_statements.APPLY_TAX, *split_into_columns(taxes, 3))
        await self._execute("UPDATE bill_invoices SET tax_request_id = $1, tax_note = $2", request_id, taxed.note)
        await self.compute_totals()
        await self.compute_collectable()

    async def lower_lines(self, amounts_by_charge: Sequence[tuple[UUID, int]]) -> None:
        """Lower the lines of these charges by net amounts in minor units, their tax in proportion."""
        await self._execute(chunk_drafting_statements.LOWER_LINES, *split_into_columns(amounts_by_charge, 2))

    async def list_surplus_lines(self) -> Sequence[asyncpg.Record]:
        """List the lines of invoices that come to less than nothing.

        By legal entity, so that any two chunks lock the rows of their numbers in one order.
        """
        rows: list[asyncpg.Record] = await self.unit.connection.fetch(chunk_drafting_statements.LIST_SURPLUS_LINES)
        return rows

    async def drop_surpluses(self) -> None:
        """Leave what comes to an invoice."""
        await self._execute(
            "DELETE FROM bill_lines l USING bill_invoices b WHERE b.invoice_id = l.invoice_id AND b.total_minor < 0"
        )
        await self._execute("DELETE FROM bill_invoices WHERE total_minor < 0")

    async def keep_drafts(self, state: str = "drafted", *, to_be_taxed: bool = False) -> None:
        """Keep as drafts what has its tax, or is to be taxed; their accounts are in this state then."""
        await self._execute(chunk_issuing_statements.KEEP_DRAFTS, self.run_id, to_be_taxed)
        await self._execute(chunk_issuing_statements.KEEP_DRAFT_LINES, to_be_taxed)
        due_at = self.unit.now if state == "approved" else None
        await self._execute(chunk_issuing_statements.MOVE_ACCOUNTS, self.run_id, state, to_be_taxed, due_at)

    async def stage_drafts(self, account_ids: Sequence[UUID]) -> None:
        """Fill the tables with the drafts of these accounts, dated today, which are drafts no longer.

        The terms are those that were drafted: as many days from the date of issue to the due date.
        """
        await self._execute(chunk_issuing_statements.STAGE_DRAFTS, self.run_id, account_ids, self.unit.now)
        await self._execute("ANALYZE bill_invoices")
        await self._execute(chunk_issuing_statements.STAGE_DRAFT_LINES)
        await self._execute("ANALYZE bill_lines")
        for table, key in (("draft_lines", "draft_id"), ("drafts", "id")):
            await self._execute(f"DELETE FROM {table} d USING bill_invoices b WHERE d.{key} = b.invoice_id")

    async def issue_invoices(self) -> None:
        """Issue what was drawn up. The numbers come late, since their row is locked from then on.

        The ledger needs none, and names the event that is going to be the next of its account.
        """
        unit = self.unit
        await unit.write_pending()
        await self._execute(chunk_issuing_statements.MOVE_ACCOUNTS, self.run_id, "issued", False, None)
        await self._execute(chunk_issuing_statements.POST_ENTRIES, unit.now)
        await self._execute(chunk_issuing_statements.NUMBER_INVOICES)
        await self._execute(chunk_issuing_statements.ISSUE_INVOICES, unit.now)
        await self._execute(chunk_issuing_statements.INSERT_LINES)
        await self._execute(chunk_issuing_statements.INSERT_BALANCES)
        await self._execute(chunk_issuing_statements.INSERT_STATES, unit.now)
        await unit.publish_for_each_subject(InvoiceIssued, chunk_issuing_statements.BUILD_INVOICE_ISSUED)
        # The streams say now which sequence the event of each account has.
        await self._execute(chunk_issuing_statements.INSERT_BALANCE_CHANGES, unit.now)
        await deliveries_repository.enqueue_issued_documents(unit)

    async def list_accounts_with_cash(self) -> list[UUID]:
        """The accounts of what was just issued that have unapplied cash."""
        rows = await self.unit.connection.fetch(chunk_issuing_statements.FIND_ACCOUNTS_WITH_CASH)
        return [row["account_id"] for row in rows]

    async def _execute(self, statement: str, *values: object) -> None:
        await self.unit.connection.execute(statement, *values)
