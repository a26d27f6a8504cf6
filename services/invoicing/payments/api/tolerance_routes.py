"""Tolerances: what a payment may leave open of an invoice and still settle it."""

from typing import Annotated

from fastapi import Response
from pydantic import BaseModel

from services.invoicing.payments.repository import tolerance_queries
from services.invoicing.payments.use_cases import tolerance_changes
from services.invoicing.settings.api import (
    CHANGE_PROPOSED,
    SettingChangeOut,
    answer_pending_setting_change,
    list_pending_setting_changes,
)
from services.invoicing.settings.domain.setting_change import SettingKind
from services.invoicing.settings.tables import SettingChangeRow
from services.invoicing.settings.use_cases import is_setting_change_applied
from shared.persistence.database import Unit
from shared.pure.fields import Code, Prose, RequestBody, get_model_example, set_model_example
from shared.pure.money import Currency, Minor, Money
from shared.pure.proposals import ChangeAlreadyProposed
from shared.web.auth import needs
from shared.web.commands import ChangeRunner, perform_change
from shared.web.http import PROBLEMS, Read, Router, refusals

reads = Router(prefix="/v1/tolerances", tags=["payments"], dependencies=[needs("invoicing:read")], responses=PROBLEMS)
writes = Router(prefix="/v1/tolerances", tags=["payments"], dependencies=[needs("invoicing:admin")], responses=PROBLEMS)


class ToleranceIn(RequestBody):
    """The amount that may be left open, and why."""

    model_config = set_model_example(amount_minor=5, reason="bank charges of foreign payments")

    amount_minor: Minor
    reason: Prose


class ToleranceOut(BaseModel):
    """The amount that a payment may leave open of an invoice of a legal entity."""

    model_config = set_model_example(
        legal_entity="GS-DE", currency="EUR", amount_minor=5, set_by="operator", reason="charges"
    )

    legal_entity: str
    currency: str
    amount_minor: int
    set_by: str
    reason: str


class TolerancesOut(BaseModel):
    """All tolerances, and what is proposed that they shall be."""

    model_config = set_model_example(tolerances=[get_model_example(ToleranceOut)], proposed=[])

    tolerances: list[ToleranceOut]
    proposed: list[SettingChangeOut]


@reads.get("", summary="List tolerances")
async def list_tolerances(read: Read) -> TolerancesOut:
    """List the amounts that payments may leave open; where nothing is listed, nothing."""

    async def load_tolerances(unit: Unit) -> TolerancesOut:
        tolerances = [
            ToleranceOut.model_validate(dict(row)) for row in await tolerance_queries.list_payment_tolerances(unit)
        ]
        return TolerancesOut(
            tolerances=tolerances, proposed=await list_pending_setting_changes(unit, SettingKind.TOLERANCE)
        )

    return await read(load_tolerances)


@writes.put(
    "/{legal_entity}/{currency}",
    response_model=ToleranceOut,
    summary="Say what a payment may leave open",
    responses={**CHANGE_PROPOSED, **refusals(ChangeAlreadyProposed)},
)
async def put_tolerance(
    legal_entity: Code,
    currency: Currency,
    wanted: ToleranceIn,
    command: Annotated[ChangeRunner, perform_change("tolerance.set")],
) -> ToleranceOut | Response:
    """Set a tolerance, in the place of a former one; 0 ends it. It counts for payments from now on.

    To raise one needs a second person (202) once its legal entity has issued an invoice, if that requires one.
    """
    caller, money, reason = command.caller, Money(wanted.amount_minor, currency), wanted.reason

    async def change_entity_tolerance(unit: Unit) -> SettingChangeRow:
        return await tolerance_changes.change_payment_tolerance(unit, caller, legal_entity, money, reason)

    row = await command.run(change_entity_tolerance, reason=reason)
    if not is_setting_change_applied(row):
        return answer_pending_setting_change(row)
    return ToleranceOut(legal_entity=legal_entity, currency=currency, set_by=caller.subject, **wanted.model_dump())
