"""Invoices become overdue at local midnights."""

from uuid import UUID
from zoneinfo import ZoneInfo

from services.invoicing.accounts.repository import account_queries
from services.invoicing.receivables.domain import overdue_rules
from services.invoicing.receivables.repository import invoice_queries
from services.invoicing.receivables.use_cases import balance_updates
from shared.events.invoicing import InvoiceOverdue
from shared.persistence.database import Unit


async def mark_overdue_invoices(unit: Unit, account_ids: list[str]) -> None:
    """Judge the due invoices of these accounts, which are locked, by the last local midnight that has passed."""
    ids = [UUID(due_invoice) for due_invoice in account_ids]
    zones = {id_: ZoneInfo(name) for id_, name in (await account_queries.map_account_time_zones(unit, ids)).items()}
    due = await invoice_queries.map_invoices_to_evaluate(unit, ids)
    midnights = [
        overdue_rules.get_last_local_midnight(unit.now, zones[due_invoice.account_id]) for due_invoice in due.values()
    ]
    was_due = await invoice_queries.map_invoice_due_amounts(unit, due, midnights)
    judged = []
    for invoice in sorted(due.values(), key=lambda due_invoice: due_invoice.number):
        after = overdue_rules.check_invoice_overdue(
            invoice, was_due.get(invoice.id, 0), unit.now, zones[invoice.account_id]
        )
        judged.append(after)
        if after.overdue_at is not None:
            unit.publish(
                InvoiceOverdue(
                    account_id=after.account_id,
                    evaluated_at=after.overdue_at,
                    balance=balance_updates.build_invoice_balance_fields(after),
                )
            )
    await invoice_queries.save_overdue_checks(unit, judged)
