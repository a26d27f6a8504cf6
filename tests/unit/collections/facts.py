"""Facts of an invoice of 3.00 EUR that is due on 10 March 2026 in UTC, with the standard policy."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from services.collections.domain.dunning_item import (
    ItemBalance,
    ItemFacts,
    LineBalance,
    OverdueJudgement,
    PaymentPromise,
    TakenDunningStep,
)

DUE = date(2026, 3, 10)
SUBSCRIPTION = UUID(int=101)
OTHER = UUID(int=102)


def on(day: int, hour: int = 9, minute: int = 0) -> datetime:
    """An instant so many days after the due date."""
    return datetime(2026, 3, 10, hour, minute, tzinfo=UTC) + timedelta(days=day)


def line(open_minor: int, *, disputed: int = 0, in_flight: int = 0, written_off: int = 0) -> LineBalance:
    """The first line, of the subscription."""
    return LineBalance(1, SUBSCRIPTION, open_minor, disputed, in_flight, written_off)


def balance(sequence: int, at: datetime, *lines: LineBalance) -> ItemBalance:
    """A balance; without lines the whole 3.00 is open."""
    return ItemBalance(sequence, at, lines or (line(300),))


def take_notice(step: str, at: datetime, number: int = 1) -> TakenDunningStep:
    """A notice that reached the next hop at once."""
    return TakenDunningStep(step, number, at, "sent", delivered_at=at)


def item(
    *balances: ItemBalance,
    overdue: tuple[OverdueJudgement, ...] | None = None,
    promises: tuple[PaymentPromise, ...] = (),
    taken: tuple[TakenDunningStep, ...] = (),
    number: str = "1",
) -> ItemFacts:
    """An item; issued 30 days before it is due and overdue on the first midnight, unless told otherwise."""
    return ItemFacts(
        invoice_id=UUID(int=int(number)),
        number=number,
        due_date=DUE,
        currency="EUR",
        zone=ZoneInfo("UTC"),
        recorded_at=on(-30, 0),
        balances=balances or (balance(1, on(-30, 0)),),
        overdue=(OverdueJudgement(50, on(1, 0)),) if overdue is None else overdue,
        promises=promises,
        taken=taken,
    )
