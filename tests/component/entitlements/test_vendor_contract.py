"""The contract of vendor adapters: Partner Center keeps it, and it needs nothing of Partner Center."""

from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from deploy.local.tokens import SigningKeyPair
from services.entitlements.domain.renewal_snapshot import RenewalSnapshot
from services.entitlements.domain.vendor_port import VendorRefusedForGood, VendorSubscriptionState
from tests.builders import Database, work
from tests.component.entitlements.fake_vendor import FakeBusy, FakeNever, FakePort, FakeVendor, Licence
from tests.component.entitlements.partner_center_hand import PartnerCenterHand
from tests.component.entitlements.vendor_contract import CONTRACT, VendorHand, list_broken_checks
from tests.component.entitlements_world import World, a_world


@pytest.fixture
def make_partner_center(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], VendorHand]]:
    monkeypatch.setattr("services.entitlements.adapters.partner_center.POLL_PAUSE", 0)
    hands: list[PartnerCenterHand] = []

    def make() -> VendorHand:
        hands.append(PartnerCenterHand(tmp_path / f"{uuid4()}.sqlite"))
        return hands[-1]

    yield make
    for hand in hands:
        hand.vendor.simulator.store.close()


@pytest.mark.parametrize("name", CONTRACT)
async def test_partner_center_keeps_the_contract(make_partner_center: Callable[[], VendorHand], name: str) -> None:
    await CONTRACT[name](make_partner_center())


async def test_a_vendor_that_is_like_none_keeps_the_contract() -> None:
    assert await list_broken_checks(lambda: FakeVendor(FakePort)) == []


class WithoutGuard(FakePort):
    """Overwrites what somebody else has changed."""

    def prepare_change(self, licence: Licence, fields: dict[str, Any]) -> Licence:
        assert self._vendor.licence is not None
        return replace(licence, version=self._vendor.licence.version, **fields)


class WithoutNames(FakePort):
    """Asks for each change as if it had never been asked for."""

    def choose_request_name(self, wanted: Licence) -> str:
        return str(uuid4())


class Impatient(FakePort):
    """Takes an accepted change for one that is done."""

    def wait_until_done(self) -> Licence:
        return self._vendor.read_licence()


class Despairing(FakePort):
    """Takes a busy vendor for one that refuses for good."""

    def translate_refusal(self, refusal: FakeNever | FakeBusy) -> Exception:
        if isinstance(refusal, FakeBusy):
            return VendorRefusedForGood("E-429", "busy")
        return super().translate_refusal(refusal)


class Forgetful(FakePort):
    """Puts back whether it renews, and nothing else."""

    async def restore_renewal(
        self, state: VendorSubscriptionState, snapshot: RenewalSnapshot
    ) -> VendorSubscriptionState:
        return self._change(state, renews=snapshot.is_auto_renew_on)


CHANGE_CHECKS = [
    "repeat_changes_nothing",
    "late_repeat",
    "foreign_change_kept",
    "foreign_suspension_suffices",
]
RENEWAL_CHECKS = ["renewal_put_back", "snapshot_survives_storage", "partial_restoration"]


@pytest.mark.parametrize(
    ("port_class", "broken"),
    [
        (WithoutGuard, CHANGE_CHECKS),
        (WithoutNames, ["late_repeat"]),
        (Impatient, ["change_accepted_late", "change_accepted_overdue"]),
        (Despairing, ["throttling"]),
        (Forgetful, RENEWAL_CHECKS),
    ],
)
async def test_an_adapter_that_breaks_the_contract_is_seen(port_class: type[FakePort], broken: list[str]) -> None:
    assert await list_broken_checks(lambda: FakeVendor(port_class)) == broken


@pytest.fixture
async def world(database: Database, keys: SigningKeyPair, jwks_file: Path) -> AsyncIterator[World]:
    async with a_world(database, keys, jwks_file) as world:
        yield world


async def test_the_worker_needs_nothing_but_the_port(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    vendor = FakeVendor(FakePort)
    settings = vendor.read_renewal()
    monkeypatch.setattr(
        "services.entitlements.jobs.vendor_sync.open_vendor_subscription",
        lambda runtime, entitlement, intent_id: vendor.open_port(intent_id),
    )
    await world.suspend()
    assert vendor.licence is not None
    assert (vendor.licence.power, vendor.changes) == ("off", 1)
    vendor.lose_renewal()
    await world.hear(world.build_reinstatement_request())
    await work(world.runtime)
    assert (vendor.licence.power, vendor.read_renewal(), vendor.changes) == ("on", settings, 3)
    announced = await world.events("SubscriptionSuspended", "SubscriptionReinstated")
    assert [event["type"] for event in announced] == ["SubscriptionSuspended", "SubscriptionReinstated"]
    assert announced[1]["renewal_restored"] is True
    assert world.wire.calls == []
