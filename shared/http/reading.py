"""What the routes that only read have at hand."""

from collections.abc import Awaitable, Callable
from typing import Annotated, TypeVar

from fastapi import Depends, Request

from shared.database import Unit
from shared.runtime import Runtime

T = TypeVar("T")


class Reader:
    """Runs reading units for the routes that only read."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime

    async def __call__(self, action: Callable[[Unit], Awaitable[T]]) -> T:
        return await self.runtime.units.read(action)


async def _reader(request: Request) -> Reader:
    return Reader(request.app.state.runtime)


Read = Annotated[Reader, Depends(_reader)]
"""The parameter of a route that only reads."""
