"""Tolerances: what a payment may leave open of an invoice and still settle it."""

from typing import Annotated

from pydantic import BaseModel

from services.invoicing.repository import credits as repository
from services.invoicing.repository.legal_entities import require_legal_entity
from shared.audit import Change
from shared.auth import needs
from shared.commands import ChangeRunner, perform_change
from shared.database import Unit
from shared.fields import Body, Code, Prose, example, shown
from shared.http import PROBLEMS, Read, Router
from shared.money import Currency, Minor

reads = Router(prefix="/v1/tolerances", tags=["payments"], dependencies=[needs("invoicing:read")], responses=PROBLEMS)
writes = Router(prefix="/v1/tolerances", tags=["payments"], dependencies=[needs("invoicing:admin")], responses=PROBLEMS)


class ToleranceIn(Body):
    """What may be left open, and why."""

    model_config = example(amount_minor=5, reason="bank charges of foreign payments")

    amount_minor: Minor
    reason: Prose


class ToleranceOut(BaseModel):
    """What a payment may leave open of an invoice of a legal entity."""

    model_config = example(legal_entity="GS-DE", currency="EUR", amount_minor=5, set_by="operator", reason="charges")

    legal_entity: str
    currency: str
    amount_minor: int
    set_by: str
    reason: str


class TolerancesOut(BaseModel):
    """All tolerances."""

    model_config = example(tolerances=[shown(ToleranceOut)])

    tolerances: list[ToleranceOut]


@reads.get("", summary="List tolerances")
async def list_tolerances(read: Read) -> TolerancesOut:
    """What payments may leave open; where nothing is listed, nothing."""
    rows = await read(repository.tolerances)
    return TolerancesOut(tolerances=[ToleranceOut.model_validate(dict(row)) for row in rows])


@writes.put("/{legal_entity}/{currency}", summary="Say what a payment may leave open")
async def put_tolerance(
    legal_entity: Code,
    currency: Currency,
    wanted: ToleranceIn,
    command: Annotated[ChangeRunner, perform_change("tolerance.set")],
) -> ToleranceOut:
    """Set a tolerance, in the place of a former one; 0 ends it. It counts for payments from now on."""
    actor = command.caller.subject

    async def put(unit: Unit) -> ToleranceOut:
        amount, reason = wanted.amount_minor, wanted.reason
        await require_legal_entity(unit, legal_entity)
        await unit.lock(f"tolerance {legal_entity}/{currency}")
        former = await repository.find_tolerance(unit, legal_entity, currency)
        await repository.set_tolerance(unit, legal_entity, currency, amount, actor, reason)
        unit.record(Change("tolerance", f"{legal_entity}/{currency}", None, dict(former or {}), wanted.model_dump()))
        return ToleranceOut(
            legal_entity=legal_entity, currency=currency, amount_minor=amount, set_by=actor, reason=reason
        )

    return await command.run(put, reason=wanted.reason)
