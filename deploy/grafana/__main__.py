"""`python -m deploy.grafana [--check]`: write the dashboards as JSON, or compare them with what is written."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
from grafana_foundation_sdk.cog.encoder import JSONEncoder

from deploy.grafana.boards import BOARDS

FOLDER = Path(__file__).parent / "dashboards"
_GONE = {"footer", "auto", "auto_min", "auto_count"}
"""What the kit writes by itself and Grafana 13 has no more."""


def generate_files() -> Iterator[tuple[str, str]]:
    """Each file's name and its text."""
    for board in BOARDS:
        made = _today(json.loads(json.dumps(board.build_dashboard(), cls=JSONEncoder)))
        yield f"{board.uid}.json", json.dumps(made, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def _today(made: Any) -> Any:
    """Without what Grafana has no more; an annotation asks by a target, as a panel does."""
    if isinstance(made, list):
        return [_today(part) for part in made]
    if not isinstance(made, dict):
        return made
    kept = {name: _today(value) for name, value in made.items() if name not in _GONE}
    if "iconColor" in kept:
        asked = {"expr": kept.pop("expr"), "refId": "A", "legendFormat": "{{alertname}} {{service}}", "exemplar": False}
        kept["target"] = asked | {"datasource": kept["datasource"], "range": True}
    return kept


def list_differing_files(folder: Path = FOLDER) -> list[str]:
    """Files that are not what the code makes, that are missing, or that nothing makes."""
    wanted = dict(generate_files())
    texts = {path.name: path.read_text() for path in folder.glob("*.json")}
    return sorted(name for name in wanted.keys() | texts.keys() if wanted.get(name) != texts.get(name))


def main(check: Annotated[bool, typer.Option(help="write nothing; say what differs")] = False) -> None:
    """Write the dashboards, or compare."""
    if check:
        for name in (wrong := list_differing_files()):
            typer.echo(f"{name} is not what deploy/grafana makes: run python -m deploy.grafana", err=True)
        sys.exit(bool(wrong))
    FOLDER.mkdir(exist_ok=True)
    for path in FOLDER.glob("*.json"):
        path.unlink()
    for name, text in generate_files():
        (FOLDER / name).write_text(text)


if __name__ == "__main__":
    typer.run(main)
