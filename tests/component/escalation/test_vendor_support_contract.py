"""The contract of the vendor's support: the adapters of its REST API keep it, and who breaks it is seen."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from services.escalation.domain.service_health import Incident, ServiceHealth, ServiceHealthRefused
from services.escalation.domain.vendor_tickets import TicketRefusedByVendor, VendorSupportDesk, VendorTicketView
from shared.pure.errors import RetryLater
from tests.component.escalation.vendor_support_contract import CONTRACT, list_broken_checks
from tests.component.escalation.vendor_support_hand import SimulatedSupportHand

MakeHand = Callable[[type[SimulatedSupportHand]], SimulatedSupportHand]


@pytest.fixture
def make_hand(tmp_path: Path) -> Iterator[MakeHand]:
    hands: list[SimulatedSupportHand] = []

    def make(hand_class: type[SimulatedSupportHand]) -> SimulatedSupportHand:
        hands.append(hand_class(tmp_path / f"{uuid4()}.sqlite"))
        return hands[-1]

    yield make
    for hand in hands:
        hand.vendor.store.close()


class NumberedHand(SimulatedSupportHand):
    """A vendor that answers status and severity as numbers, as the real one does now and then."""

    def __init__(self, file: Path) -> None:
        super().__init__(file, writes_numbers=True)


@pytest.mark.parametrize("hand_class", [SimulatedSupportHand, NumberedHand])
@pytest.mark.parametrize("name", CONTRACT)
async def test_the_adapters_keep_the_contract(
    make_hand: MakeHand, hand_class: type[SimulatedSupportHand], name: str
) -> None:
    await CONTRACT[name](make_hand(hand_class))


class ChangingDesk:
    """A desk around that of the vendor, for adapters that break the contract."""

    def __init__(self, desk: VendorSupportDesk) -> None:
        self._desk = desk

    async def fetch_vendor_ticket(self, number: str) -> VendorTicketView:
        return await self._desk.fetch_vendor_ticket(number)

    async def add_vendor_note(self, number: str, content: str, request_id: UUID) -> None:
        await self._desk.add_vendor_note(number, content, request_id)


class Despairing(ChangingDesk):
    """Takes a vendor that is away for one that refuses for good."""

    async def fetch_vendor_ticket(self, number: str) -> VendorTicketView:
        try:
            return await super().fetch_vendor_ticket(number)
        except RetryLater as error:
            raise TicketRefusedByVendor("503") from error


class Hopeful(ChangingDesk):
    """Asks for ever for what it may not see."""

    async def fetch_vendor_ticket(self, number: str) -> VendorTicketView:
        try:
            return await super().fetch_vendor_ticket(number)
        except TicketRefusedByVendor as error:
            raise RetryLater("refused") from error


class Undated(ChangingDesk):
    """Loses when notes were written."""

    async def fetch_vendor_ticket(self, number: str) -> VendorTicketView:
        ticket = await super().fetch_vendor_ticket(number)
        return replace(ticket, notes=tuple(replace(note, written_at=None) for note in ticket.notes))


class Mute(ChangingDesk):
    """Sends no notes."""

    async def add_vendor_note(self, number: str, content: str, request_id: UUID) -> None:
        pass


@pytest.mark.parametrize(
    ("desk_class", "broken"),
    [
        (Despairing, ["desk_away"]),
        (Hopeful, ["hidden_ticket"]),
        (Undated, ["notes_are_read"]),
        (Mute, ["our_note_arrives", "hidden_ticket", "desk_away"]),
    ],
)
async def test_a_desk_that_breaks_the_contract_is_seen(
    make_hand: MakeHand, desk_class: type[ChangingDesk], broken: list[str]
) -> None:
    class Hand(SimulatedSupportHand):
        def open_desk(self) -> VendorSupportDesk:
            return desk_class(super().open_desk())

    assert await list_broken_checks(lambda: make_hand(Hand)) == broken


class ForgivingHealth:
    """Shows no incidents where the vendor shows none to us, or is away."""

    def __init__(self, health: ServiceHealth) -> None:
        self._health = health

    async def list_incidents(self) -> tuple[Incident, ...]:
        try:
            return await self._health.list_incidents()
        except (RetryLater, ServiceHealthRefused):
            return ()


async def test_a_page_of_incidents_that_breaks_the_contract_is_seen(make_hand: MakeHand) -> None:
    class Hand(SimulatedSupportHand):
        def open_health(self) -> ServiceHealth:
            return ForgivingHealth(super().open_health())

    assert await list_broken_checks(lambda: make_hand(Hand)) == ["health_away", "health_refused"]
