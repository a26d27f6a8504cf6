"""Parameters of the routes that only read."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Request

from shared.persistence.database import Unit, Units

T = TypeVar("T")


class UnitReader:
    """Runs reading units for the routes that only read."""

    def __init__(self, runtime: Any) -> None:
        self.runtime = runtime
        """The whole process, for use cases that ask other services."""

    async def __call__(self, action: Callable[[Unit], Awaitable[T]]) -> T:
        units: Units = self.runtime.units
        return await units.read(action)


async def _reader(request: Request) -> UnitReader:
    return UnitReader(request.app.state.runtime)


Read = Annotated[UnitReader, Depends(_reader)]
"""The parameter of a route that only reads."""
