"""Our own processes: how each is run, and what its environment tells it."""

import os
import sys
from dataclasses import dataclass

from deploy.local.bootstrap import DATABASE, SERVICES
from deploy.local.children import Program
from deploy.local.jars import CHECKOUT
from deploy.local.kafka import KafkaServer
from deploy.local.postgres import PostgresServer
from deploy.local.state import State

SANDBOX = ("vendor", "mailbox", "clock")


@dataclass(frozen=True)
class Plan:
    """What a stack consists of."""

    services: tuple[str, ...] = SERVICES
    durable: bool = True
    log_level: str = "info"


def postgres_of(state: State, durable: bool = True) -> PostgresServer:
    """The stack's Postgres."""
    return PostgresServer(state.root / "postgres", durable=durable, port=state.port("postgres"))


def kafka_of(state: State) -> KafkaServer:
    """The stack's Kafka."""
    folder = state.root / "kafka"
    return KafkaServer(folder, port=state.port("kafka"), controller_port=state.port("controller"))


def programs(plan: Plan, state: State, postgres: PostgresServer) -> list[Program]:
    """Everything that is neither Postgres nor Kafka."""
    return [*_sandbox(state, postgres), *(service(name, plan, state, postgres) for name in plan.services)]


def migration(postgres: PostgresServer) -> tuple[list[str], dict[str, str]]:
    """The command that migrates all schemas, and its environment."""
    owner = {"GOODSTANDING_DATABASE_URL": postgres.url("owner", DATABASE)}
    return [sys.executable, "-m", "shared.migrate"], dict(os.environ) | owner


def service(name: str, plan: Plan, state: State, postgres: PostgresServer) -> Program:
    """One service; `shared/settings.py` explains the variables."""
    addresses = {f"GOODSTANDING_{other.upper()}_URL": state.url(other) for other in SERVICES}
    environment = addresses | {
        "GOODSTANDING_DATABASE_URL": postgres.url(name, DATABASE),
        "GOODSTANDING_KAFKA": f"127.0.0.1:{state.port('kafka')}",
        "GOODSTANDING_PORT": str(state.port(name)),
        "GOODSTANDING_CLOCK": "sandbox",
        "GOODSTANDING_JWKS_FILE": str(state.jwks),
        "GOODSTANDING_TOKENS_DIR": str(state.tokens / name),
        "GOODSTANDING_VENDOR_URL": state.url("vendor"),
        "GOODSTANDING_SMTP_PORT": str(state.port("smtp")),
        "GOODSTANDING_LOG_LEVEL": plan.log_level,
    }
    return _python(name, "shared.run", name, environment=environment)


def _sandbox(state: State, postgres: PostgresServer) -> list[Program]:
    """The world around the services: the vendor, the customers' mailbox and the business clock."""
    smtp, web = str(state.port("smtp")), str(state.port("mailbox"))
    mailbox = ("--smtp-port", smtp, "--port", web, "--state", str(state.root / "mailbox"))
    vendor = ("--port", str(state.port("vendor")), "--state", str(state.root / "vendor.sqlite"))
    clock = {"GOODSTANDING_DATABASE_URL": postgres.url("clock", DATABASE)}
    return [
        _python("vendor", "sandbox.vendor", *vendor),
        _python("mailbox", "sandbox.mailbox", *mailbox),
        _python("clock", "sandbox.clock", "--port", str(state.port("clock")), environment=clock),
    ]


def _python(name: str, module: str, *arguments: str, environment: dict[str, str] | None = None) -> Program:
    command = (sys.executable, "-m", module, *arguments)
    return Program(name, command, environment or {}, directory=CHECKOUT)
