"""Time zone of an account, by whose days its deadlines are reckoned."""

from shared.contracts.answers import AnswerContract


class AccountTimeZone(AnswerContract):
    """Name of a zone in IANA's list."""

    time_zone: str
