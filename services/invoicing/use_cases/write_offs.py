"""A person gives up a claim."""

from uuid import UUID

from services.invoicing.domain import ledger as postings
from services.invoicing.domain import relief
from services.invoicing.repository import invoices, ledger
from services.invoicing.repository.accounts import Account
from services.invoicing.repository.ledger import Document
from services.invoicing.use_cases import balances
from shared.events.invoicing import InvoiceWrittenOff
from shared.persistence.database import Unit


async def write_off(unit: Unit, account: Account, invoice_id: UUID, reason_code: str) -> None:
    """Write off what is open of an invoice; the claim stays beside, and a payment of it is a recovery.

    Raises AmountRefused.
    """
    before = await invoices.open_invoices(unit, account.id, [invoice_id])
    after, given_up = relief.write_off(before[invoice_id])
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
    await ledger.post(unit, account, Document("write_off", invoice_id, sequence), postings.written_off(amount))
    await balances.save_changed(unit, account.time_zone, before, {invoice_id: after})
