"""Faults on request: the next calls that fit are answered as the real vendor answers on a bad day."""

from datetime import UTC, datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Operation = Literal["GET", "PATCH"]


class VendorFault(BaseModel):
    """A fault: how often it meets which calls."""

    model_config = ConfigDict(extra="forbid")

    subscription: str | None = None
    """Or the number of a service request. None: every one."""
    operation: Operation | None = None
    """None: both."""
    fault: Literal["401", "404", "409", "412", "429", "500", "503", "timeout_before", "timeout_after", "202"]
    """`202` accepts a PATCH and does it later; the time-outs fail before or after the effect."""
    times: int = Field(default=1, ge=1)
    code: int | None = None
    """The vendor's own code in the answer, instead of the usual one."""
    retry_after: float | None = Field(default=None, ge=0)
    """Seconds, in the header of the same name."""
    hold: float = Field(default=30, ge=0, le=600)
    """Seconds for which a time-out keeps the caller waiting."""
    polls: int = Field(default=2, ge=1)
    """After this many looks an accepted change is done."""

    def matches_call(self, operation: Operation, subscription: str) -> bool:
        """Whether it strikes this call."""
        if self.fault == "202" and operation != "PATCH":
            return False
        return self.operation in (None, operation) and self.subscription in (None, subscription)


class VendorFaults:
    """The faults that are waiting, in the order in which they were asked for."""

    def __init__(self) -> None:
        self._waiting: list[VendorFault] = []

    def add_fault(self, fault: VendorFault) -> None:
        """Strike the next calls that fit."""
        self._waiting.append(fault)

    def clear_faults(self) -> None:
        """Strike nobody any more."""
        self._waiting.clear()

    def list_waiting_faults(self) -> list[VendorFault]:
        """List the faults that are still to come."""
        return list(self._waiting)

    def take_fault(self, operation: Operation, subscription: str) -> VendorFault | None:
        """The fault that this call meets, if any; it is used up once."""
        for index, fault in enumerate(self._waiting):
            if fault.matches_call(operation, subscription):
                remaining = fault.model_copy(update={"times": fault.times - 1})
                self._waiting[index : index + 1] = [remaining] if remaining.times else []
                return fault
        return None


class Clock:
    """The vendor's time: the system's, unless it was told one."""

    def __init__(self, fixed_time: datetime | None = None) -> None:
        self.fixed_time = fixed_time

    def now(self) -> datetime:
        """Tell the vendor's time, in UTC."""
        return self.fixed_time or datetime.now(UTC)
