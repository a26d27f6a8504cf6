"""Knowledge of an account's receipts: how far the bank's data reach, and which of its entries are open."""

from datetime import datetime
from uuid import UUID

from shared.contracts.answers import AnswerContract


class FreshBankKnowledge(AnswerContract):
    """Instant up to which the bank's data are known, and entries that may be the account's."""

    known_until: datetime | None
    undecided_entries: tuple[UUID, ...]
