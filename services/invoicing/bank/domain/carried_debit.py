"""A direct debit as a bank statement carries it."""

from dataclasses import dataclass
from uuid import UUID

from services.invoicing.payments.domain.debit_states import DebitState


@dataclass(frozen=True, slots=True)
class DebitNamedByBankEntry:
    """A direct debit of ours whose reference an entry carries, with the name of its account."""

    id: UUID
    account_id: UUID
    name: str
    invoice_id: UUID
    amount: int
    currency: str
    state: DebitState
    has_entry: bool
    """An entry is its payment already."""

    @property
    def awaits_bank_entry(self) -> bool:
        """Whether the entry of its money has not come in yet, though it may be settled."""
        return self.state is not DebitState.REFUSED and not self.has_entry
