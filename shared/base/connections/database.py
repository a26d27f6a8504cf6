"""Every connection to Postgres: of the pool, of loops that keep one of their own, of migrations and preparation."""

import time
from functools import partial
from typing import Any

import asyncpg

from shared.base.connections.access import DatabaseAccess
from shared.base.connections.tls import TlsOrLoginRefused, describe_tls_refusal, read_secret
from shared.base.telemetry import log

REPEAT_SECONDS = 30.0
"""How often the same refusal is logged: every request may try."""

_REFUSALS = (asyncpg.InvalidAuthorizationSpecificationError, asyncpg.ConnectionDoesNotExistError)
"""A wrong password is one of the former; for a certificate of ours that it does not take, the server breaks off."""
_logged: dict[str, float] = {}


async def connect_database(access: DatabaseAccess, **options: Any) -> asyncpg.Connection:
    """Connect as the settings say, with the files as they are now; options are those of `asyncpg.connect`.

    Raises ConnectionAccessRefused when TLS or the login fails, and what asyncpg raises.
    """
    try:
        return await asyncpg.connect(access.database_url, **_security(access), **options)  # noqa: TID251
    except (*_REFUSALS, OSError) as error:
        refusal = _describe(error, access)
        if refusal is None:
            raise
        _complain(refusal)
        raise TlsOrLoginRefused(f"the database: {refusal}") from error


def _security(access: DatabaseAccess) -> dict[str, Any]:
    path = access.database_password_file
    password = {"password": partial(read_secret, path)} if path else {}
    context = access.database_tls.make_context() if access.database_sslmode == "verify-full" else False
    return {"ssl": context, **password}


def _describe(error: BaseException, access: DatabaseAccess) -> str | None:
    if isinstance(error, asyncpg.InvalidAuthorizationSpecificationError):
        return "the login is refused"
    if refusal := describe_tls_refusal(error):
        return refusal
    # asyncpg has no class of its own for the server's `N` to the request for TLS.
    if access.database_sslmode == "verify-full" and "rejected SSL upgrade" in str(error):
        return "it offers no TLS"
    return None


def _complain(refusal: str) -> None:
    now = time.monotonic()
    if now - _logged.get(refusal, -REPEAT_SECONDS) >= REPEAT_SECONDS:
        _logged[refusal] = now
        log.error("the database cannot be reached", reason=refusal)
