"""`python -m shared.events`: write the JSON Schema of every event into `shared/events/schemas/`.

`python -m shared.events release` makes these the released ones, which later ones must be compatible with.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson
import typer

from shared.events import REGISTRY, Event
from shared.events.compatibility import SchemaBreak, find_breaks_by_type

SCHEMAS = Path(__file__).parent / "schemas"
RELEASED = Path(__file__).parent / "released"

app = typer.Typer(add_completion=False, help=__doc__)


class IncompatibleEventSchemas(Exception):
    """A declaration that would break a reader of what was released."""

    def __init__(self, breaks_by_type: Mapping[str, list[SchemaBreak]]) -> None:
        super().__init__(
            "\n".join(f"{name}: {each_break}" for name, some in sorted(breaks_by_type.items()) for each_break in some)
        )


def build_event_schema(event: type[Event]) -> bytes:
    """The JSON Schema (2020-12) of an event's payload, as it is kept in git."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:{event.type().replace('.', ':')}",
        **event.model_json_schema(mode="serialization"),
    }
    return orjson.dumps(schema, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS) + b"\n"


def read_event_schemas(folder: Path) -> dict[str, Any]:
    """The schemas of a folder by the types of their events."""
    return {path.stem: orjson.loads(path.read_bytes()) for path in folder.glob("*.json")}


def write_event_schemas(folder: Path) -> None:
    """Write every schema and remove those without a declaration."""
    folder.mkdir(exist_ok=True)
    wanted = {f"{name}.json": build_event_schema(event) for name, event in REGISTRY.items()}
    for stale in {path.name for path in folder.glob("*.json")} - wanted.keys():
        (folder / stale).unlink()
    for name, text in wanted.items():
        (folder / name).write_bytes(text)


def release_event_schemas(schemas: Path, released: Path) -> None:
    """Make the schemas of one folder those of the other; all of them or none. Raises IncompatibleEventSchemas."""
    if breaks_by_type := find_breaks_by_type(read_event_schemas(released), read_event_schemas(schemas)):
        raise IncompatibleEventSchemas(breaks_by_type)
    released.mkdir(exist_ok=True)
    for path in schemas.glob("*.json"):
        (released / path.name).write_bytes(path.read_bytes())


@app.callback(invoke_without_command=True)
def write_schemas(context: typer.Context) -> None:
    """Write the schema of every event."""
    write_event_schemas(SCHEMAS)
    if context.invoked_subcommand is None and (
        breaks_by_type := find_breaks_by_type(read_event_schemas(RELEASED), read_event_schemas(SCHEMAS))
    ):
        typer.echo(f"incompatible with what was released:\n{IncompatibleEventSchemas(breaks_by_type)}", err=True)
        raise typer.Exit(1)


@app.command("release")
def release_schemas() -> None:
    """Release the schemas, unless a reader of the released ones would break."""
    try:
        release_event_schemas(SCHEMAS, RELEASED)
    except IncompatibleEventSchemas as refused:
        typer.echo(f"not released:\n{refused}", err=True)
        raise typer.Exit(1) from None


if __name__ == "__main__":
    app()
