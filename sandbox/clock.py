"""`python -m sandbox.clock --port P`: the sandbox's business clock over REST.

One row that every service reads. It never runs backwards. Setting it holds the sweeps if asked; releasing
them wakes every service at once, through a notification in the same transaction.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Annotated

import asyncpg
import typer
import uvicorn
from fastapi import Depends, FastAPI, HTTPException, Request, Response
from fastapi.responses import JSONResponse
from pydantic import AwareDatetime, BaseModel, ConfigDict

from sandbox.connections import open_pool
from shared.base.clock import CHANNEL, read_system_clock
from shared.base.connections.access import DatabaseAccess
from shared.base.transient_errors import BROKEN
from shared.web.http.pages import add_api_pages

START = "GOODSTANDING_CLOCK_START"
"""The variable that says when a new sandbox begins."""

_FIRST = "INSERT INTO clock.clock (id, now, sweeps_held) VALUES (1, $1, false) ON CONFLICT DO NOTHING"
_READ = "SELECT now, sweeps_held FROM clock.clock"
_MOVE = """
UPDATE clock.clock SET now = coalesce($1::timestamptz, now), sweeps_held = $2 WHERE $1::timestamptz IS NULL OR now <= $1
RETURNING now, sweeps_held
"""


class ClockOut(BaseModel):
    """The business time of the sandbox, and whether sweeps rest."""

    now: datetime
    sweeps_held: bool


class ClockIn(BaseModel):
    """Where to move the clock (left out: it stays), and whether sweeps rest from now on."""

    model_config = ConfigDict(extra="forbid")

    now: AwareDatetime | None = None
    sweeps_held: bool = False


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    app.state.pool = await open_pool(app.state.access, min_size=1, max_size=4)
    await app.state.pool.execute(_FIRST, app.state.start)
    yield
    await app.state.pool.close()


async def _pool(request: Request) -> asyncpg.Pool:
    return request.app.state.pool


Pool = Annotated[asyncpg.Pool, Depends(_pool)]


def create_app(access: DatabaseAccess, start: datetime) -> FastAPI:
    """The application; `access` logs in as the role `clock`. A new sandbox begins at `start`."""
    app = FastAPI(
        title="Goodstanding sandbox clock",
        version="1",
        lifespan=_lifespan,
        telemetry={"tracing": False},
        docs_url=None,
        redoc_url=None,
    )
    add_api_pages(app)
    app.state.access = access
    app.state.start = start
    for broken in BROKEN:
        app.add_exception_handler(broken, _away)
    app.get("/v1/clock", summary="The business time")(read_clock)
    app.put("/v1/clock", summary="Move the clock, hold or release the sweeps")(move_clock)
    app.get("/health/live", include_in_schema=False)(run_clock)
    app.get("/health/ready", include_in_schema=False)(read_clock)
    return app


async def _away(_: Request, __: Exception) -> Response:
    """The clock stands in the database."""
    return JSONResponse({"detail": "the database is away; try again"}, 503, {"Retry-After": "1"})


async def run_clock() -> dict[str, str]:
    """The process lives."""
    return {"status": "alive"}


async def read_clock(pool: Pool) -> ClockOut:
    """The business time of all services."""
    return ClockOut(**await pool.fetchrow(_READ))


async def move_clock(wanted: ClockIn, pool: Pool) -> ClockOut:
    """Move the clock forward; 409 if that would be backwards. Services are woken unless sweeps are held."""
    instant = wanted.now.astimezone(UTC) if wanted.now else None
    async with pool.acquire() as connection, connection.transaction():
        row = await connection.fetchrow(_MOVE, instant, wanted.sweeps_held)
        if row is None:
            raise HTTPException(409, "the clock never runs backwards")
        if not wanted.sweeps_held:
            await connection.execute(f"NOTIFY {CHANNEL}")
    return ClockOut(**row)


def main(
    port: Annotated[int, typer.Option()],
    database_url: Annotated[str, typer.Option(envvar="GOODSTANDING_DATABASE_URL")],
    start: Annotated[datetime | None, typer.Option(envvar=START)] = None,
    host: str = "127.0.0.1",
) -> None:
    """Serve the clock until SIGTERM. A new sandbox begins at `start` (UTC), else at today's midnight."""
    begin = start or read_system_clock().replace(hour=0, minute=0, second=0, microsecond=0)
    app = create_app(DatabaseAccess(database_url=database_url), begin.replace(tzinfo=UTC))
    config = uvicorn.Config(app, host=host, port=port, log_config=None, access_log=False)
    asyncio.run(uvicorn.Server(config).serve())


if __name__ == "__main__":
    typer.run(main)
