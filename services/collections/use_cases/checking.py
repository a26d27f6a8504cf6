"""Access is ended on fresh facts only: invoicing is asked before a request, and again before the vendor is called."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID

from services.collections.domain import account as consolidation
from services.collections.domain import guard as rules
from services.collections.domain.bank import BankKnowledge, waits_for
from services.collections.domain.suspension import SuspensionState, stands
from services.collections.repository import facts as repository
from services.collections.repository import guard as guard_rows
from services.collections.repository import notices as notice_rows
from services.collections.repository import policies
from services.collections.repository import suspensions as suspension_rows
from services.collections.repository.facts import Facts, ToldBalance
from services.collections.repository.guard import WINDOW
from services.collections.repository.suspensions import Cause, Suspension
from services.collections.use_cases import judging, suspensions
from services.collections.use_cases.judging import Judged
from shared.events.collections import WaitsFor
from shared.events.values import LineBalance
from shared.persistence.database import Unit
from shared.process.intents import Intent, Recorded
from shared.pure.errors import Later
from shared.web.clients import Answered

if TYPE_CHECKING:
    from shared.process.runtime import Runtime

Verdict = Literal["stands", "withdrawn", "wait"]


LOOK_AGAIN = timedelta(hours=1)
"""When a suspension that waits for the bank's data is looked at again."""


@dataclass(frozen=True, slots=True)
class Fresh:
    """What invoicing answered; `bank` is None where no version of the policy asks for it."""

    balances: list[dict[str, Any]]
    bank: BankKnowledge | None


async def ask(runtime: "Runtime", intent: Intent) -> Fresh:
    """Ask invoicing for the balances of an account's open items. Raises Later when there is no answer."""
    invoice_ids, asks = await runtime.units.run(lambda unit: _what_to_ask(unit, intent.account_id))
    balances = await _fresh(runtime, invoice_ids)
    return Fresh(balances, await _bank(runtime, intent.account_id) if asks else None)


async def _what_to_ask(unit: Unit, account_id: UUID) -> tuple[list[UUID], bool]:
    """The open invoices, and whether any version of the policy wants to know of the bank."""
    known = await policies.versions(unit)
    asks = any(version.policy.bank_data_hours is not None for version in known)
    return await repository.open_invoices(unit, account_id), asks


async def _bank(runtime: "Runtime", account_id: UUID) -> BankKnowledge:
    try:
        answer = await runtime.clients["invoicing"].get(f"/v1/accounts/{account_id}/bank-knowledge")
    except Answered as refused:
        raise Later(str(refused)) from refused
    until = answer["known_until"]
    return BankKnowledge(until and datetime.fromisoformat(until), len(answer["entries_in_question"]))


async def _fresh(runtime: "Runtime", invoice_ids: list[UUID]) -> list[dict[str, Any]]:
    if not invoice_ids:
        return []
    body = {"invoice_ids": [str(one) for one in invoice_ids]}
    try:
        answer = await runtime.clients["invoicing"].post("/v1/balances:batch", body)
    except Answered as refused:
        raise Later(str(refused)) from refused
    return list(answer["balances"])


async def save_fresh(unit: Unit, answers: list[dict[str, Any]]) -> None:
    """Keep what invoicing answered; its sequence decides against what events say."""
    told = [
        ToldBalance(
            UUID(one["invoice_id"]),
            UUID(one["account_id"]),
            one["number"],
            one["currency"],
            date.fromisoformat(one["due_date"]),
            one["sequence"],
            datetime.fromisoformat(one["changed_at"]),
            [LineBalance.model_validate(line) for line in one["lines"]],
            None,
        )
        for one in answers
    ]
    if told:
        await repository.save_balances(unit, told)


async def request_due(unit: Unit, intent: Intent, fresh: Fresh) -> Recorded:
    """With fresh balances: judge again, and request what is still due and what bank data and guard allow."""
    await save_fresh(unit, fresh.balances)
    asked: dict[UUID, datetime | None] = {}
    for account in (await repository.facts(unit, [intent.account_id])).values():
        items = {one.item.invoice_id: one for one in await judging.judged(unit, account)}
        due = consolidation.suspensions(one.judgement for one in items.values())
        held = await _held(unit, due, items, fresh.bank)
        for suspension in due:
            if held is None:
                await _request(unit, account, suspension, items)
                continue
            for one in (items[invoice_id] for invoice_id, _ in suspension.causes):
                asked[one.item.invoice_id] = held.again
                await judging.say_deferred(
                    unit, account, one, suspension.step, held.cause, held.again, waits_for=held.waits_for
                )
    await judging.follow(unit, [intent.account_id], asked=asked)
    return Recorded.DONE


@dataclass(frozen=True, slots=True)
class _Held:
    """Why suspensions that are due wait, and when to look again."""

    cause: str
    again: datetime | None
    waits_for: WaitsFor


async def _held(
    unit: Unit,
    due: Sequence[consolidation.Suspension],
    items: Mapping[UUID, Judged],
    bank: BankKnowledge | None,
) -> _Held | None:
    """What holds these suspensions back. They go out together or not at all: the strictest version counts."""
    numbers = {items[id_].version for suspension in due for id_, _ in suspension.causes}
    if cause := await _bank_wants(unit, numbers, bank):
        return _Held(cause, unit.now + LOOK_AGAIN, "bank_data")
    verdict, again = await _guard(unit, due)
    return None if verdict.allowed else _Held(verdict.reason or "", again, "guard")


async def _bank_wants(unit: Unit, numbers: Collection[int], bank: BankKnowledge | None) -> str | None:
    """What is to be waited for by these versions of the policy, if anything.

    A version that was published since invoicing was asked is not asked for here: the next check does.
    """
    known = await policies.versions(unit)
    hours = [version.policy.bank_data_hours for version in known if version.number in numbers]
    wanted = min((one for one in hours if one is not None), default=None)
    return None if wanted is None or bank is None else waits_for(bank, wanted, unit.now)


async def _guard(unit: Unit, due: Sequence[consolidation.Suspension]) -> tuple[rules.Verdict, datetime | None]:
    """The guard's verdict on all of these suspensions, and when its window will have room again.

    They go out together or not at all: once one of an invoice is requested, its step is taken and does not
    come again for the others.
    """
    state = await guard_rows.lock(unit)
    if (limits := state.limits) is None:
        return rules.Verdict(False, "there is no policy"), None
    verdicts = (
        rules.allows(
            requested_in_last_hour=state.requested + before,
            active_accounts=state.accounts,
            limits=limits,
            stopped=state.stopped,
            approved=state.approved_until is not None and state.approved_until > unit.now,
        )
        for before in range(len(due))
    )
    again = state.oldest + WINDOW if state.oldest and not state.stopped else None
    return next((verdict for verdict in verdicts if not verdict.allowed), rules.Verdict(True)), again


async def _request(unit: Unit, account: Facts, due: consolidation.Suspension, items: dict[UUID, Judged]) -> None:
    causes = [
        Cause(id_, items[id_].item.number, items[id_].judgement.round, amount, items[id_].item.currency)
        for id_, amount in due.causes
    ]
    version = items[due.causes[0][0]].version
    await suspensions.request(unit, account, due.subscription_id, due.step, version, causes)
    await notice_rows.end_deferrals(unit, [one.invoice_id for one in causes])


async def confirm(runtime: "Runtime", suspension_id: UUID) -> tuple[Verdict, str]:
    """Whether a suspension still stands, by fresh facts: asked directly before the vendor is called.

    Raises NotFound. Without an answer of invoicing the verdict is to wait.
    """
    suspension = await runtime.units.run(lambda unit: suspension_rows.suspension(unit, suspension_id))
    if suspension.state is not SuspensionState.REQUESTED:
        return _settled_verdict(suspension.state)
    try:
        fresh = await _fresh_for(runtime, suspension)
    except Later as error:
        return "wait", f"invoicing gives no answer: {error}"
    return await runtime.units.run(lambda unit: _confirm(unit, suspension_id, fresh))


async def _fresh_for(runtime: "Runtime", suspension: Suspension) -> Fresh:
    balances = await _fresh(runtime, list(suspension.causes))
    _, asks = await runtime.units.run(lambda unit: _what_to_ask(unit, suspension.account_id))
    return Fresh(balances, await _bank(runtime, suspension.account_id) if asks else None)


def _settled_verdict(state: SuspensionState) -> tuple[Verdict, str]:
    stands_already = state is SuspensionState.EFFECTIVE
    return ("stands" if stands_already else "withdrawn"), f"the suspension is {state}"


async def _confirm(unit: Unit, suspension_id: UUID, fresh: Fresh) -> tuple[Verdict, str]:
    known = await suspension_rows.suspension(unit, suspension_id)
    await unit.lock(known.account_id)
    await save_fresh(unit, fresh.balances)
    await judging.follow(unit, [known.account_id])
    suspension = await suspension_rows.suspension(unit, suspension_id)
    if suspension.state is not SuspensionState.REQUESTED:
        return _settled_verdict(suspension.state)
    account = (await repository.facts(unit, [suspension.account_id]))[suspension.account_id]
    if cause := await _find_delay(unit, account, suspension, fresh.bank):
        return "wait", cause
    items = {item.invoice_id: item for item in account.items}
    terms = judging.map_terms(await policies.versions(unit), account)
    if stands(frozenset(suspension.causes), suspension.subscription_id, items, terms, unit.now):
        return "stands", "its causes are dunnable by fresh balances"
    return "wait", "its causes are not known well enough"


async def _find_delay(unit: Unit, account: Facts, suspension: Suspension, bank: BankKnowledge | None) -> str | None:
    """Find what a requested suspension waits for, and note it with its invoices; what they waited for before is over.

    The stop of all suspensions comes before the bank's data.
    """
    mine = [one for one in await judging.judged(unit, account) if one.item.invoice_id in suspension.causes]
    waits_for: WaitsFor = "guard"
    cause, until = rules.ALL_STOPPED if (await guard_rows.state(unit)).stopped else None, None
    if cause is None:
        waits_for, until = "bank_data", unit.now + LOOK_AGAIN
        cause = await _bank_wants(unit, {one.version for one in mine}, bank)
    if cause is None:
        await notice_rows.end_deferrals(unit, list(suspension.causes))
        return None
    for one in mine:
        await judging.say_deferred(unit, account, one, suspension.step, cause, until, waits_for=waits_for)
    return cause
