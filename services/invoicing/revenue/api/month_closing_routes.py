"""Closing of months over REST."""

from datetime import date
from typing import Annotated

from fastapi import Path, Response
from pydantic import BaseModel

from services.invoicing.revenue import use_cases as revenue_use_cases
from services.invoicing.revenue.use_cases import LedgerMonthAlreadyClosed, LedgerMonthNotOver
from services.invoicing.settings.api import CHANGE_PROPOSED, SettingChangeOut, get_setting_status_code
from services.invoicing.settings.use_cases import is_setting_change_applied
from shared.persistence.database import Unit
from shared.pure.fields import Code, ReasonIn, set_model_example
from shared.pure.proposals import ChangeAlreadyProposed
from shared.web.auth import needs
from shared.web.commands import CommandRunner, perform_command
from shared.web.http import PROBLEMS, Router, refusals

writes = Router(prefix="/v1/ledger", tags=["ledger"], dependencies=[needs("invoicing:settings")], responses=PROBLEMS)

Month = Annotated[str, Path(pattern=r"^(19|20|21)\d\d-(0[1-9]|1[0-2])(-01)?$", examples=["2026-03"])]
"""A month as `YYYY-MM`, or by its first day as lists of months write it."""


class ClosedMonthOut(BaseModel):
    """A month that takes no posting any more."""

    model_config = set_model_example(legal_entity="GS-DE", month="2026-03-01")

    legal_entity: str
    month: date


@writes.post(
    "/{legal_entity}/periods/{month}:close",
    status_code=200,
    response_model=ClosedMonthOut,
    summary="Close a month",
    responses={**CHANGE_PROPOSED, **refusals(LedgerMonthNotOver, LedgerMonthAlreadyClosed, ChangeAlreadyProposed)},
)
async def close_month(
    legal_entity: Code,
    month: Month,
    reason_body: ReasonIn,
    command: Annotated[CommandRunner, perform_command("ledger_period.close")],
) -> Response:
    """Release what was billed in advance and is earned by its end, and refuse later postings into it.

    A month can be closed when it is over in every time zone, from 12:00 UTC of the first day of the next one on. Open
    months before it are closed with it. It needs a second person (202) once the legal entity has issued an invoice,
    if that requires one.
    """
    first = date.fromisoformat(f"{month[:7]}-01")

    async def close_or_propose_month(unit: Unit) -> ClosedMonthOut | SettingChangeOut:
        row = await revenue_use_cases.close_ledger_month(unit, command.caller, legal_entity, first, reason_body.reason)
        if not is_setting_change_applied(row):
            return SettingChangeOut.from_setting_change_row(row)
        return ClosedMonthOut(legal_entity=legal_entity, month=first)

    return await command.run(
        close_or_propose_month, status=lambda answer: get_setting_status_code(answer, 200), reason=reason_body.reason
    )
