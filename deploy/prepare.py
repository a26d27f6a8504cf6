"""`python -m deploy.prepare database|topics`: what is there before the first migration and the first process.

Both may run any number of times. For servers that were started by somebody else; the local stack does it by itself.
"""

import asyncio
import os
from collections.abc import Coroutine, Mapping
from typing import Annotated, Any
from urllib.parse import urlsplit

import typer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import TopicAlreadyExistsError

from deploy.local.bootstrap import DATABASE, ROLES, SERVICES, bootstrap_database
from deploy.local.kafka import PARTITIONS
from shared.base.connections.access import DatabaseAccess, KafkaAccess
from shared.base.connections.kafka import build_kafka_options, start_client
from shared.base.connections.tls import TlsOrLoginRefused

app = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__)
TOPICS = tuple(f"{service}.events" for service in SERVICES)
CLOSING_SECONDS = 0.25
"""How long connections that were refused have to say goodbye by TLS, before the loop ends under them."""


def name_password_variable(role: str) -> str:
    """Where the password of a role stands."""
    return f"GOODSTANDING_{role.upper()}_PASSWORD"


def read_role_passwords(environment: Mapping[str, str]) -> dict[str, str]:
    """Those of all roles. Raises BadParameter where one is missing or empty: there is no default."""
    passwords_by_role = {role: environment.get(name_password_variable(role), "") for role in ROLES}
    if missing := [name_password_variable(role) for role, word in passwords_by_role.items() if not word]:
        raise typer.BadParameter(f"not set: {', '.join(missing)}")
    return passwords_by_role


@app.command()
def database(admin_url: Annotated[str, typer.Option(envvar="GOODSTANDING_ADMIN_URL")]) -> None:
    """Make roles, database and schemas, as the superuser of `postgresql://NAME:PASSWORD@HOST:PORT`."""

    def access(name: str) -> DatabaseAccess:
        return DatabaseAccess(database_url=urlsplit(admin_url)._replace(path=f"/{name}").geturl())

    _run(bootstrap_database(access, read_role_passwords(os.environ), DATABASE))


@app.command()
def topics(
    kafka: Annotated[str, typer.Option(envvar="GOODSTANDING_KAFKA")],
    replicas: Annotated[int, typer.Option(help="On how many brokers each partition is.")] = 1,
) -> None:
    """Make the topics that are missing; they keep everything."""
    _run(_make(KafkaAccess(kafka=kafka), replicas))


def _run(work: Coroutine[Any, Any, None]) -> None:
    """Do the work; where TLS or the login fails, say so and end with 1."""
    try:
        asyncio.run(work)
    except TlsOrLoginRefused as refused:
        typer.echo(str(refused), err=True)
        raise typer.Exit(1) from None


async def _make(access: KafkaAccess, replicas: int) -> None:
    admin = AIOKafkaAdminClient(**build_kafka_options(access))
    try:
        await start_client(admin.start(), access)
        missing = sorted(set(TOPICS) - set(await admin.list_topics()))
        keep = {"retention.ms": "-1"}
        await admin.create_topics([NewTopic(name, PARTITIONS, replicas, topic_configs=keep) for name in missing])
    except TopicAlreadyExistsError:
        pass  # another run was quicker
    except TlsOrLoginRefused:
        await asyncio.sleep(CLOSING_SECONDS)
        raise
    finally:
        await admin.close()


if __name__ == "__main__":
    app()
