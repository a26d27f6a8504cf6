"""The reader of the page on a topic as no relay leaves it: shuffled, repeated, with gaps that fill later."""

import random
from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path
from typing import Any, ClassVar
from uuid import UUID, uuid4

import pytest
from aiokafka import AIOKafkaProducer

from deploy.local.kafka import KafkaServer
from shared.events import Event, get_topic
from shared.events.base import AccountEvent
from shared.events.entitlements import SubscriptionReinstated, SubscriptionSuspended
from shared.events.invoicing import InvoiceBalance, InvoiceBalanceChanged, InvoiceIssued, InvoiceOverdue
from shared.messaging import relay
from shared.persistence import outbox
from shared.persistence.database import Cause
from shared.process.service import NAMES
from tests.builders import START
from tests.end_to_end.integrating.reader import reading

pytestmark = pytest.mark.xdist_group("kafka")

Numbered = tuple[Event, int]
"""An event and its sequence."""


class Unheard(AccountEvent):
    """A type that the reader does not know."""

    producer: ClassVar[str] = "unheard"


class Case:
    """An account with one invoice and one subscription, and the events about them."""

    def __init__(self) -> None:
        self.account_id, self.invoice_id, self.subscription_id = uuid4(), uuid4(), uuid4()

    def balance(self, open_minor: int) -> InvoiceBalance:
        rest = dict.fromkeys(("disputed_minor", "in_flight_minor", "credited_minor", "written_off_minor"), 0)
        fixed: dict[str, Any] = {"number": "GS-1", "currency": "EUR", "due_date": date(2026, 3, 1), "lines": ()}
        return InvoiceBalance(invoice_id=self.invoice_id, total_minor=10_000, open_minor=open_minor, **fixed, **rest)

    def build_issued(self, open_minor: int) -> Event:
        return InvoiceIssued(
            account_id=self.account_id,
            issue_date=date(2026, 2, 1),
            external_reference=None,
            balance=self.balance(open_minor),
        )

    def build_changed(self, open_minor: int) -> Event:
        return InvoiceBalanceChanged(account_id=self.account_id, balance=self.balance(open_minor))

    def overdue(self, open_minor: int) -> Event:
        return InvoiceOverdue(account_id=self.account_id, evaluated_at=START, balance=self.balance(open_minor))

    def build_suspended(self) -> Event:
        return SubscriptionSuspended(
            account_id=self.account_id,
            subscription_id=self.subscription_id,
            suspension_id=None,
            hold_reasons=(),
            vendor_bills_on=True,
        )

    def build_reinstated(self) -> Event:
        return SubscriptionReinstated(
            account_id=self.account_id,
            subscription_id=self.subscription_id,
            suspension_id=None,
            renewal_restored=True,
        )


def standing(open_minor: int, overdue_minor: int, suspended: Iterable[UUID] = ()) -> dict[str, Any]:
    """Build the standing that the reader shall have of an account."""
    owed = ("EUR", open_minor, 0, overdue_minor)
    return {"owed": owed, "stage": None, "suspended": set(map(str, suspended)), "disputes": set()}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaServer]:
    """A broker of these tests' own: what they put on the product's topics is not for its services."""
    server = KafkaServer(tmp_path_factory.mktemp("disorder"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
async def broker(server: KafkaServer) -> str:
    """A broker with the product's topics."""
    await server.create_topics([get_topic(name) for name in NAMES])
    return server.bootstrap


async def send(broker: str, *events: Numbered, topic: str = get_topic("invoicing")) -> None:
    """Put events on a topic as the relay would, in this order."""
    async with AIOKafkaProducer(bootstrap_servers=broker) as producer:
        sent = []
        for event, sequence in events:
            row = outbox.build_outbox_row(event, sequence=sequence, unit_now=START, cause=Cause("request-1"))
            sent.append(await producer.send(topic, **relay._message(row._asdict())))
        for delivery in sent:
            await delivery


async def test_a_gap_is_waited_for_while_everything_else_goes_on(broker: str, tmp_path: Path) -> None:
    a, b = Case(), Case()
    accounts = (str(a.account_id), str(b.account_id))
    unknown = (Unheard(account_id=b.account_id), 3)
    with reading(tmp_path, broker) as reader:
        await send(broker, (a.build_issued(100), 1), (a.build_changed(30), 3), (a.build_changed(30), 3))
        await send(
            broker,
            (b.build_issued(70), 1),
            (b.overdue(70), 2),
            (b.build_issued(70), 1),
            unknown,
            (b.build_changed(50), 4),
        )
        await reader.caught_up()
        assert reader.standing(accounts) == {accounts[0]: standing(100, 0), accounts[1]: standing(50, 50)}
        reader.kill()
        await send(broker, (a.overdue(100), 2))
        reader.start()
        await reader.caught_up()
        assert reader.standing(accounts) == {accounts[0]: standing(30, 30), accounts[1]: standing(50, 50)}
        await send(broker, (a.build_changed(0), 4), (a.build_changed(20), 5))
        await reader.caught_up()
        assert reader.standing(accounts)[accounts[0]] == standing(20, 0)
        assert reader.rows("SELECT count(*) FROM waiting") == [(0,)]


async def test_it_is_right_after_shuffles_repetitions_and_kills(broker: str, tmp_path: Path) -> None:
    dice = random.Random(17)
    cases = [Case() for _ in range(12)]
    amounts = {case: [dice.randrange(1, 99) for _ in range(30)] for case in cases}
    owed = [(case.build_changed(open_minor), n) for case in cases for n, open_minor in enumerate(amounts[case], 1)]
    access = [
        (case.build_reinstated() if n % 2 == 0 else case.build_suspended(), n) for case in cases for n in range(1, 12)
    ]
    with reading(tmp_path, broker) as reader:
        for some, topic in ((owed, get_topic("invoicing")), (access, get_topic("entitlements"))):
            again = some + dice.sample(some, len(some) // 2)
            dice.shuffle(again)
            await send(broker, *again[:100], topic=topic)
            reader.kill()
            reader.start()
            await reader.until(lambda: bool(reader.rows("SELECT * FROM waiting")))
            await send(broker, *again[100:], topic=topic)
            reader.kill()
            reader.start()
        await reader.caught_up()
        standings = reader.standing(str(case.account_id) for case in cases)
    expected = {str(case.account_id): standing(amounts[case][-1], 0, [case.subscription_id]) for case in cases}
    assert standings == expected


async def test_what_a_crash_cut_short_is_read_again(broker: str, tmp_path: Path) -> None:
    cases = [Case() for _ in range(12)]
    deadly = cases[6].invoice_id
    with reading(tmp_path, broker) as reader:
        await reader.caught_up()
        reader.kill()
        refuse = f"WHEN NEW.id = '{deadly}' BEGIN SELECT RAISE(ABORT, 'the disk is full'); END"
        reader.change(f"CREATE TRIGGER full BEFORE INSERT ON invoices {refuse}")
        await send(broker, *[(case.build_issued(80), 1) for case in cases])
        reader.start()
        assert "the disk is full" in await reader.fell()
        reader.change("DROP TRIGGER full")
        reader.start()
        await reader.caught_up()
        standings = reader.standing(str(case.account_id) for case in cases)
    assert standings == {str(case.account_id): standing(80, 0) for case in cases}
