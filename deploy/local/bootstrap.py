"""The database, its roles and schemas, before any migration. May run any number of times."""

from collections.abc import Callable, Mapping

from deploy.local.jars import CHECKOUT
from deploy.local.postgres import PostgresServer
from shared.base.connections.access import DatabaseAccess
from shared.base.connections.database import connect_database

SQL = CHECKOUT / "deploy" / "postgres"
DATABASE = "goodstanding"
SERVICES = ("invoicing", "collections", "entitlements", "escalation")
ROLES = ("owner", *SERVICES, "monitor", "clock")


async def bootstrap_database(
    admin_access: Callable[[str], DatabaseAccess], passwords: Mapping[str, str], database: str = DATABASE
) -> None:
    """Make roles, database and schemas. `admin_access` says how the superuser reaches a database, by its name."""
    server = await connect_database(admin_access("postgres"))
    try:
        await server.execute((SQL / "roles.sql").read_text())
        for role, password in passwords.items():
            await server.execute(f"ALTER ROLE {_quote(role, chr(34))} PASSWORD {_quote(password, chr(39))}")
        if not await server.fetchval("SELECT true FROM pg_database WHERE datname = $1", database):
            await server.execute(f"CREATE DATABASE {_quote(database, chr(34))} OWNER owner")
    finally:
        await server.close()
    inside = await connect_database(admin_access(database))
    try:
        await inside.execute((SQL / "schemas.sql").read_text())
    finally:
        await inside.close()


async def bootstrap_server(server: PostgresServer, database: str = DATABASE) -> None:
    """Make roles, database and schemas as `bootstrap_database` does, with the passwords that the server keeps."""
    passwords = {role: server.get_role_password(role) for role in ROLES}
    await bootstrap_database(lambda name: server.access(database=name), passwords, database)


def _quote(text: str, quote: str) -> str:
    """For statements that take no parameters."""
    return quote + text.replace(quote, quote * 2) + quote
