"""Collections judges by facts and their times: promises, debits, late and shuffled news, releases by persons."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from shared.events.entitlements import SubscriptionSuspended
from shared.events.invoicing import InvoiceBalance, InvoiceBalanceChanged, InvoiceIssued, InvoiceOverdue
from shared.events.values import LineBalance
from tests.builders import hear
from tests.component.collections import test_collections
from tests.component.collections.test_collections import DUE, World

world = test_collections.world

REASON = {"reason": "agreed by phone"}


def on(days: int, hour: int = 9) -> datetime:
    """An instant of a day counted from the due date."""
    return datetime(DUE.year, DUE.month, DUE.day, hour, tzinfo=UTC) + timedelta(days=days)


def line(number: int, subscription_id: UUID | None, open_minor: int, **other_amounts: int) -> LineBalance:
    """A line's balance."""
    amounts = {"disputed_minor": 0, "in_flight_minor": 0, "written_off_minor": 0} | other_amounts
    return LineBalance(line=number, subscription_id=subscription_id, open_minor=open_minor, **amounts)


def balance_of(world: World, invoice_id: UUID, *lines: LineBalance, announced: bool = True) -> InvoiceBalance:
    """The balance of an invoice with these lines, which a fresh read says from now on too."""
    balance = InvoiceBalance(
        invoice_id=invoice_id,
        number=f"GS-{str(invoice_id)[-4:]}",
        currency="EUR",
        due_date=DUE,
        total_minor=1000,
        open_minor=sum(line.open_minor for line in lines),
        disputed_minor=sum(line.disputed_minor for line in lines),
        in_flight_minor=sum(line.in_flight_minor for line in lines),
        credited_minor=0,
        written_off_minor=sum(line.written_off_minor for line in lines),
        lines=lines,
    )
    world.invoicing.balances[invoice_id] = balance.model_dump(mode="json") | {
        "account_id": str(world.account_id),
        "sequence": world.sequence + (1 if announced else 10),
        "changed_at": world.database.now.isoformat(),
    }
    return balance


async def issue(world: World, *lines: LineBalance) -> UUID:
    """Hear of an invoice with these lines."""
    invoice_id = uuid4()
    balance = balance_of(world, invoice_id, *lines)
    await world.hear(
        InvoiceIssued(account_id=world.account_id, issue_date=DUE, external_reference=None, balance=balance)
    )
    return invoice_id


async def change_line_balances(world: World, invoice_id: UUID, *lines: LineBalance) -> None:
    """Hear of a balance with these lines."""
    await world.hear(InvoiceBalanceChanged(account_id=world.account_id, balance=balance_of(world, invoice_id, *lines)))


async def overdue(world: World, invoice_id: UUID, *lines: LineBalance) -> None:
    """Hear that it is overdue since now."""
    balance = balance_of(world, invoice_id, *lines)
    await world.hear(InvoiceOverdue(account_id=world.account_id, evaluated_at=world.database.now, balance=balance))


async def promise(world: World, invoice_id: UUID, amount: int, since: datetime, until: datetime) -> None:
    """A promise to pay."""
    await world.database.execute(
        "INSERT INTO collections.promises (id, account_id, invoice_id, amount_minor, active_from, active_until)"
        " VALUES ($1, $2, $3, $4, $5, $6)",
        uuid4(),
        world.account_id,
        invoice_id,
        amount,
        since,
        until,
    )


async def ladder(world: World, *days: int) -> None:
    """Live through nine o'clock of these days."""
    for day in days:
        await world.day(day)


async def effective(world: World, subscription_id: UUID, suspension_id: str) -> None:
    """Hear that the vendor has switched access off."""
    await world.hear(
        SubscriptionSuspended(
            account_id=world.account_id,
            subscription_id=subscription_id,
            suspension_id=UUID(suspension_id),
            hold_reasons=("non_payment",),
            vendor_bills_on=True,
        )
    )


async def outcomes(world: World, item: int = 0) -> dict[str, Any]:
    """Return the outcome of each step."""
    return {step["step"]: step["outcome"] for step in (await world.standing())["items"][item]["steps"]}


async def test_a_promise_stops_steps_and_the_clock_and_stands_in_the_arithmetic(world: World) -> None:
    invoice_id = await world.issue()
    await promise(world, invoice_id, 1000, on(-10), on(5, 12))
    await ladder(world, -3)
    await world.day(1, 0)
    await world.overdue(invoice_id)
    await ladder(world, 1, 2, 5)
    assert world.hop.taken == []
    item = (await world.standing())["items"][0]
    assert (item["position"], item["paused_days"]) == (0, 5)
    assert item["amounts"] | {"currency": ""} == {
        "currency": "",
        "open_minor": 1000,
        "disputed_minor": 0,
        "in_flight_minor": 0,
        "promised_minor": 1000,
        "dunnable_minor": 0,
    }
    await ladder(world, 6)
    assert [step for step, outcome in (await outcomes(world)).items() if outcome] == ["upcoming", "reminder_1"]
    assert len(world.hop.taken) == 1
    item = (await world.standing())["items"][0]
    assert (item["position"], item["next"]["step"], item["next"]["at"]) == (1, "reminder_2", "2026-03-22T09:00:00Z")


async def test_a_debit_in_flight_stops_the_suspension_and_the_rest_goes_on(world: World) -> None:
    """The debit covers the first line, so only the subscription of the second one is suspended."""
    first, second = uuid4(), uuid4()
    lines = (line(1, first, 600), line(2, second, 400))
    invoice_id = await issue(world, *lines)
    await world.day(1, 0)
    await overdue(world, invoice_id, *lines)
    await ladder(world, 1, 7, 14)
    await change_line_balances(world, invoice_id, line(1, first, 600, in_flight_minor=600), line(2, second, 400))
    await ladder(world, 21)
    assert [suspension["subscription_id"] for suspension in (await world.standing())["suspensions"]] == [str(second)]
    assert (await world.standing())["items"][0]["amounts"]["dunnable_minor"] == 400


async def test_an_invoice_heard_of_late_gets_its_furthest_missed_notice_only(world: World) -> None:
    """It was issued long before it was due, and is overdue since its first midnight; the news came on day 16."""
    await world.day(16, 8)
    invoice_id = uuid4()
    balance = balance_of(world, invoice_id, line(1, world.subscription_id, 1000))
    common: dict[str, Any] = {"account_id": world.account_id, "balance": balance}
    issued = InvoiceIssued(issue_date=DUE, external_reference=None, **common)
    await hear(world.runtime, issued, sequence=2, at=on(-30))
    await hear(world.runtime, InvoiceOverdue(evaluated_at=on(1, 0), **common), sequence=3, at=on(1, 0))
    await ladder(world, 16)
    taken = await outcomes(world)
    assert [taken[step] for step in ("upcoming", "reminder_1", "reminder_2")] == ["skipped"] * 3
    assert (taken["final_notice"], len(world.hop.taken)) == ("sent", 1)
    await ladder(world, 21, 22)
    assert await world.events("SuspensionRequested") == []
    await ladder(world, 23)
    assert len(await world.events("SuspensionRequested")) == 1


async def test_an_outage_sends_the_furthest_missed_notice_and_moves_the_suspension(world: World) -> None:
    invoice_id = await world.issue()
    await world.day(1, 0)
    await world.overdue(invoice_id)
    before = len(world.hop.taken)
    await ladder(world, 16)
    taken = await outcomes(world)
    assert (taken["reminder_1"], taken["reminder_2"], taken["final_notice"]) == ("skipped", "skipped", "sent")
    assert len(world.hop.taken) == before + 1
    await ladder(world, 21, 22)
    assert await world.events("SuspensionRequested") == []
    await ladder(world, 23)
    assert len(await world.events("SuspensionRequested")) == 1


async def test_a_settled_line_ends_the_hold_of_its_subscription_only(world: World) -> None:
    first, second = uuid4(), uuid4()
    lines = (line(1, first, 600), line(2, second, 400))
    invoice_id = await issue(world, *lines)
    await world.day(1, 0)
    await overdue(world, invoice_id, *lines)
    await ladder(world, 1, 7, 14, 21)
    suspensions = {
        suspension["subscription_id"]: suspension["id"] for suspension in (await world.standing())["suspensions"]
    }
    assert set(suspensions) == {str(first), str(second)}
    for subscription_id, suspension_id in suspensions.items():
        await effective(world, UUID(subscription_id), suspension_id)
    await change_line_balances(world, invoice_id, line(1, first, 0), line(2, second, 400))
    states = {
        suspension["subscription_id"]: suspension["state"] for suspension in (await world.standing())["suspensions"]
    }
    assert states == {str(first): "ending", str(second): "effective"}
    ended = await world.events("ReinstatementRequested")
    assert len(ended) == 1
    assert str(first) in ended[0]


async def test_dispute_debit_and_write_off_lift_no_effective_suspension_but_payment_does(world: World) -> None:
    invoice_id = await world.to_suspension()
    suspension = (await world.standing())["suspensions"][0]
    await effective(world, world.subscription_id, suspension["id"])
    own = world.subscription_id
    for line_balance in (
        line(1, own, 1000, disputed_minor=1000),
        line(1, own, 1000, in_flight_minor=1000),
        line(1, own, 0, written_off_minor=1000),
    ):
        await change_line_balances(world, invoice_id, line_balance)
        assert (await world.standing())["suspensions"][0]["state"] == "effective"
    await change_line_balances(world, invoice_id, line(1, own, 0))
    assert (await world.standing())["suspensions"][0]["state"] == "ending"


async def test_a_fresh_balance_of_a_higher_sequence_wins_over_an_event_that_comes_later(world: World) -> None:
    invoice_id = await world.to_suspension()
    suspension = (await world.standing())["suspensions"][0]
    balance_of(world, invoice_id, line(1, world.subscription_id, 0), announced=False)
    verdict = await world.client.got(f"/v1/suspensions/{suspension['id']}/confirmation")
    assert verdict["verdict"] == "withdrawn"
    await change_line_balances(world, invoice_id, line(1, world.subscription_id, 900))
    standing = await world.standing()
    assert (standing["state"], standing["items"]) == ("good_standing", [])
    assert len(await world.events("SuspensionRequested")) == 1


async def release(world: World, until: str) -> dict[str, Any]:
    """Release the newest suspension up to a day; the answer."""
    suspension = (await world.standing())["suspensions"][0]
    return await world.client.create(f"/v1/suspensions/{suspension['id']}:release", REASON | {"until": until})


async def final_notices(world: World) -> list[str]:
    """The days on which a final notice was sent."""
    query = (
        "SELECT delivered_at::date::text AS day FROM collections.notices WHERE template = 'final_notice'"
        " AND state = 'sent' ORDER BY delivered_at"
    )
    return [row["day"] for row in await world.database.rows(query)]


async def test_what_was_released_before_it_was_effective_needs_a_new_final_notice(world: World) -> None:
    """Due on 10 March: a final notice on the 24th; requested and released on the 31st, up to 2 April."""
    invoice_id = await world.to_suspension()
    assert (await release(world, "2026-04-02"))["state"] == "withdrawn"
    await world.change_balance(invoice_id, 999)
    await ladder(world, 22, 23)
    assert (await final_notices(world), len(await world.events("SuspensionRequested"))) == (["2026-03-24"], 1)
    assert (await outcomes(world))["suspend"] == "requested"
    await ladder(world, 24)
    assert await final_notices(world) == ["2026-03-24", "2026-04-03"]
    item = (await world.standing())["items"][0]
    assert (item["position"], item["round"], item["next"]["at"][:10]) == (24, 1, "2026-04-10")
    await ladder(world, 30)
    assert len(await world.events("SuspensionRequested")) == 1
    await ladder(world, 31)
    assert len(await world.events("SuspensionRequested")) == 2
    (withdrawn,) = await world.events("SuspensionWithdrawn")
    assert ('"cause":"released"' in withdrawn, "phone" in withdrawn) == (True, False)


async def test_what_was_released_after_it_was_effective_ends_again_only_after_a_new_notice(world: World) -> None:
    """Nothing is terminated meanwhile: the 45th day is 24 April, within the release."""
    await world.to_suspension()
    suspension = (await world.standing())["suspensions"][0]
    await effective(world, world.subscription_id, suspension["id"])
    assert (await release(world, "2026-04-25"))["state"] == "ending"
    await ladder(world, 22, 45, 46)
    assert await world.events("TerminationRequested") == []
    assert (await world.standing())["suspensions"][0]["released_until"] == "2026-04-25"
    await ladder(world, 47)
    deferred = (await world.standing())["deferred"][0]
    assert deferred["cause"] == "7 days since final_notice are complete on 2026-05-03"
    assert await final_notices(world) == ["2026-03-24", "2026-04-26"]
    await ladder(world, 54)
    assert len(await world.events("SuspensionRequested")) == 2
    assert await world.events("TerminationRequested") == []
    await effective(world, world.subscription_id, (await world.standing())["suspensions"][0]["id"])
    await ladder(world, 55)
    assert len(await world.events("TerminationRequested")) == 1


async def test_a_suspended_account_is_not_told_that_it_will_be_suspended(world: World) -> None:
    await world.to_suspension()
    await effective(world, world.subscription_id, (await world.standing())["suspensions"][0]["id"])
    later = await world.issue()
    await world.overdue(later)
    await ladder(world, 22, 28, 35)  # nothing of it was open before: its positions 1, 7 and 14
    notice = (await world.standing())["notices"][0]
    assert [(item["step"], item["access"]) for item in notice["items"]] == [("final_notice", "ended")]
    assert b"Subject: Final notice: a payment is overdue" in world.hop.taken[-1]


async def test_a_release_ends_today_at_the_earliest_and_comes_once(world: World) -> None:
    await world.to_suspension()
    path = f"/v1/suspensions/{(await world.standing())['suspensions'][0]['id']}:release"
    for until in ("2026-03-30", "2027-04-01"):
        refused = await world.client.post(path, REASON | {"until": until})
        assert (refused.status_code, refused.json()["code"]) == (422, "release_refused")
    assert (await world.client.post(path, REASON)).status_code == 422
    await world.client.create(path, REASON | {"until": "2026-03-31"})
    again = await world.client.post(path, REASON | {"until": "2026-03-31"})
    assert (again.status_code, again.json()["code"]) == (409, "suspension_move_refused")


async def test_a_suspension_that_is_only_requested_terminates_nothing(world: World) -> None:
    await world.to_suspension()
    await ladder(world, 45)
    assert await world.events("TerminationRequested") == []
    await effective(world, world.subscription_id, (await world.standing())["suspensions"][0]["id"])
    await ladder(world, 46)
    assert len(await world.events("TerminationRequested")) == 1


async def test_a_dispute_and_its_rejection_that_are_heard_at_once_withdraw_what_is_requested(world: World) -> None:
    invoice_id = await world.to_suspension()
    filed, rejected = (
        InvoiceBalanceChanged(account_id=world.account_id, balance=world.balance(invoice_id, 1000, disputed))
        for disputed in (1000, 0)
    )
    before, filed_at = world.sequence, world.database.now + timedelta(minutes=20)
    await world.database.move(hours=1)
    await hear(world.runtime, rejected, sequence=before + 2)
    assert (await world.standing())["suspensions"][0]["state"] == "requested"
    await hear(world.runtime, filed, sequence=before + 1, at=filed_at)
    assert (await world.standing())["suspensions"][0]["state"] == "withdrawn"


async def test_a_deferral_ends_with_its_debt(world: World) -> None:
    invoice_id = await world.issue()
    await world.day(1, 0)
    await world.overdue(invoice_id)
    await ladder(world, 1, 7)
    world.hop.answer = "550 no such mailbox"
    await ladder(world, 14, 21)
    assert len((await world.standing())["deferred"]) == 1
    await world.change_balance(invoice_id, 0)
    standing = await world.standing()
    assert (standing["state"], standing["deferred"]) == ("good_standing", [])


async def test_paid_and_taken_back_needs_a_new_final_notice_in_whatever_order_it_is_told(world: World) -> None:
    invoice_id = await world.to_suspension()
    suspension = (await world.standing())["suspensions"][0]
    await effective(world, world.subscription_id, suspension["id"])
    paid, open_again = (
        InvoiceBalanceChanged(
            account_id=world.account_id,
            balance=balance_of(world, invoice_id, line(1, world.subscription_id, open_minor)),
        )
        for open_minor in (0, 1000)
    )
    await hear(world.runtime, open_again, sequence=world.sequence + 2)
    await hear(world.runtime, paid, sequence=world.sequence + 1)
    standing = await world.standing()
    assert (standing["suspensions"][0]["state"], standing["items"][0]["round"]) == ("ending", 2)
    assert standing["items"][0]["stage"] is None
