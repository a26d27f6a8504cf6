"""Checks of deploy/compose.yaml and what is beside it, as functions over the text: each returns what it finds."""

import importlib
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from opentelemetry.sdk import environment_variables as opentelemetry
from pydantic import ValidationError

from deploy.grafana.panels import BOOKS
from deploy.local.bootstrap import ROLES
from deploy.prepare import name_password_variable
from services.invoicing.files.api import LARGEST_FILE
from shared import run
from shared.base.settings import Settings
from shared.process.service import NAMES

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
Json = dict[str, Any]
VARIABLE = re.compile(r"\$\{(\w+)(:[-?][^}]*)?\}")
SECRET = re.compile(r"PASSWORD|SECRET|TOKEN|JWKS|WEBHOOK|_KEY")
ADDRESS = re.compile(r"(?:://(?:[^@/]*@)?|^)([a-z][\w-]*):(\d+)")
PORTS = {"postgres": "5432", "kafka": "9092", "collector": "4318"}
TELEMETRY = (ROOT / "shared" / "base" / "telemetry.py").read_text()
SETTINGS = {f"GOODSTANDING_{name.upper()}" for name in Settings.model_fields}
OF_THE_DATABASE_JOB = {"GOODSTANDING_ADMIN_URL", *map(name_password_variable, ROLES)}


def load_deploy_file(name: str) -> Json:
    """Load a file of deploy."""
    return dict(yaml.safe_load((DEPLOY / name).read_text()))


def ours(compose: Json) -> dict[str, Json]:
    """The containers that run our image."""
    return {
        name: container
        for name, container in compose["services"].items()
        if container["image"].startswith("goodstanding:")
    }


EXAMPLES = {
    "GOODSTANDING_MAIL_FROM": "billing@reseller.example",
    "GOODSTANDING_SUPPORT_ADDRESS": "support@reseller.example",
}
"""What stands in place of a variable whose value has a form."""


def plain(value: object) -> str:
    """A value with something in place of what the environment gives."""
    return VARIABLE.sub(
        lambda match: match[2][2:] if (match[2] or "").startswith(":-") else EXAMPLES.get(match[1], "1"), str(value)
    )


def wrong_commands(compose: Json) -> Iterator[str]:
    """Commands that do not exist, and processes that are missing or run twice."""
    running = []
    for name, container in ours(compose).items():
        python, dash, module, *arguments = container["command"]
        if (python, dash) != ("python", "-m") or not _is_module(module):
            yield f"{name}: no such command: {module}"
        elif module == "shared.run":
            running.append((arguments[0], arguments[1]))
        else:
            yield from (f"{name}: no such argument: {argument}" for argument in _unknown(module, arguments))
    wanted = [(service, role) for service in NAMES for role in run.ROLES]
    if sorted(running) != sorted(wanted):
        yield f"the processes are {set(wanted) ^ set(running) or 'not each once'}"


def _is_module(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:
        return False


def _unknown(module: str, arguments: list[str]) -> list[str]:
    """Options that the module's command has not, and subcommands that it has not."""
    code = importlib.import_module(f"{module}.__main__" if (ROOT / module.replace(".", "/")).is_dir() else module)
    if module == "deploy.prepare":
        commands = {command.callback.__name__ for command in code.app.registered_commands}
        return [argument for argument in arguments if argument not in commands]
    options = {f"--{name.replace('_', '-')}" for name in inspect.signature(code.main).parameters}
    return [argument for argument in arguments if argument.startswith("--") and argument not in options]


def wrong_variables(compose: Json) -> Iterator[str]:
    """Variables that nobody reads, that are missing, or whose value is refused."""
    for name, container in ours(compose).items():
        environment = container.get("environment") or {}
        allowed = OF_THE_DATABASE_JOB if name == "database" else SETTINGS
        otel = {
            variable for variable in environment if hasattr(opentelemetry, variable) or f'"{variable}"' in TELEMETRY
        }
        yield from (f"{name}: nobody reads {variable}" for variable in environment.keys() - allowed - otel)
        if name == "database" and environment.keys() != OF_THE_DATABASE_JOB:
            yield f"{name}: lacks {OF_THE_DATABASE_JOB - environment.keys()}"
        if container["command"][2] == "shared.run":
            yield from _list_refusals(name, environment)


def _list_refusals(name: str, environment: Json) -> Iterator[str]:
    values = {key.removeprefix("GOODSTANDING_").lower(): plain(value) for key, value in environment.items()}
    try:
        Settings(**{key: value for key, value in values.items() if not key.startswith("otel")})  # type: ignore[arg-type]
    except ValidationError as error:
        yield f"{name}: {error.errors()[0]['loc']}"
    service = name.rpartition("-")[0]
    if not values.get("database_url", "").startswith(f"postgresql://{service}:"):
        yield f"{name}: logs in as another"
    if values.get("tokens_dir", "").rpartition("/")[2] != service:
        yield f"{name}: has another's tokens"


def wrong_places(compose: Json) -> Iterator[str]:
    """Addresses of containers that there are not, or of ports on which they do not listen."""
    services = compose["services"]
    for name, container in ours(compose).items():
        for value in (container.get("environment") or {}).values():
            for host, port in ADDRESS.findall(plain(value)):
                if host not in services or port != _port(services[host], host):
                    yield f"{name}: nobody is at {host}:{port}"
    for name, container in services.items():
        missing = set(container.get("depends_on", [])) - services.keys()
        yield from (f"{name}: needs {other}, which there is not" for other in missing)


def _port(service: Json, name: str) -> str:
    port = (service.get("environment") or {}).get("GOODSTANDING_PORT")
    return PORTS.get(name) or plain(port)


def wrong_files(compose: Json) -> Iterator[str]:
    """Files that are mounted and not there; volumes that are not declared; a folder that Grafana reads elsewhere."""
    for name, container in compose["services"].items():
        for source in (volume.split(":")[0] for volume in container.get("volumes", []) if not volume.startswith("$")):
            if source.startswith(".") and not (DEPLOY / source).exists():
                yield f"{name}: there is no {source}"
            if not source.startswith(".") and source not in compose["volumes"]:
                yield f"{name}: no volume {source}"
    mounted = {volume.split(":")[0]: volume.split(":")[1] for volume in compose["services"]["grafana"]["volumes"]}
    provider = load_deploy_file("grafana/provisioning/dashboards/dashboards.yaml")["providers"][0]
    if mounted.get("./grafana/dashboards") != provider["options"]["path"]:
        yield "grafana: its dashboards are elsewhere"
    if f"/usr/share/grafana{BOOKS}" != f"{mounted.get('../docs')}/runbooks":
        yield "grafana: the runbooks are elsewhere"
    environment = compose["services"]["grafana"]["environment"]
    home = Path(environment["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]).name
    if not (DEPLOY / "grafana" / "dashboards" / home).exists():
        yield f"grafana: no dashboard {home}"
    contacts = (DEPLOY / "grafana/provisioning/alerting/contacts.yaml").read_text()
    yield from (f"grafana: {name} is not set" for name in set(re.findall(r"\$(\w+)", contacts)) - environment.keys())


def wrong_targets(compose: Json) -> Iterator[str]:
    """Processes that are not scraped by their service and role on the port on which they tell of themselves."""
    scraped = {
        (target, config["labels"]["service"], config["labels"]["role"])
        for config in load_deploy_file("prometheus/containers.yml")["scrape_configs"][0]["static_configs"]
        for target in config["targets"]
    }
    running = {
        (f"{name}:{container['environment'].get('GOODSTANDING_METRICS_PORT')}", *container["command"][3:5])
        for name, container in ours(compose).items()
        if container["command"][2] == "shared.run"
    }
    yield from (f"scraped or running, not both: {target}" for target in scraped ^ running)


def soft(compose: Json) -> Iterator[str]:
    """Containers of ours that may write, gain rights or are root; services without a health check that is well."""
    for name, container in ours(compose).items():
        hard = (
            container.get("read_only"),
            container.get("cap_drop"),
            container.get("security_opt"),
            container.get("user"),
        )
        if hard != (True, ["ALL"], ["no-new-privileges:true"], "10001"):
            yield f"{name}: is not hardened"


MEMORY = re.compile(r"(\d+)([mg])")


def find_unbounded(compose: Json) -> Iterator[str]:
    """Containers that may take all memory of the machine, or whose `/tmp`, which is memory, may take all of theirs."""
    for name, service in compose["services"].items():
        limit = _bytes(service.get("mem_limit"))
        sizes = [place.partition("size=")[2] for place in service.get("tmpfs", [])]
        if not limit or any(not 0 < _bytes(size) < limit for size in sizes):
            yield f"{name}: has no bound of its memory"
        if name == "invoicing-api" and not any(_bytes(size) > LARGEST_FILE for size in sizes):
            yield f"{name}: the largest file does not fit"


def _bytes(size: str | None) -> int:
    parts = MEMORY.fullmatch(size or "")
    return int(parts[1]) << {"m": 20, "g": 30}[parts[2]] if parts else 0


def given_secrets(text: str) -> Iterator[str]:
    """Secrets with a default or a value."""
    for name, default in VARIABLE.findall(text):
        if SECRET.search(name) and not default.startswith(":?"):
            yield f"{name}: has a default"
    for name, value in re.findall(r"^\s+(\w+): (\S.*)$", text, re.MULTILINE):
        literal = SECRET.search(name) and "$" not in value and not value.startswith("/run/")
        if literal or re.search(r"://\w+:[^$@]+@", value):
            yield f"{name}: its value is written here"


def findings(text: str) -> list[str]:
    """All of it."""
    compose: Json = yaml.safe_load(text)
    return [
        *wrong_commands(compose),
        *wrong_variables(compose),
        *wrong_places(compose),
        *wrong_files(compose),
        *wrong_targets(compose),
        *soft(compose),
        *find_unbounded(compose),
        *given_secrets(text),
    ]


def image_findings(text: str) -> Iterator[str]:
    """List what the Dockerfile copies and there is not, or says otherwise than the code and the compose file."""
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    for source in re.findall(r"^COPY (?!--from)(\S+) ", text, re.MULTILINE):
        if not (ROOT / source).exists():
            yield f"there is no {source}"
        if f"!{source}" not in ignored:
            yield f"{source} is ignored"
    variables = dict(re.findall(r"(GOODSTANDING_\w+)=(\S+)", text))
    yield from (f"nobody reads {name}" for name in variables.keys() - SETTINGS)
    exposed = (re.search(r"^EXPOSE (.+)$", text, re.MULTILINE) or [""])[0].split()[1:]
    if exposed != [variables.get("GOODSTANDING_PORT"), variables.get("GOODSTANDING_METRICS_PORT")]:
        yield f"other ports: {exposed}"
    if not re.search(r"^USER 10001$", text, re.MULTILINE):
        yield "root"
    for module in re.findall(r'"-m", "([\w.]+)"', text):
        if not _is_module(module):
            yield f"no module {module}"
    if f":{variables.get('GOODSTANDING_PORT')}/health/live" not in text:
        yield "no health check"
