"""Surfaces of the product: its documents, names and schemas, and the texts that it has stored.

Each part is JSON, sorted, so that a difference is a difference of the product.
"""

import ast
import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import orjson
import typer
from prometheus_client import REGISTRY

from shared.base.backbone_figures import FIGURES
from shared.base.metrics.figures import MetricQuery
from shared.base.settings import Settings
from shared.process.runtime import Runtime
from shared.process.service import NAMES, load_service
from shared.web.http import create_process_app

ROOT = Path(__file__).parents[2]
FOLDERS = ("services", "shared", "sandbox", "deploy")
COMMANDS = (
    "shared.run",
    "shared.migrate",
    "shared.redrive",
    "shared.events",
    "deploy.local",
    "deploy.prepare",
    "deploy.grafana",
    "deploy.grafana.pictures",
    "services.invoicing.reconcile",
    "sandbox.clock",
    "sandbox.demo",
    "sandbox.hours",
    "sandbox.mailbox",
    "sandbox.replay",
    "sandbox.storm",
    "sandbox.vendor_simulator",
    "sandbox.watch",
)
LEVELS = frozenset({"debug", "info", "warning", "error", "critical", "exception"})
SCOPED = frozenset({"perform_command", "perform_change", "perform_upload"})


def write_json(value: Any) -> str:
    """Write a part as JSON, with a line for each member of the second level."""
    if not isinstance(value, Mapping):
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
    lines = (f"{orjson.dumps(name).decode()}: {_write_member(value[name])}" for name in sorted(value))
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _write_member(value: Any) -> str:
    if not isinstance(value, Mapping):
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
    dumped = ((orjson.dumps(name), orjson.dumps(value[name], option=orjson.OPT_SORT_KEYS)) for name in sorted(value))
    return "{\n" + ",\n".join(f"  {name.decode()}: {text.decode()}" for name, text in dumped) + "\n}"


def build_document(service: str) -> dict[str, Any]:
    """Build the OpenAPI document of a service."""
    settings = Settings(database_url="postgresql://nobody@127.0.0.1:1/none", jwks_file=ROOT / "none", issuer="none")
    return create_process_app(Runtime(load_service(service), settings)).openapi()


def list_schemas() -> dict[str, Any]:
    """List the schemas of the events, by file."""
    folder = ROOT / "shared" / "events" / "schemas"
    return {str(path.relative_to(folder)): orjson.loads(path.read_bytes()) for path in folder.rglob("*.json")}


def list_environment() -> dict[str, str]:
    """List the names of the environment that a process reads, with type and default."""
    prefix = Settings.model_config.get("env_prefix", "")
    return {
        f"{prefix}{name}".upper(): f"{field.annotation} = {field.default!r}"
        for name, field in Settings.model_fields.items()
    }


def list_commands() -> dict[str, Any]:
    """List the parameters of each command that people type, and the targets of the Makefile."""
    commands: dict[str, Any] = {}
    for name in COMMANDS:
        module = import_module(f"{name}.__main__" if (ROOT / name.replace(".", "/")).is_dir() else name)
        app = getattr(module, "app", None) or _build_app(module.main)
        command = typer.main.get_command(app)
        commands[f"python -m {name}"] = _show_command(command)
    targets = re.findall(r"^([a-z-]+):.*?##\s*(.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    return commands | {f"make {target}": text for target, text in targets}


def _build_app(main: Callable[..., Any]) -> typer.Typer:
    app = typer.Typer()
    app.command()(main)
    return app


def _show_command(command: Any) -> dict[str, Any]:
    shown = {
        parameter.name: f"{' '.join(parameter.opts)} {parameter.type.name} {parameter.required}"
        f" {parameter.default!r}".replace(f"{ROOT}/", "")
        for parameter in command.params
        if "completion" not in parameter.name
    }
    return shown | {name: _show_command(part) for name, part in getattr(command, "commands", {}).items()}


def list_metrics() -> dict[str, list[str]]:
    """List the metrics of all services by name, with type and labels."""
    figures: list[MetricQuery] = [*FIGURES, *(figure for name in NAMES for figure in load_service(name).figures)]
    metrics = {name: [figure.kind, *figure.labels] for figure in figures for name in figure.values}
    for collector in set(REGISTRY._collector_to_names):
        for metric in collector.describe() if hasattr(collector, "describe") else ():
            metrics[metric.name] = [metric.type, *getattr(collector, "_labelnames", ())]
    return metrics


def list_texts() -> dict[str, Any]:
    """List what is stored or told as text: log events, scopes of commands, locks, kinds, sweeps, groups, topics."""
    texts: dict[str, set[str]] = {name: set() for name in ("audit", "locks", "log events", "scopes of commands")}
    sources = [path.read_text() for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py"))]
    for source in sources:
        for name, text in _list_calls(ast.parse(source)):
            texts[name].add(text)
    services = {name: load_service(name) for name in NAMES}
    return {
        **{name: sorted(values) for name, values in texts.items()},
        "advisory locks": sorted({key for source in sources for key in re.findall(r"hashtext\('([^']+)'\)", source)}),
        "intents": {name: sorted(kind.name for kind in service.intents) for name, service in services.items()},
        "sweeps": {name: sorted(sweep.name for sweep in service.sweeps) for name, service in services.items()},
        "topics": {name: sorted(service.handlers.list_topics()) for name, service in services.items()},
        "calls": {name: sorted(service.calls) for name, service in services.items()},
    }


def _list_calls(tree: ast.Module) -> Iterator[tuple[str, str]]:
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not node.args:
            continue
        called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        first = node.args[0]
        if called in LEVELS and isinstance(node.func, ast.Attribute) and ast.unparse(node.func.value).endswith("log"):
            yield "log events", _read_text(first)
        elif called in SCOPED:
            yield "scopes of commands", _read_text(first)
        elif called == "AuditedChange":
            yield "audit", _read_text(first)
        elif called == "lock_subjects" and any(isinstance(part, ast.Constant) for part in ast.walk(first)):
            yield "locks", _read_text(first)


def _read_text(node: ast.expr) -> str:
    """Read a text of the code; what is filled in is a pair of braces."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
    if isinstance(node, ast.Starred):
        return _read_text(node.value)
    if isinstance(node, ast.GeneratorExp):
        return _read_text(node.elt)
    return "{}"


PARTS: Mapping[str, Callable[[], Any]] = {
    **{f"openapi_{name}": partial(build_document, name) for name in NAMES},
    "commands": list_commands,
    "environment": list_environment,
    "events": list_schemas,
    "metrics": list_metrics,
    "texts": list_texts,
}
"""Parts that need no database, by the name of their file."""
