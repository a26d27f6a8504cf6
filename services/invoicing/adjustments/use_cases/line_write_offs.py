"""A person gives up a claim."""

from uuid import UUID

from services.invoicing.accounts.repository.account_queries import LockedAccount
from services.invoicing.adjustments.domain import adjustment_rules
from services.invoicing.ledger import domain as ledger_domain
from services.invoicing.ledger.repository import ledger_queries
from services.invoicing.ledger.repository.ledger_queries import LedgerDocument
from services.invoicing.receivables.repository import invoice_queries
from services.invoicing.receivables.use_cases import balance_updates
from shared.events.invoicing import InvoiceWrittenOff
from shared.persistence.database import Unit


async def write_off_open_lines(unit: Unit, account: LockedAccount, invoice_id: UUID, reason_code: str) -> None:
    """Write off what is open of an invoice; the claim stays beside, and a payment of it is a recovery.

    Raises AmountAboveBalance.
    """
    before = await invoice_queries.map_open_invoices(unit, account.id, [invoice_id])
    after, given_up = adjustment_rules.write_off_invoice(before[invoice_id])
    amount = sum(share for _, share in given_up)
    sequence = unit.publish(
        InvoiceWrittenOff(
            account_id=account.id,
            invoice_id=invoice_id,
            number=after.number,
            amount_minor=amount,
            currency=account.currency,
            reason_code=reason_code,
        )
    )
    await ledger_queries.post_ledger_entries(
        unit, account, LedgerDocument("write_off", invoice_id, sequence), ledger_domain.build_write_off_entries(amount)
    )
    await balance_updates.save_and_publish_balances(unit, account.time_zone, before, {invoice_id: after})
