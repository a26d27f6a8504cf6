"""Confirmation of a suspension: what collections says of it directly before access is ended."""

from shared.contracts.answers import AnswerContract


class SuspensionConfirmation(AnswerContract):
    """Verdict on a suspension: `stands`, `withdrawn`, or anything else to wait, and why."""

    verdict: str
    detail: str
