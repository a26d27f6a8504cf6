"""Disputes: requested here, reserved in invoicing, and only then a fact; their outcome moves the money there."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from services.escalation.domain.disputes import DISPUTE_ALLOWED, DisputeState
from services.escalation.domain.moves import move
from services.escalation.repository import copies, dispute_queries
from services.escalation.tables import DisputeRow
from services.escalation.use_cases.case_moves import resolve_case
from services.escalation.use_cases.cases import CaseLink, NewCase, open_case
from shared import intents
from shared.audit import Change
from shared.clients import Answered
from shared.database import Unit
from shared.errors import Later, Refusal
from shared.events.escalation import (
    CaseOutcome,
    DisputedLine,
    DisputeOpened,
    DisputeOutcome,
    DisputeResolved,
    DisputeWithdrawn,
)
from shared.ids import new_id
from shared.intents import Intent, Recorded

if TYPE_CHECKING:
    from shared.runtime import Runtime

REFUSALS = (404, 409, 422)
"""What invoicing says of the dispute itself; anything else (a token that expired) is ours, and may pass."""
CASE_OUTCOMES: dict[DisputeOutcome, CaseOutcome] = {"upheld": "dispute_upheld", "rejected": "dispute_rejected"}
RESERVE_AMOUNTS = "reserve_amounts"
"""The kind of the intent; its id and key are the dispute's."""


class NotTheirs(Refusal):
    """The invoice belongs to another account, or is in another currency."""

    code = "not_their_invoice"
    status = 422


class UnknownLine(Refusal):
    """The invoice has no such line."""

    code = "unknown_line"
    status = 422


class UnknownInvoice(Refusal):
    """There is no such invoice."""

    code = "unknown_invoice"
    status = 422


class AmountAboveInvoice(Refusal):
    """More is disputed than the invoice was ever for."""

    code = "amount_above_invoice"
    status = 422


@dataclass(frozen=True, slots=True)
class NewDispute:
    """What a customer disputes: lines (number, minor units) of one invoice."""

    account_id: UUID
    invoice_id: UUID
    currency: str
    lines: Sequence[tuple[int, int]]
    comment: str | None


async def check_lines(runtime: "Runtime", new: NewDispute) -> None:
    """Ask invoicing whether the invoice has the disputed lines and amounts, before anything is written.

    Without an answer the reservation decides later. Raises UnknownInvoice, UnknownLine, AmountAboveInvoice.
    """
    try:
        balance = await runtime.clients["invoicing"].get(f"/v1/invoices/{new.invoice_id}/balance")
    except Answered as answer:
        if answer.status == 404:
            raise UnknownInvoice(f"invoice_id: there is no invoice {new.invoice_id}") from answer
        return
    except Later:
        return
    lines = {line["line"] for line in balance["lines"]}
    if unknown := sorted({line for line, _ in new.lines} - lines):
        raise UnknownLine(f"lines: the invoice has no line {', '.join(map(str, unknown))}; it has {len(lines)}")
    if sum(minor for _, minor in new.lines) > balance["total_minor"]:
        raise AmountAboveInvoice("lines: more is disputed than the invoice is for")


async def request(unit: Unit, new: NewDispute, actor: str) -> tuple[DisputeRow, Intent | None]:
    """Commit a dispute as requested, with the intent to reserve its amounts. Raises NotTheirs.

    The intent is leased to the caller from the start, so that no worker is faster than the request that waits for it.
    """
    invoice = await copies.find_invoice(unit, new.invoice_id)
    if invoice not in (None, (new.account_id, new.currency)):
        raise NotTheirs(f"invoice_id: {new.invoice_id} is no invoice of this account in {new.currency}")
    case = await open_case(unit, _build_case(new), actor)
    row = DisputeRow(
        id=new_id(),
        case_id=case.id,
        account_id=new.account_id,
        invoice_id=new.invoice_id,
        currency=new.currency,
        lines=[{"line": line, "amount_minor": amount} for line, amount in new.lines],
        total_minor=sum(amount for _, amount in new.lines),
        comment=new.comment,
        state=DisputeState.REQUESTED,
        refusal=None,
        requested_at=unit.now,
        opened_at=None,
        ended_at=None,
        credit_note_id=None,
        uphold_proposed_by=None,
        uphold_proposed_at=None,
        ended_reason=None,
    )
    await dispute_queries.save_dispute(unit, row)
    await intents.add(unit, RESERVE_AMOUNTS, new.account_id, row.id, {}, row.id)
    unit.record(Change("dispute", row.id, row.account_id))
    return row, await intents.lease_of(unit, row.id)


def _build_case(new: NewDispute) -> NewCase:
    links = [CaseLink("invoice", new.invoice_id, line) for line, _ in new.lines]
    return NewCase("dispute", None, new.account_id, "billing dispute", description=new.comment, links=links)


async def reserve(runtime: "Runtime", intent: Intent) -> str | None:
    """Reserve the amounts in invoicing; what it refuses, or None. Raises Later. The key is the dispute's id."""
    row = await runtime.units.run(lambda unit: dispute_queries.get_dispute(unit, intent.id))
    body = {"dispute_id": str(row.id), "invoice_id": str(row.invoice_id), "lines": row.lines}
    try:
        await runtime.clients["invoicing"].post("/v1/reservations", body, key=str(row.id))
    except Answered as refused:
        if refused.status not in REFUSALS:
            raise Later(str(refused)) from refused
        return f"{refused.code}: {refused.problem.get('detail')}"
    return None


async def reserved(unit: Unit, intent: Intent, refusal: str | None) -> Recorded:
    """Record the answer: opened, and a fact, or refused, which ends the case's question."""
    row = await dispute_queries.get_dispute(unit, intent.id)
    wanted = DisputeState.OPENED if refusal is None else DisputeState.REFUSED
    row.state = move(DISPUTE_ALLOWED, DisputeState(row.state), wanted)
    if refusal is None:
        row.opened_at = unit.now
        unit.publish(DisputeOpened(**_announced(row)))
    else:
        row.refusal, row.ended_at = refusal, unit.now
        await resolve_case(unit, row.case_id, "dispute_refused", "the dispute was refused")
    await dispute_queries.save_dispute(unit, row)
    return Recorded.DONE


async def resolve(unit: Unit, dispute_id: UUID, outcome: DisputeOutcome, reason: str) -> DisputeRow:
    """Decide a dispute: upheld gives a credit note, rejected releases. Raises NotFound, MoveRefused."""
    row = await _end_dispute(unit, dispute_id, DisputeState(outcome), reason)
    unit.publish(DisputeResolved(**_announced(row), outcome=outcome))
    await resolve_case(unit, row.case_id, CASE_OUTCOMES[outcome], f"the dispute was {outcome}")
    return row


async def withdraw(unit: Unit, dispute_id: UUID, reason: str) -> DisputeRow:
    """The customer no longer disputes. Raises NotFound, MoveRefused."""
    row = await _end_dispute(unit, dispute_id, DisputeState.WITHDRAWN, reason)
    unit.publish(DisputeWithdrawn(**_announced(row)))
    await resolve_case(unit, row.case_id, "dispute_withdrawn", "the dispute was withdrawn")
    return row


async def _end_dispute(unit: Unit, dispute_id: UUID, state: DisputeState, reason: str) -> DisputeRow:
    await unit.lock((await dispute_queries.get_dispute(unit, dispute_id)).account_id)
    row = await dispute_queries.get_dispute(unit, dispute_id)
    before = row.model_dump()
    row.state = move(DISPUTE_ALLOWED, DisputeState(row.state), state)
    row.ended_at, row.ended_reason = unit.now, reason
    await dispute_queries.save_dispute(unit, row)
    unit.record(Change("dispute", row.id, row.account_id, before, row.model_dump()))
    return row


def _announced(row: DisputeRow) -> dict[str, Any]:
    return {
        "case_id": row.case_id,
        "account_id": row.account_id,
        "dispute_id": row.id,
        "invoice_id": row.invoice_id,
        "currency": row.currency,
        "lines": tuple(DisputedLine.model_validate(line) for line in row.lines),
    }
