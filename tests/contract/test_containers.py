"""The containers are told what the code reads, run what there is, and reach each other; nothing in them is a secret."""

import os
import re
import shutil
import subprocess
from itertools import pairwise
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml

from shared.base.settings import Settings
from tests.contract.containers_lint import DEPLOY, VARIABLE, findings, image_findings, load_deploy_file
from tests.contract.test_alerts import program, run_tool

COMPOSE = (DEPLOY / "compose.yaml").read_text()
IMAGE = (DEPLOY / "Dockerfile").read_text()
ACCESS = (DEPLOY / "access.env").read_text()


def test_the_containers_fit_the_code() -> None:
    assert findings(COMPOSE) == []


@pytest.mark.parametrize(
    ("right", "wrong", "finds"),
    [
        ("shared.run, escalation, jobs]", "shared.run, escalation, api]", "the processes are"),
        ("[python, -m, shared.migrate]", "[python, -m, shared.migrates]", "migrations: no such command"),
        ("deploy.prepare, topics]", "deploy.prepare, subjects]", "topics: no such argument: subjects"),
        ("--smtp-port", "--mail-port", "mailbox: no such argument: --mail-port"),
        ("  GOODSTANDING_PORT:", "  GOODSTANDING_HTTP_PORT:", "nobody reads GOODSTANDING_HTTP_PORT"),
        ('GOODSTANDING_PORT: "8000"', "GOODSTANDING_PORT: many", "('port',)"),
        ("      GOODSTANDING_MONITOR_PASSWORD: ${GOODSTANDING_MONITOR_PASSWORD:?}\n", "", "database: lacks"),
        ("OTEL_TRACES_SAMPLER_ARG", "OTEL_TRACES_SAMPLING", "nobody reads OTEL_TRACES_SAMPLING"),
        ("postgresql://escalation:", "postgresql://invoicing:", "escalation-api: logs in as another"),
        ("tokens/escalation\n", "tokens/invoicing\n", "escalation-api: has another's tokens"),
        ("http://invoicing-api:8000", "http://invoicing:8000", "nobody is at invoicing:8000"),
        ("http://collector:4318", "http://collector:4317", "nobody is at collector:4317"),
        ("kafka:9092\n  GOODSTANDING_HOST", "kafka:9093\n  GOODSTANDING_HOST", "nobody is at kafka:9093"),
        ("./prometheus/rules.yml", "./prometheus/alerts.yml", "there is no ./prometheus/alerts.yml"),
        ("/etc/grafana/dashboards:ro", "/etc/grafana/boards:ro", "its dashboards are elsewhere"),
        ("public/docs:ro", "public/pages:ro", "the runbooks are elsewhere"),
        ("gs-lifecycle.json", "gs-home.json", "no dashboard gs-home.json"),
        ("      GOODSTANDING_PAGES_WEBHOOK", "      GOODSTANDING_PAGE_HOOK", "GOODSTANDING_PAGES_WEBHOOK is not set"),
        ('METRICS_PORT: "9100"', 'METRICS_PORT: "9101"', "scraped or running, not both"),
        ("    mem_limit: 2g\n", "", "kafka: has no bound of its memory"),
        ('"/tmp:size=64m"', "/tmp", "has no bound of its memory"),
        ("/tmp:size=2560m", "/tmp:size=1g", "the largest file does not fit"),
        ("read_only: true", "read_only: false", "is not hardened"),
        ('user: "10001"', 'user: "0"', "is not hardened"),
        ("${GOODSTANDING_CLOCK_PASSWORD:?}", "${GOODSTANDING_CLOCK_PASSWORD:-clock}", "has a default"),
        ("${GOODSTANDING_GRAFANA_PASSWORD:?}", "admin", "its value is written here"),
    ],
)
def test_a_faulty_copy_is_seen(right: str, wrong: str, finds: str) -> None:
    assert right in COMPOSE
    flaws = findings(COMPOSE.replace(right, wrong))
    assert any(finds in flaw for flaw in flaws), flaws


def test_the_image_fits_the_code() -> None:
    assert list(image_findings(IMAGE)) == []


@pytest.mark.parametrize(
    ("right", "wrong", "finds"),
    [
        ("COPY shared ", "COPY common ", "there is no common"),
        ("COPY sandbox ", "COPY docs ", "docs is ignored"),
        ("GOODSTANDING_HOST=", "GOODSTANDING_BIND=", "nobody reads GOODSTANDING_BIND"),
        ("EXPOSE 8000 9100", "EXPOSE 8000", "other ports"),
        ("USER 10001", "USER root", "root"),
        ("deploy.healthy", "deploy.health", "no module deploy.health"),
        ("/health/live", "/healthz", "no health check"),
    ],
)
def test_a_faulty_image_is_seen(right: str, wrong: str, finds: str) -> None:
    assert right in IMAGE
    assert finds in next(image_findings(IMAGE.replace(right, wrong)))


def _config(text: str, folder: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run docker-compose on it, with the sandbox too."""
    program = shutil.which("docker-compose")
    assert program, "docker-compose is not installed: make setup"
    (folder / "compose.yaml").write_text(text)
    (folder / "access.env").write_text(ACCESS)
    arguments = ("--env-file", str(DEPLOY / "sandbox.env"), "-f", str(folder / "compose.yaml"), "--profile", "sandbox")
    bare = {"PATH": os.environ["PATH"], "HOME": str(folder)} | environment
    return subprocess.run((program, *arguments, "config"), capture_output=True, text=True, check=False, env=bare)


SECRETS = {name: "/given" for name, default in VARIABLE.findall(COMPOSE) if default.startswith(":?")}


def test_compose_takes_it_and_refuses_to_go_on_without_each_secret(tmp_path: Path) -> None:
    whole = _config(COMPOSE, tmp_path, SECRETS)
    assert whole.returncode == 0, whole.stderr
    assert whole.stdout.count("shared.run") == 16
    from_file = set(re.findall(r"^(\w+)=", (DEPLOY / "sandbox.env").read_text(), re.MULTILINE))
    without = _config(COMPOSE, tmp_path, {name: "/given" for name in SECRETS if name != "GOODSTANDING_OWNER_PASSWORD"})
    assert without.returncode != 0
    assert "GOODSTANDING_OWNER_PASSWORD" in without.stderr
    assert from_file <= {name for name, _ in VARIABLE.findall(COMPOSE)}


def listens(port: str, host: str) -> bool:
    """Whether the container of that name is told to listen on this port."""
    command = yaml.safe_load(COMPOSE)["services"][host]["command"]
    return any(name.endswith("port") and value == port for name, value in pairwise(command))


def test_the_sandbox_is_where_its_variables_say() -> None:
    variables = dict(line.split("=", 1) for line in (DEPLOY / "sandbox.env").read_text().splitlines() if line[0] != "#")
    vendor = urlsplit(variables["GOODSTANDING_VENDOR_URL"])
    assert listens(str(vendor.port), str(vendor.hostname))
    assert listens(variables["GOODSTANDING_SMTP_PORT"], variables["GOODSTANDING_SMTP_HOST"])
    assert not listens("1", "vendor")
    assert urlsplit(variables["GOODSTANDING_PUBLIC_URL"]).port == 8002
    assert "127.0.0.1:8002:8000" in yaml.safe_load(COMPOSE)["services"]["collections-api"]["ports"]


def test_prometheus_takes_its_configuration() -> None:
    assert "SUCCESS" in run_tool(program("promtool"), "check", "config", str(DEPLOY / "prometheus" / "containers.yml"))


def test_grafana_finds_what_it_links_to() -> None:
    sources = load_deploy_file("grafana/provisioning/datasources/sources.yaml")["datasources"]
    uids, services = {source["uid"] for source in sources}, yaml.safe_load(COMPOSE)["services"]
    for source in sources:
        assert urlsplit(source["url"]).hostname in services
        for link in source["jsonData"].get("exemplarTraceIdDestinations", ()) if "jsonData" in source else ():
            assert link["datasourceUid"] in uids
            assert f'"{link["name"]}"' in (DEPLOY.parent / "shared" / "base" / "metrics" / "http.py").read_text()
    assert "prometheus" in uids


def test_the_collector_hands_on_to_the_store_of_traces() -> None:
    collector, services = load_deploy_file("opentelemetry/collector.yaml"), yaml.safe_load(COMPOSE)["services"]
    pipeline = collector["service"]["pipelines"]["traces"]
    for part in ("receivers", "processors", "exporters"):
        assert set(pipeline[part]) == set(collector[part])
    assert collector["exporters"]["otlp"]["endpoint"].partition(":")[0] in services
    taken = collector["receivers"]["otlp"]["protocols"]["http"]["endpoint"].rpartition(":")[2]
    assert urlsplit(services["invoicing-api"]["environment"]["OTEL_EXPORTER_OTLP_ENDPOINT"]).port == int(taken)


def test_compose_refuses_what_it_does_not_know(tmp_path: Path) -> None:
    assert _config(COMPOSE.replace("cap_drop:", "cap_dropped:"), tmp_path, SECRETS).returncode != 0


def test_the_example_of_secured_access_fits_the_settings(tmp_path: Path) -> None:
    lines = [line.removeprefix("#").split("=", 1) for line in ACCESS.splitlines() if line.startswith("#GOODSTANDING_")]
    values = {name.removeprefix("GOODSTANDING_").lower(): value for name, value in lines if value}
    assert {name.removeprefix("GOODSTANDING_").lower() for name, _ in lines} <= Settings.model_fields.keys()
    needed = {"database_url": "postgresql://invoicing@127.0.0.1/goodstanding", "jwks_file": "keys", "issuer": "i"}
    settings = Settings(**(needed | values), vendor_url="https://vendor.example")  # type: ignore[arg-type]
    assert (settings.database_sslmode, settings.smtp_security) == ("verify-full", "starttls")
    compose = yaml.safe_load(_config(COMPOSE, tmp_path, SECRETS).stdout)["services"]
    for name in ("database", "migrations", "topics", "invoicing-relay"):
        assert any("/run/goodstanding/access" in str(volume) for volume in compose[name]["volumes"]), name


def test_each_container_of_ours_reads_how_to_reach_the_others() -> None:
    for name, container in yaml.safe_load(COMPOSE)["services"].items():
        if container["image"].startswith("goodstanding:"):
            assert container["env_file"] == ["access.env"], name
