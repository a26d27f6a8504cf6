"""`python -m deploy.grafana [--check]`: write the dashboards as JSON, or compare them with what is written."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from grafana_foundation_sdk.cog.encoder import JSONEncoder

from deploy.grafana.boards import BOARDS

FOLDER = Path(__file__).parent / "dashboards"


def generated() -> Iterator[tuple[str, str]]:
    """Each file's name and its text."""
    for board in BOARDS:
        text = json.dumps(board.built(), cls=JSONEncoder, indent=2, sort_keys=True, ensure_ascii=False)
        yield f"{board.uid}.json", text + "\n"


def differing(folder: Path = FOLDER) -> list[str]:
    """Files that are not what the code makes, that are missing, or that nothing makes."""
    wanted = dict(generated())
    found = {path.name: path.read_text() for path in folder.glob("*.json")}
    return sorted(name for name in wanted.keys() | found.keys() if wanted.get(name) != found.get(name))


def main(check: Annotated[bool, typer.Option(help="write nothing; say what differs")] = False) -> None:
    """Write the dashboards, or compare."""
    if check:
        for name in (wrong := differing()):
            typer.echo(f"{name} is not what deploy/grafana makes: run python -m deploy.grafana", err=True)
        sys.exit(bool(wrong))
    FOLDER.mkdir(exist_ok=True)
    for path in FOLDER.glob("*.json"):
        path.unlink()
    for name, text in generated():
        (FOLDER / name).write_text(text)


if __name__ == "__main__":
    typer.run(main)
