"""Refusals of whatever one person proposes and another one decides."""

from shared.pure.errors import Refusal


class SecondPersonNeeded(Refusal):
    """Whoever proposed it does not decide about it."""

    code = "second_person_needed"
    status = 403


class ChangeAlreadyProposed(Refusal):
    """Somebody has proposed the same, and nobody has decided that yet; a member of the answer names it."""

    code = "already_proposed"


class NotTheProposer(Refusal):
    """Only who proposed it withdraws it; somebody else declines it."""

    code = "not_the_proposer"
    status = 403


class ProposedFactsChanged(Refusal):
    """Values that the change would replace are others by now: decline or withdraw it, and propose it anew."""

    code = "facts_changed"
