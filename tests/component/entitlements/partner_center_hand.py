"""A hand on the vendor simulator, for the contract of the Partner Center adapter."""

from pathlib import Path
from typing import Any
from uuid import UUID

import httpx2

from sandbox.vendor_simulator.faults import VendorFault
from services.entitlements.adapters.partner_center import POLLS, PartnerCenterSubscription
from services.entitlements.domain.vendor_port import VendorPort, VendorStatus
from tests.component.entitlements_world import Vendor, Wire

STATUSES = {VendorStatus.ACTIVE: "active", VendorStatus.SUSPENDED: "suspended", VendorStatus.GONE: "deleted"}
REFUSAL = 900115
OTHER_QUANTITY = 12
THROTTLE_SECONDS = 300.0


class PartnerCenterHand:
    """The simulator behind a client of its own."""

    def __init__(self, file: Path) -> None:
        self.vendor = Vendor(file)
        self._wire = Wire(self.vendor)
        self._failures = 0
        self._http = httpx2.AsyncClient(transport=self._wire, base_url="http://vendor")

    @property
    def calls(self) -> int:
        return len(self._wire.calls)

    @property
    def changes(self) -> int:
        return len(self.vendor.simulator.store.answers)

    def open_port(self, intent_id: UUID) -> VendorPort:
        return PartnerCenterSubscription(self._http, "tenant-17", "vendor-17", intent_id)

    def set_status(self, status: VendorStatus) -> None:
        self.vendor.change(status=STATUSES[status])

    def forget_subscription(self) -> None:
        self.vendor.simulator.store.subscriptions.clear()

    def change_elsewhere(self) -> None:
        self.vendor.change(quantity=OTHER_QUANTITY)

    def is_change_kept(self) -> bool:
        return self.vendor.subscription.quantity == OTHER_QUANTITY

    def lose_renewal(self) -> None:
        self.vendor.change(auto_renew_enabled=False, scheduled_next_term_instructions=None)

    def read_renewal(self) -> Any:
        return self.vendor.renewal()

    def fail_next_calls(self, times: int) -> None:
        self._failures = times
        self._wire.during = self._break_connection

    def lose_next_answers(self, times: int) -> None:
        self._strike(fault="timeout_after", hold=0, times=times, operation="PATCH")

    def refuse_next_change(self) -> str:
        self._strike(fault="404", code=REFUSAL, operation="PATCH")
        return str(REFUSAL)

    def throttle(self) -> None:
        self._strike(fault="429", retry_after=THROTTLE_SECONDS)

    def accept_next_change(self, *, in_time: bool) -> None:
        self._strike(fault="202", polls=2 if in_time else POLLS + 2, retry_after=0)

    def finish_accepted_changes(self) -> None:
        for change in list(self.vendor.simulator.store.accepted.values()):
            for _ in range(change.looks_left):
                self.vendor.simulator.read_subscription(change.id)

    async def _break_connection(self, request: httpx2.Request) -> None:
        if self._failures:
            self._failures -= 1
            raise httpx2.ConnectTimeout("nobody answers")

    def _strike(self, **fault: Any) -> None:
        self.vendor.simulator.faults.add_fault(VendorFault(**fault))
