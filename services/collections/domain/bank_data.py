"""Wait for bank data before access ends, as the policy asks: a payment that we do not see yet is a payment."""

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class BankDataState:
    """Until when payments are known (None: no statement yet), and how many receipts may be the account's."""

    known_until: datetime | None
    in_question: int


def find_stale_bank_reason(knowledge: BankDataState, hours: int, now: datetime) -> str | None:
    """Find what a suspension waits for, where knowledge may be this many hours old; None if it need not wait.

    The words are the same as long as the knowledge is, so that they are announced once.
    """
    if knowledge.known_until is None:
        return "no bank statement was imported yet"
    if now - knowledge.known_until > timedelta(hours=hours):
        return (
            f"bank data are older than {hours} h: payments are known until {knowledge.known_until:%Y-%m-%d %H:%M} UTC"
        )
    if knowledge.in_question:
        return "an unmatched receipt may be theirs"
    return None
