"""Chargebacks: each has a case for the answer to the network, is warned of once, and ends where the money is."""

from datetime import timedelta
from uuid import UUID

from services.escalation.domain.deadlines import compute_warning
from services.escalation.repository import case_queries, chargeback_queries
from services.escalation.tables import ChargebackRow
from services.escalation.use_cases.cases import CaseLink, NewCase, enter_internally, open_case
from shared.database import Unit
from shared.events.escalation import CaseKind, ChargebackDeadlineNear
from shared.events.invoicing import ChargebackLost, ChargebackOpened, ChargebackWon


async def open_chargeback_case(unit: Unit, event: ChargebackOpened) -> None:
    """Open the case of a chargeback, once; one of fraud where the reason says so. Events of the past open none."""
    await unit.lock(event.account_id)
    if unit.is_past or await chargeback_queries.find_chargeback(unit, event.chargeback_id) is not None:
        return
    case = await open_case(unit, _build_case(event), actor=None)
    await chargeback_queries.save_chargeback(
        unit,
        ChargebackRow(
            chargeback_id=event.chargeback_id,
            case_id=case.id,
            account_id=event.account_id,
            answer_by=event.answer_by,
            state="open",
            warned_at=None,
            ended_at=None,
            wake_at=compute_warning(event.answer_by, timedelta(days=event.warn_days)),
        ),
    )


def _build_case(event: ChargebackOpened) -> NewCase:
    kind: CaseKind = "fraud" if event.is_fraud else "dispute"
    links = [CaseLink("chargeback", event.chargeback_id)]
    links += [CaseLink("invoice", invoice_id) for invoice_id in sorted({part.invoice_id for part in event.reopened})]
    return NewCase(
        kind,
        None,
        event.account_id,
        f"answer a chargeback by {event.answer_by} ({event.reason_code})",
        f"{chargeback_queries.CAUSE_PREFIX}{event.chargeback_id}",
        description="The evidence is the files of this case; how the network calls it says invoicing.",
        links=links,
    )


async def announce_due(unit: Unit, account_ids: list[str]) -> None:
    """Warn of the chargebacks of these accounts whose last day for an answer comes, once."""
    rows = await chargeback_queries.list_due(unit, [UUID(account_id) for account_id in account_ids], unit.now)
    for row in rows:
        row.warned_at, row.wake_at = unit.now, None
        await chargeback_queries.save_chargeback(unit, row)
        await _enter_chargeback(unit, row, f"the network takes an answer until {row.answer_by}")
        unit.publish(
            ChargebackDeadlineNear(
                case_id=row.case_id,
                account_id=row.account_id,
                chargeback_id=row.chargeback_id,
                answer_by=row.answer_by,
            )
        )


async def end_chargeback(unit: Unit, event: ChargebackWon | ChargebackLost) -> None:
    """Note in the case what the network decided: it is owed no answer any more."""
    await unit.lock(event.account_id)
    row = await chargeback_queries.find_chargeback(unit, event.chargeback_id)
    if row is None or row.state != "open":
        return
    row.state, row.ended_at, row.wake_at = ("won" if isinstance(event, ChargebackWon) else "lost"), unit.now, None
    await chargeback_queries.save_chargeback(unit, row)
    await _enter_chargeback(unit, row, f"the chargeback is {row.state}")


async def _enter_chargeback(unit: Unit, row: ChargebackRow, content: str) -> None:
    case = await case_queries.get_case(unit, row.case_id)
    details = {"chargeback_id": str(row.chargeback_id), "answer_by": row.answer_by.isoformat(), "state": row.state}
    await enter_internally(unit, case, "change", None, content, details)
