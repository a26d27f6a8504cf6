"""Invoices become overdue at local midnights."""

from uuid import UUID
from zoneinfo import ZoneInfo

from services.invoicing.domain import owed
from services.invoicing.repository import accounts, invoices
from services.invoicing.use_cases import balances
from shared.events.invoicing import InvoiceOverdue
from shared.persistence.database import Unit


async def judge(unit: Unit, account_ids: list[str]) -> None:
    """Judge the due invoices of these accounts, which are locked, by the last local midnight that has passed."""
    ids = [UUID(one) for one in account_ids]
    zones = {id_: ZoneInfo(name) for id_, name in (await accounts.time_zones(unit, ids)).items()}
    due = await invoices.invoices_to_judge(unit, ids)
    midnights = [owed.last_midnight(unit.now, zones[one.account_id]) for one in due.values()]
    was_due = await invoices.due_at(unit, due, midnights)
    judged = []
    for invoice in sorted(due.values(), key=lambda one: one.number):
        after = owed.judge_overdue(invoice, was_due.get(invoice.id, 0), unit.now, zones[invoice.account_id])
        judged.append(after)
        if after.overdue_at is not None:
            unit.publish(
                InvoiceOverdue(
                    account_id=after.account_id, judged_at=after.overdue_at, balance=balances.balance_of(after)
                )
            )
    await invoices.save_judged(unit, judged)
