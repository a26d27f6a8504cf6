"""`python -m shared.events`: write the JSON Schema of every event into `shared/events/schemas/`."""

from pathlib import Path

import orjson

from shared.events import REGISTRY, Event

SCHEMAS = Path(__file__).parent / "schemas"


def schema_of(event: type[Event]) -> bytes:
    """The JSON Schema (2020-12) of an event's payload, as it is kept in git."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:{event.type().replace('.', ':')}",
        **event.model_json_schema(mode="serialization"),
    }
    return orjson.dumps(schema, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS) + b"\n"


def main() -> None:
    """Write every schema and remove those without a declaration."""
    SCHEMAS.mkdir(exist_ok=True)
    wanted = {f"{name}.json": schema_of(event) for name, event in REGISTRY.items()}
    for stale in {path.name for path in SCHEMAS.glob("*.json")} - wanted.keys():
        (SCHEMAS / stale).unlink()
    for name, text in wanted.items():
        (SCHEMAS / name).write_bytes(text)


if __name__ == "__main__":
    main()
