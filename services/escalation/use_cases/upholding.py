"""The upholding of disputes: it credits, so whoever decides needs the limit for that, or a second person."""

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from services.escalation.domain.disputes import DISPUTE_ALLOWED, DisputeState
from services.escalation.domain.moves import MoveRefused, move
from services.escalation.repository import dispute_queries
from services.escalation.tables import DisputeRow
from services.escalation.use_cases.disputes import resolve
from shared.audit import Change
from shared.auth import Caller, is_same_actor
from shared.clients import Answered
from shared.database import Unit
from shared.errors import Later, Refusal, Unavailable
from shared.proposals import SecondPersonNeeded

if TYPE_CHECKING:
    from shared.runtime import Runtime

ABOVE_LIMIT = "above_limit"
"""The code by which invoicing says that an amount is above the limit of the person's roles."""


class AuthorisationUnavailable(Unavailable):
    """Invoicing does not say now whether this person may credit the amount, and without that nothing is decided."""

    code = "authorisation_unavailable"


class AboveLimit(Refusal):
    """The amount is above what the caller's roles may decide about."""

    code = "above_limit"
    status = 403


@dataclass(frozen=True, slots=True)
class Decision:
    """A decision about upholding: in which state it is taken, and the outcome that invoicing is asked about."""

    state: DisputeState
    outcome: str
    is_for_proposer: bool = True
    """Whether who proposed to uphold the dispute may take it."""


UPHOLD = Decision(DisputeState.OPENED, "upheld")
CONFIRM = Decision(DisputeState.WAITING_FOR_SECOND_PERSON, "upheld", is_for_proposer=False)
DECLINE = Decision(DisputeState.WAITING_FOR_SECOND_PERSON, "declined")


async def is_authorised(runtime: "Runtime", dispute_id: UUID, caller: Caller, decision: Decision) -> bool:
    """Ask invoicing whether a person may decide about what is disputed; in no transaction.

    Where the decision cannot be taken nothing is asked, since invoicing counts what it authorises: the transaction
    refuses it, or repeats its answer. Raises NotFound, AuthorisationUnavailable.
    """
    row = await runtime.units.run(lambda unit: dispute_queries.get_dispute(unit, dispute_id))
    if row.state != decision.state or (_is_proposer(row, caller) and not decision.is_for_proposer):
        return False
    body = {
        "actor": caller.subject,
        "roles": sorted(caller.roles),
        "outcome": decision.outcome,
        "lines": row.lines,
    }
    try:
        await runtime.clients["invoicing"].post(
            f"/v1/reservations/{dispute_id}:authorise", body, key=_build_key(dispute_id, caller, decision.outcome)
        )
    except Answered as refused:
        if refused.code == ABOVE_LIMIT:
            return False
        raise AuthorisationUnavailable(f"invoicing authorises nothing: {refused.code}") from refused
    except Later as error:
        raise AuthorisationUnavailable(str(error)) from error
    return True


def _build_key(dispute_id: UUID, caller: Caller, outcome: str) -> str:
    """Build the key of a question: the dispute and the outcome, and who asks, since each person is asked about."""
    person = hashlib.sha256(" ".join([caller.subject, *sorted(caller.roles)]).encode()).hexdigest()
    return f"{dispute_id}:{outcome}:{person}"


async def uphold(unit: Unit, dispute_id: UUID, caller: Caller, reason: str, *, authorised: bool) -> DisputeRow:
    """Uphold a dispute, or propose it to a second person if the caller is not authorised. Raises MoveRefused.

    What is only proposed is announced to nobody, and its amounts stay reserved.
    """
    row = await _lock(unit, dispute_id)
    if row.state == DisputeState.WAITING_FOR_SECOND_PERSON:
        raise MoveRefused("a second person confirms or declines it")
    if authorised:
        return await resolve(unit, dispute_id, "upheld", reason)
    before = row.model_dump()
    row.state = move(DISPUTE_ALLOWED, DisputeState(row.state), DisputeState.WAITING_FOR_SECOND_PERSON)
    row.uphold_proposed_by, row.uphold_proposed_at = caller.subject, unit.now
    await dispute_queries.save_dispute(unit, row)
    unit.record(Change("dispute", row.id, row.account_id, before, row.model_dump()))
    return row


async def confirm(unit: Unit, dispute_id: UUID, caller: Caller, reason: str, *, authorised: bool) -> DisputeRow:
    """Uphold a dispute that another person proposed to uphold. Raises MoveRefused, SecondPersonNeeded, AboveLimit."""
    await _check_second_person(unit, dispute_id, caller, authorised)
    return await resolve(unit, dispute_id, "upheld", reason)


async def decline(unit: Unit, dispute_id: UUID, caller: Caller, _reason: str, *, authorised: bool) -> DisputeRow:
    """Open a dispute again that was proposed to be upheld; the reason stands in the audit.

    Who proposed it may take that back, whatever the amount. Raises MoveRefused, AboveLimit.
    """
    row = await _lock_proposed(unit, dispute_id)
    if not (authorised or _is_proposer(row, caller)):
        raise AboveLimit("your roles may not decide about this amount")
    before = row.model_dump()
    row.state = move(DISPUTE_ALLOWED, DisputeState(row.state), DisputeState.OPENED)
    row.uphold_proposed_by = row.uphold_proposed_at = None
    await dispute_queries.save_dispute(unit, row)
    unit.record(Change("dispute", row.id, row.account_id, before, row.model_dump()))
    return row


async def _check_second_person(unit: Unit, dispute_id: UUID, caller: Caller, authorised: bool) -> DisputeRow:
    row = await _lock_proposed(unit, dispute_id)
    if _is_proposer(row, caller):
        raise SecondPersonNeeded("whoever proposed it does not decide, so somebody else does")
    if not authorised:
        raise AboveLimit("your roles may not decide about this amount")
    return row


async def _lock_proposed(unit: Unit, dispute_id: UUID) -> DisputeRow:
    row = await _lock(unit, dispute_id)
    if row.state != DisputeState.WAITING_FOR_SECOND_PERSON:
        raise MoveRefused(f"what is {row.state} waits for no second person")
    return row


def _is_proposer(row: DisputeRow, caller: Caller) -> bool:
    return row.uphold_proposed_by is not None and is_same_actor(caller.subject, row.uphold_proposed_by)


async def _lock(unit: Unit, dispute_id: UUID) -> DisputeRow:
    await unit.lock((await dispute_queries.get_dispute(unit, dispute_id)).account_id)
    return await dispute_queries.get_dispute(unit, dispute_id)
