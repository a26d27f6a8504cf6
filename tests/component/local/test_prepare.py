"""Preparation before the first migration and the first process, at servers that are there already."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import pytest
import typer
from aiokafka.admin import AIOKafkaAdminClient
from typer.testing import CliRunner

from deploy.local.bootstrap import DATABASE, ROLES, SERVICES
from deploy.local.kafka import KafkaServer
from deploy.local.postgres import PostgresServer
from deploy.prepare import app, name_password_variable, read_role_passwords

PASSWORDS = {name_password_variable(role): f"{role}'s word" for role in ROLES}


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    """A server on which nothing is yet."""
    server = PostgresServer(tmp_path_factory.mktemp("postgres"), durable=False)
    server.start()
    yield server
    server.stop()
    server.remove()


def test_the_database_is_made_any_number_of_times(postgres: PostgresServer) -> None:
    admin = urlsplit(postgres.url())._replace(path="").geturl()
    for _ in range(2):
        done = CliRunner().invoke(app, ["database"], env=PASSWORDS | {"GOODSTANDING_ADMIN_URL": admin})
        assert done.exit_code == 0, done.output

    async def schemas(role: str) -> list[str]:
        address = urlsplit(admin)
        connection = await asyncpg.connect(
            host=address.hostname, port=address.port, user=role, password=f"{role}'s word", database=DATABASE
        )
        try:
            query = (
                "SELECT nspname FROM pg_namespace WHERE nspname = ANY($1) AND has_schema_privilege(nspname, 'USAGE')"
            )
            return sorted(row[0] for row in await connection.fetch(query, list(SERVICES)))
        finally:
            await connection.close()

    for service in SERVICES:
        assert asyncio.run(schemas(service)) == [service]


def test_a_role_without_a_password_is_refused() -> None:
    with pytest.raises(typer.BadParameter, match="GOODSTANDING_CLOCK_PASSWORD"):
        read_role_passwords(PASSWORDS | {"GOODSTANDING_CLOCK_PASSWORD": ""})


def test_topics_are_made_any_number_of_times(tmp_path: Path) -> None:
    server = KafkaServer(tmp_path)
    server.start()
    try:
        for _ in range(2):
            done = CliRunner().invoke(app, ["topics"], env={"GOODSTANDING_KAFKA": server.bootstrap})
            assert done.exit_code == 0, done.output

        async def partitions() -> dict[str, int]:
            admin = AIOKafkaAdminClient(bootstrap_servers=server.bootstrap)
            await admin.start()
            try:
                descriptions = await admin.describe_topics([f"{service}.events" for service in SERVICES])
                return {description["topic"]: len(description["partitions"]) for description in descriptions}
            finally:
                await admin.close()

        assert asyncio.run(partitions()) == {f"{service}.events": 6 for service in SERVICES}
    finally:
        server.stop()
