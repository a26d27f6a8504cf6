"""The upholding of disputes: it credits, so whoever decides needs the limit for that, or a second person."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal
from uuid import UUID

import orjson

from services.escalation.adapters import open_invoicing_records
from services.escalation.domain.disputes import (
    AMENDABLE,
    DISPUTE_ALLOWED,
    TAX_REASON,
    DisputeCreditsNothing,
    DisputeItem,
    DisputeState,
    approve_dispute_items,
)
from services.escalation.domain.state_moves import StateMoveRefused, move_state
from services.escalation.repository import dispute_queries
from services.escalation.tables import DisputeRow
from services.escalation.use_cases import disputes
from services.escalation.use_cases.dispute_items import (
    check_no_pending_amendment,
    list_dispute_items,
    list_disputed_amounts,
    lock_dispute,
    serialize_dispute_item,
)
from services.escalation.use_cases.invoicing_answers import translate_invoicing_errors
from shared.contracts.dispute_reservations import CreditAuthorisation, ReservedAmount
from shared.persistence.audit import AuditedChange
from shared.persistence.database import Unit
from shared.pure.errors import Refusal, RetryLater, Unavailable
from shared.pure.proposals import SecondPersonNeeded
from shared.web.auth import Caller, is_same_actor
from shared.web.clients import RefusedByService, serialize_request

if TYPE_CHECKING:
    from shared.process.runtime import Runtime

ABOVE_LIMIT = "above_limit"
"""The code by which invoicing says that an amount is above the limit of the person's roles."""


class AuthorisationUnavailable(Unavailable):
    """Invoicing does not say now whether this person may credit the amount, and without that nothing is decided."""

    code = "authorisation_unavailable"


class DisputeAboveLimit(Refusal):
    """The amount is above what the caller's roles may decide about."""

    code = "above_limit"
    status = 403


class TaxLineCreditedInFull(Refusal):
    """A line whose tax was wrong is credited in full and invoiced again, so all of it is disputed and approved."""

    code = "tax_line_in_full"


@dataclass(frozen=True, slots=True)
class UpholdingDecision:
    """A decision about upholding: in which states it is taken, and the outcome that invoicing is asked about."""

    states: frozenset[DisputeState]
    outcome: Literal["upheld", "declined"]
    is_for_proposer: bool = True
    """Whether who proposed to uphold the dispute may take it."""
    approved: Mapping[int, int] | None = None
    """Approved amounts by line (minor units); None for all that is disputed, or for what was proposed."""


PROPOSED = frozenset({DisputeState.WAITING_FOR_SECOND_PERSON})
UPHOLD = UpholdingDecision(AMENDABLE, "upheld")
CONFIRM = UpholdingDecision(PROPOSED, "upheld", is_for_proposer=False)
DECLINE = UpholdingDecision(PROPOSED, "declined")


async def is_upholding_authorised(
    runtime: "Runtime", dispute_id: UUID, caller: Caller, decision: UpholdingDecision
) -> bool:
    """Ask invoicing whether a person may decide about what is disputed; in no transaction.

    Where the decision cannot be taken nothing is asked, since invoicing counts what it authorises: the transaction
    refuses it, or repeats its answer. Raises NotFound, DisputeAmendmentPending, ApprovedAmountsRefused,
    AuthorisationUnavailable.
    """
    row = await runtime.units.run(lambda unit: _get_decidable(unit, dispute_id))
    if row.state not in decision.states or (_is_proposer(row, caller) and not decision.is_for_proposer):
        return False
    if decision.outcome == "upheld" and row.paused_until is not None:
        return False
    items = _decide_items(row, decision)
    try:
        question = _build_question(row, items, caller, decision)
        key = _build_key(dispute_id, question)
        await open_invoicing_records(runtime).authorise_credit(dispute_id, question, key)
    except RefusedByService as refused:
        if refused.code == ABOVE_LIMIT:
            return False
        raise AuthorisationUnavailable(f"invoicing authorises nothing: {refused.code}") from refused
    except RetryLater as error:
        raise AuthorisationUnavailable(str(error)) from error
    return True


async def _get_decidable(unit: Unit, dispute_id: UUID) -> DisputeRow:
    row = await dispute_queries.get_dispute(unit, dispute_id)
    await check_no_pending_amendment(unit, row)
    return row


def _decide_items(row: DisputeRow, decision: UpholdingDecision) -> list[DisputeItem]:
    items = list_dispute_items(row)
    return items if decision.states == PROPOSED else approve_dispute_items(items, decision.approved)


async def check_tax_lines_approved(runtime: "Runtime", dispute_id: UUID, decision: UpholdingDecision) -> None:
    """Ask invoicing whether lines whose tax was wrong are approved in full; in no transaction.

    Raises NotFound, ApprovedAmountsRefused, TaxLineCreditedInFull, AuthorisationUnavailable.
    """
    row = await runtime.units.run(lambda unit: dispute_queries.get_dispute(unit, dispute_id))
    if row.state not in decision.states or not any(item.reason_code == TAX_REASON for item in list_dispute_items(row)):
        return
    items = [item for item in _decide_items(row, decision) if item.reason_code == TAX_REASON]
    tax_lines = {item.line: item.approved_minor for item in items if item.approved_minor}
    with translate_invoicing_errors(AuthorisationUnavailable, f"there is no invoice {row.invoice_id}"):
        invoice = await open_invoicing_records(runtime).fetch_line_totals(row.invoice_id)
    totals = {line.line: line.amount_minor for line in invoice.lines}
    if partial := sorted(line for line, minor in tax_lines.items() if minor != totals[line]):
        raise TaxLineCreditedInFull(f"amend the dispute: all of line {partial[0]} ({totals[partial[0]]}) is credited")


def _build_question(
    row: DisputeRow, items: list[DisputeItem], caller: Caller, decision: UpholdingDecision
) -> CreditAuthorisation:
    question = CreditAuthorisation(
        actor=caller.subject,
        roles=sorted(caller.roles),
        outcome=decision.outcome,
        lines=list_disputed_amounts(list_dispute_items(row)),
    )
    approved = [
        ReservedAmount(line=item.line, amount_minor=item.approved_minor) for item in items if item.approved_minor
    ]
    return question.model_copy(update={"approved": approved}) if approved else question


def _build_key(dispute_id: UUID, question: CreditAuthorisation) -> str:
    """Build the key of a question: the dispute and all that is asked, since each person and amount is asked about."""
    content = orjson.dumps(serialize_request(question), option=orjson.OPT_SORT_KEYS)
    return f"{dispute_id}:{hashlib.sha256(content).hexdigest()}"


async def uphold_or_propose(
    unit: Unit, dispute_id: UUID, caller: Caller, reason: str, decision: UpholdingDecision, *, authorised: bool
) -> DisputeRow:
    """Uphold what is approved of a dispute, or propose it to a second person if the caller is not authorised.

    What is only proposed is announced to nobody, and its amounts stay reserved. Raises StateMoveRefused,
    ApprovedAmountsRefused, DisputeAmendmentPending, DisputeCreditsNothing.
    """
    row = await lock_dispute(unit, dispute_id)
    if row.state == DisputeState.WAITING_FOR_SECOND_PERSON:
        raise StateMoveRefused("a second person confirms or declines it")
    if row.paused_until is not None:
        raise DisputeCreditsNothing("its reasons pause the invoice until the document is right: withdraw or reject it")
    items = approve_dispute_items(list_dispute_items(row), decision.approved)
    if authorised:
        return await disputes.uphold_decided_dispute(unit, dispute_id, items, reason)
    await check_no_pending_amendment(unit, row)
    before = row.model_dump()
    row.state = move_state(DISPUTE_ALLOWED, DisputeState(row.state), DisputeState.WAITING_FOR_SECOND_PERSON)
    row.lines = [serialize_dispute_item(item) for item in items]
    row.uphold_proposed_by, row.uphold_proposed_at = caller.subject, unit.now
    await dispute_queries.save_dispute(unit, row)
    unit.record(AuditedChange("dispute", row.id, row.account_id, before, row.model_dump()))
    return row


async def confirm_proposed_upholding(
    unit: Unit, dispute_id: UUID, caller: Caller, reason: str, _decision: UpholdingDecision, *, authorised: bool
) -> DisputeRow:
    """Uphold what another person proposed to uphold. Raises StateMoveRefused, SecondPersonNeeded, DisputeAboveLimit."""
    row = await _check_second_person(unit, dispute_id, caller, authorised)
    return await disputes.uphold_decided_dispute(unit, dispute_id, list_dispute_items(row), reason)


async def decline_upholding(
    unit: Unit, dispute_id: UUID, caller: Caller, _reason: str, _decision: UpholdingDecision, *, authorised: bool
) -> DisputeRow:
    """Open a dispute again that was proposed to be upheld; the reason stands in the audit.

    Who proposed it may take that back, whatever the amount. Raises StateMoveRefused, DisputeAboveLimit.
    """
    row = await _lock_proposed(unit, dispute_id)
    if not (authorised or _is_proposer(row, caller)):
        raise DisputeAboveLimit("your roles may not decide about this amount")
    before = row.model_dump()
    former = DisputeState.OPENED if row.review_began_at is None else DisputeState.UNDER_REVIEW
    row.state = move_state(DISPUTE_ALLOWED, DisputeState(row.state), former)
    row.lines = [serialize_dispute_item(replace(item, approved_minor=None)) for item in list_dispute_items(row)]
    row.uphold_proposed_by = row.uphold_proposed_at = None
    await dispute_queries.save_dispute(unit, row)
    unit.record(AuditedChange("dispute", row.id, row.account_id, before, row.model_dump()))
    return row


async def _check_second_person(unit: Unit, dispute_id: UUID, caller: Caller, authorised: bool) -> DisputeRow:
    row = await _lock_proposed(unit, dispute_id)
    if _is_proposer(row, caller):
        raise SecondPersonNeeded("whoever proposed it does not decide, so somebody else does")
    if not authorised:
        raise DisputeAboveLimit("your roles may not decide about this amount")
    return row


async def _lock_proposed(unit: Unit, dispute_id: UUID) -> DisputeRow:
    row = await lock_dispute(unit, dispute_id)
    if row.state != DisputeState.WAITING_FOR_SECOND_PERSON:
        raise StateMoveRefused(f"what is {row.state} waits for no second person")
    return row


def _is_proposer(row: DisputeRow, caller: Caller) -> bool:
    return row.uphold_proposed_by is not None and is_same_actor(caller.subject, row.uphold_proposed_by)
