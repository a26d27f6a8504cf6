"""What the policy wants to know of the bank before access ends: a payment that we do not see yet is a payment."""

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class BankKnowledge:
    """Until when payments are known (None: no statement yet), and how many receipts may be the account's."""

    known_until: datetime | None
    in_question: int


def waits_for(known: BankKnowledge, hours: int, now: datetime) -> str | None:
    """What a suspension waits for, where knowledge may be this many hours old; None: nothing.

    The words are the same as long as the knowledge is, so that they are announced once.
    """
    if known.known_until is None:
        return "no bank statement was imported yet"
    if now - known.known_until > timedelta(hours=hours):
        return f"bank data are older than {hours} h: payments are known until {known.known_until:%Y-%m-%d %H:%M} UTC"
    if known.in_question:
        return "an unmatched receipt may be theirs"
    return None
