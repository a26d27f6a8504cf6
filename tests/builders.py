"""Builders of tests: databases with a clock, running services, clients, and the usual bodies."""

import subprocess
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx2
from fastapi import FastAPI
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

from deploy.local import children, ports
from deploy.local.children import ChildProgram
from deploy.local.postgres import PostgresServer
from deploy.local.tokens import ISSUER, SigningKeyPair
from shared.base.kafka import MessageEnvelope, parse_message_envelope
from shared.base.settings import Settings
from shared.events import Event
from shared.events.invoicing import (
    AccountRegistered,
    AllocatedAmount,
    ChargebackOpened,
    SubscriptionActivated,
    SubscriptionEnded,
)
from shared.persistence.database import Unit
from shared.process.runtime import Runtime
from shared.process.service import load_service
from shared.web.http import create_process_app

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
"""A Monday; the business time at which a test begins."""


@dataclass
class Database:
    """A database of one test and its business clock."""

    server: PostgresServer
    name: str
    now: datetime = START
    _idle: list[asyncpg.Connection] = field(default_factory=list, repr=False)
    """The superuser's connection of `keeping_connection`, while no statement runs on it."""

    def url(self, role: str) -> str:
        """Where a role logs in."""
        return self.server.url(role, self.name)

    async def install_clock(self) -> None:
        """Begin at START, with sweeps released."""
        await self.execute("INSERT INTO clock.clock (id, now, sweeps_held) VALUES (1, $1, false)", START)

    async def move(self, now: datetime | None = None, **by: float) -> datetime:
        """Move the clock to an instant, or forward by a span."""
        self.now = now or self.now + timedelta(**by)
        await self.execute("UPDATE clock.clock SET now = $1", self.now)
        return self.now

    async def execute(self, query: str, *arguments: Any) -> None:
        """Run a statement as the database's superuser."""
        async with self._connection() as connection:
            await connection.execute(query, *arguments)

    async def rows(self, query: str, *arguments: Any) -> list[asyncpg.Record]:
        """Rows, as the database's superuser."""
        async with self._connection() as connection:
            rows: list[asyncpg.Record] = await connection.fetch(query, *arguments)
            return rows

    async def value(self, query: str, *arguments: Any) -> Any:
        """One value, as the database's superuser."""
        async with self._connection() as connection:
            return await connection.fetchval(query, *arguments)

    @asynccontextmanager
    async def keeping_connection(self) -> AsyncIterator[None]:
        """Keep a connection for single statements of the superuser: to log in takes longer than most of them."""
        async with self.connected() as connection:
            self._idle.append(connection)
            yield
            self._idle.clear()

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[asyncpg.Connection]:
        """The kept connection, or one of its own for a statement while that is busy or lost."""
        kept = self._idle.pop() if self._idle else None
        if kept is None or kept.is_closed():
            async with self.connected() as connection:
                yield connection
            return
        try:
            yield kept
        finally:
            self._idle.append(kept)

    @asynccontextmanager
    async def connected(self, role: str | None = None) -> AsyncIterator[asyncpg.Connection]:
        """A connection of a role, or of the superuser."""
        url = self.server.url(role, self.name) if role else self.server.url(database=self.name)
        connection = await asyncpg.connect(url)
        try:
            yield connection
        finally:
            await connection.close()


async def insert_legal_entities(url: str, codes: Sequence[str] = ("GS-DE", "GS-FR", "GS-AT")) -> None:
    """Let legal entities exist, of which nothing is said yet."""
    connection = await asyncpg.connect(url)
    await connection.execute(
        "INSERT INTO invoicing.legal_entities (code, name, address, tax_id, register_number, bank_name, iban, bic,"
        " sends_documents, tax_calculator, version, changed_by, changed_at)"
        " SELECT code, '', '{}', '', '', '', '', '', false, 'rates', 0, 'test', 'epoch'"
        " FROM unnest($1::text[]) AS code",
        codes,
    )
    await connection.close()


class Client:
    """A caller of one service: with a token, and a fresh Idempotency-Key for each POST."""

    def __init__(self, http: httpx2.AsyncClient, token: str, tokens: Callable[[str, str], str] | None = None) -> None:
        self.http = http
        self.headers = {"authorization": f"Bearer {token}"}
        self._tokens = tokens

    def somebody(self, subject: str = "somebody", roles: str = "") -> "Client":
        """Another caller of the same service."""
        assert self._tokens is not None
        return Client(self.http, self._tokens(subject, roles), self._tokens)

    async def post(self, path: str, body: object = None, *, key: str | None = None) -> httpx2.Response:
        """POST a body."""
        headers = self.headers | {"idempotency-key": key or str(uuid4())}
        return await self.http.post(path, json=body if body is not None else {}, headers=headers)

    async def create(self, path: str, body: object = None) -> dict[str, Any]:
        """POST a body that must be accepted; return the body of the answer."""
        answer = await self.post(path, body)
        assert answer.status_code in (200, 201, 202), answer.text
        return dict(answer.json())

    async def get(self, path: str, **parameters: Any) -> httpx2.Response:
        """GET a path."""
        return await self.http.get(path, params=parameters or None, headers=self.headers)

    async def got(self, path: str, **parameters: Any) -> dict[str, Any]:
        """GET what must be there."""
        answer = await self.get(path, **parameters)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())


class GivenSettings(Settings):
    """Settings that are what the test says: to look for each in the environment takes five times as long."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take the arguments only."""
        return (init_settings,)


def settings_for(service: str, database: Database, jwks_file: Path, **more: Any) -> Settings:
    """Settings of one service on a test's database."""
    url = database.url(service)
    return GivenSettings(database_url=url, clock="sandbox", jwks_file=jwks_file, issuer=ISSUER, pool_size=5, **more)


_idle_apps: dict[str, list[FastAPI]] = defaultdict(list)
"""Applications of each service that no test uses: to build all of its routes takes half a second."""


@contextmanager
def applying(runtime: Runtime) -> Iterator[FastAPI]:
    """Lend an application of the runtime's service, which is nobody else's meanwhile."""
    idle = _idle_apps[runtime.service.name]
    app = idle.pop() if idle else create_process_app(runtime)
    app.state.runtime = runtime
    yield app
    app.state.runtime = None
    idle.append(app)


@asynccontextmanager
async def running(
    service: str, database: Database, keys: SigningKeyPair, jwks_file: Path, **more: Any
) -> AsyncIterator[tuple[Runtime, Client]]:
    """A service in this process, without Kafka: its runtime, and a client of its API."""
    runtime = Runtime(load_service(service), settings_for(service, database, jwks_file, **more))
    with applying(runtime) as app:
        transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
        async with httpx2.AsyncClient(transport=transport, base_url="http://service") as http:
            try:
                yield runtime, Client(http, keys.token(service), partial(keys.token, service, None))
            finally:
                await runtime.close()


async def sweep(runtime: Runtime) -> None:
    """Run every sweep of a service until nothing is due."""
    while await runtime.jobs.sweeper.run_due_sweeps():
        pass


def account(**more: Any) -> dict[str, Any]:
    """The body of an account."""
    return {
        "name": "Account 17",
        "legal_entity": "GS-DE",
        "currency": "EUR",
        "time_zone": "UTC",
        "billing_email": "billing@account-17.example",
        "terms_days": 30,
        "vendor_customer_ids": ["tenant-17"],
    } | more


def subscription(account_id: str, **more: Any) -> dict[str, Any]:
    """The body of a subscription."""
    return {
        "account_id": account_id,
        "product": "Business Premium",
        "quantity": 10,
        "unit_price_minor": 1008,
        "start": "2026-03-01",
        "vendor_customer_id": "tenant-17",
        "vendor_subscription_id": f"vendor-{uuid4()}",
    } | more


def eur(minor: int) -> dict[str, Any]:
    """An amount in euro."""
    return {"amount_minor": minor, "currency": "EUR"}


def invoice(account_id: str, *amounts: int, subscription_id: str | None = None, **more: Any) -> dict[str, Any]:
    """The body of an invoice with a line for each amount."""
    lines = [
        {"description": f"line {n}", "amount": eur(amount), "subscription_id": subscription_id}
        for n, amount in enumerate(amounts or (10_000,), 1)
    ]
    return {"account_id": account_id, "lines": lines} | more


def build_registered(account_id: UUID, **more: Any) -> AccountRegistered:
    """An account of invoicing's, as others hear of it."""
    profile = {"legal_entity": "GS-DE", "currency": "EUR", "time_zone": "UTC", "terms_days": 30}
    return AccountRegistered(account_id=account_id, external_reference=None, vendor_customer_ids=(), **(profile | more))


def build_activated(account_id: UUID, subscription_id: UUID, vendor_id: str = "vendor-17") -> SubscriptionActivated:
    """A subscription that was bought, as others hear of it."""
    return SubscriptionActivated(
        account_id=account_id,
        subscription_id=subscription_id,
        product="Business Premium",
        quantity=10,
        start=START.date(),
        end_of_term=None,
        vendor_customer_id="tenant-17",
        vendor_subscription_id=vendor_id,
        bills_while_suspended=True,
    )


def charged_back(account_id: UUID, **more: Any) -> ChargebackOpened:
    """A chargeback of 10.00 that the network takes an answer for until 20 March 2026."""
    fields: dict[str, Any] = {
        "chargeback_id": uuid4(),
        "payment_id": uuid4(),
        "amount_minor": 1000,
        "currency": "EUR",
        "reason_code": "not_received",
        "is_fraud": False,
        "answer_by": date(2026, 3, 20),
        "warn_days": 3,
        "reopened_amounts": (AllocatedAmount(invoice_id=uuid4(), line=1, amount_minor=1000),),
        "cash_minor": 0,
    }
    return ChargebackOpened(account_id=account_id, **(fields | more))


def end_subscription(account_id: UUID, subscription_id: UUID, ended_on: date) -> SubscriptionEnded:
    """Make the event of an end as others hear of it; the term goes on until March 2027."""
    return SubscriptionEnded(
        account_id=account_id,
        subscription_id=subscription_id,
        plan_id=uuid4(),
        plan_version=1,
        quantity=10,
        unit_price_minor=1008,
        currency="EUR",
        term_start=date(2026, 3, 1),
        term_end=date(2027, 3, 1),
        ended_on=ended_on,
    )


def message(event: Event, sequence: int, at: datetime) -> MessageEnvelope:
    """An event of another service as it is received."""
    headers = {
        "ce_id": str(uuid4()),
        "ce_type": event.type(),
        "ce_source": f"/goodstanding/{event.producer}",
        "ce_subject": event.subject(),
        "ce_sequence": str(sequence),
        "ce_time": at.isoformat(),
    }
    return parse_message_envelope(event.topic(), headers, event.model_dump_json().encode())


async def hear(runtime: Runtime, event: Event, *, sequence: int = 1, at: datetime | None = None) -> None:
    """Let a service hear an event of another one, as its consumer would in a unit of its own."""

    async def handle(unit: Unit) -> None:
        await unit.lock_subjects(event.subject())
        await runtime.service.handlers.handle_event(unit, message(event, sequence, at or unit.now))

    await runtime.units.run(handle)


async def work(runtime: Runtime) -> None:
    """Let the workers of a service do every intent that is due."""
    while await runtime.jobs.perform_due_intents():
        pass


def listening(program: ChildProgram, log: Path, port: int) -> subprocess.Popen[bytes]:
    """A process of the sandbox, started, and waited for until it listens."""
    child = children.spawn_program(program, log)
    deadline = time.monotonic() + 30
    while not ports.is_port_answering(port):
        assert child.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.02)
    return child
