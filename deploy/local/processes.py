"""Our own processes: how each is run, and what its environment tells it."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field

from deploy.local.bootstrap import DATABASE, SERVICES
from deploy.local.broker import ProxiedListener
from deploy.local.children import ChildProgram
from deploy.local.jars import CHECKOUT
from deploy.local.kafka import KafkaServer
from deploy.local.ports import HOST
from deploy.local.postgres import PostgresServer
from deploy.local.secured import USERNAME, list_access_variables
from deploy.local.state import StackState, build_metrics_port_name
from deploy.local.tokens import ISSUER, RELAY
from shared.base.connections.access import MailAccess, VendorAccess

SANDBOX = ("vendor", "mailbox", "clock")


@dataclass(frozen=True)
class StackPlan:
    """Parts of a stack."""

    services: tuple[str, ...] = SERVICES
    durable: bool = True
    log_level: str = "info"
    metrics: bool = False
    """Whether the services count for Prometheus; it is started too, with Alertmanager, where it is installed."""
    proxies: Mapping[str, int] = field(default_factory=dict)
    """The services reach these programs (by name) through a proxy on this port."""


def build_postgres_server(state: StackState, durable: bool = True) -> PostgresServer:
    """The stack's Postgres."""
    tls = state.security.server if state.security else None
    return PostgresServer(state.root / "postgres", durable=durable, port=state.get_port("postgres"), tls=tls)


def build_kafka_server(state: StackState, proxy: int | None = None) -> KafkaServer:
    """The stack's Kafka, and the proxy through which the services reach it, if they do."""
    proxied = ProxiedListener(state.get_port("kafka-proxied"), proxy) if proxy is not None else None
    port, controller_port = state.get_port("kafka"), state.get_port("controller")
    login = state.security.kafka_login if state.security else None
    return KafkaServer(state.root / "kafka", port=port, controller_port=controller_port, proxied=proxied, login=login)


def list_stack_programs(plan: StackPlan, state: StackState, postgres: PostgresServer) -> list[ChildProgram]:
    """Everything that is neither Postgres nor Kafka."""
    return [
        *_sandbox(plan, state, postgres),
        *(build_service_program(name, plan, state, postgres) for name in plan.services),
    ]


def build_migration_command(postgres: PostgresServer) -> tuple[list[str], dict[str, str]]:
    """The command that migrates all schemas, and its environment."""
    owner = list_access_variables(postgres.access("owner", DATABASE))
    return [sys.executable, "-m", "shared.migrate"], dict(os.environ) | owner


def build_service_program(name: str, plan: StackPlan, state: StackState, postgres: PostgresServer) -> ChildProgram:
    """One service; `shared/base/settings.py` explains the variables."""

    def port(other: str) -> int:
        return plan.proxies.get(other) or state.get_port(other)

    addresses = {f"GOODSTANDING_{other.upper()}_URL": f"http://{HOST}:{port(other)}" for other in SERVICES}
    environment = (
        addresses
        | _connections(name, plan, state, postgres)
        | {
            "GOODSTANDING_PORT": str(state.get_port(name)),
            "GOODSTANDING_CLOCK": "sandbox",
            "GOODSTANDING_JWKS_FILE": str(state.jwks),
            "GOODSTANDING_ISSUER": ISSUER,
            "GOODSTANDING_TOKENS_DIR": str(state.tokens / name),
            "GOODSTANDING_LOG_LEVEL": plan.log_level,
        }
    )
    if plan.metrics:
        environment["GOODSTANDING_METRICS_PORT"] = str(state.get_port(build_metrics_port_name(name)))
    return _python(name, "shared.run", name, environment=environment)


def _connections(name: str, plan: StackPlan, state: StackState, postgres: PostgresServer) -> dict[str, str]:
    """How a service reaches Postgres, Kafka, the mail hop and the vendor."""
    security, smtp = state.security, plan.proxies.get("smtp") or state.get_port("smtp")
    base = state.vendor_url(plan.proxies.get("vendor"))
    kafka = build_kafka_server(state).access
    if (proxy := plan.proxies.get("kafka")) is not None:
        kafka = kafka.model_copy(update={"kafka": f"{HOST}:{proxy}"})
    return (
        list_access_variables(postgres.access(name, DATABASE, plan.proxies.get("postgres")))
        | list_access_variables(kafka)
        | list_access_variables(security.mail_access(smtp) if security else MailAccess(smtp_port=smtp))
        | list_access_variables(security.vendor_access(base) if security else VendorAccess(vendor_url=base))
    )


def _sandbox(plan: StackPlan, state: StackState, postgres: PostgresServer) -> list[ChildProgram]:
    """The world around the services: the vendor, the customers' mailbox and the business clock."""
    smtp, web = str(state.get_port("smtp")), str(state.get_port("mailbox"))
    mailbox = ["--smtp-port", smtp, "--port", web, "--state", str(state.root / "mailbox")]
    if "escalation" in plan.services:
        relay_token = state.tokens / RELAY / "escalation.jwt"
        mailbox += ["--relay-url", state.url("escalation"), "--relay-token-file", str(relay_token)]
    vendor = ["--port", str(state.get_port("vendor")), "--state", str(state.root / "vendor.sqlite")]
    if security := state.security:
        server, files = security.server, list[str]()
        for option, path in (("certificate", server.certificate), ("key", server.key), ("client-ca", server.client_ca)):
            files += [f"--{option}", str(path)]
        mailbox += [*files, "--username", USERNAME, "--password-file", str(security.smtp_password_file)]
        vendor += [*files, "--oauth", str(security.vendor_client_file)]
    clock = list_access_variables(postgres.access("clock", DATABASE))
    return [
        _python("vendor", "sandbox.vendor_simulator", *vendor),
        _python("mailbox", "sandbox.mailbox", *mailbox),
        _python("clock", "sandbox.clock", "--port", str(state.get_port("clock")), environment=clock),
    ]


def _python(name: str, module: str, *arguments: str, environment: dict[str, str] | None = None) -> ChildProgram:
    command = (sys.executable, "-m", module, *arguments)
    return ChildProgram(name, command, environment or {}, directory=CHECKOUT)
