"""Declared events break no reader of what was released, and a release refuses what would."""

import copy
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from typer.testing import CliRunner

from shared.events import REGISTRY, __main__
from shared.events.compatibility import Schema, find_breaks_by_type, find_schema_breaks
from shared.process.service import NAMES

RELEASED = __main__.read_event_schemas(__main__.RELEASED)
DECLARED = {
    name: orjson.loads(__main__.build_event_schema(event))
    for name, event in REGISTRY.items()
    if event.producer in NAMES
}


def test_no_reader_of_a_released_event_is_broken() -> None:
    assert find_breaks_by_type(RELEASED, DECLARED) == {}


def objects(schema: Any) -> Iterator[Schema]:
    """Every object with fields, however deep."""
    if isinstance(schema, dict):
        if isinstance(schema.get("properties"), dict):
            yield schema
        for value in schema.values():
            yield from objects(value)


@pytest.mark.parametrize("type_", DECLARED)
def test_no_field_of_it_could_go_unseen(type_: str) -> None:
    old = DECLARED[type_]
    for place, part in enumerate(objects(old)):
        for name in part["properties"]:
            new = copy.deepcopy(old)
            there = list(objects(new))[place]
            del there["properties"][name]
            is_required = name in there.get("required", ())
            if is_required:
                there["required"].remove(name)
            assert {each.reader for each in find_schema_breaks(old, new)} == {"older"}
            assert {each.reader for each in find_schema_breaks(new, old)} == ({"newer"} if is_required else set())


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """Copies of the declared schemas, and of a release that was made of them, in the place of the real folders."""
    copies = tmp_path / "schemas", tmp_path / "released"
    for folder, name in zip(copies, ("SCHEMAS", "RELEASED"), strict=True):
        shutil.copytree(__main__.SCHEMAS, folder)
        monkeypatch.setattr(__main__, name, folder)
    monkeypatch.setattr(__main__, "REGISTRY", {name: REGISTRY[name] for name in DECLARED})
    return copies


def run_command(*arguments: str) -> tuple[int, str]:
    """Run the command; return its exit code, and what it says."""
    answer = CliRunner().invoke(__main__.app, list(arguments))
    return answer.exit_code, answer.output


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_the_usual_command_leaves_what_was_released(folders: tuple[Path, Path]) -> None:
    declared, released = folders
    kept = released / "goodstanding.invoicing.InvoicePaid.v1.json"
    old = orjson.loads(kept.read_bytes())
    old["properties"]["paid_by"] = {"type": "string"}
    kept.write_bytes(orjson.dumps(old))
    before = files(released)
    shutil.rmtree(declared)
    code, said = run_command()
    assert (code, __main__.read_event_schemas(declared)) == (1, DECLARED)
    assert "InvoicePaid.v1: paid_by: is never there, for a reader of the older schema" in said
    assert files(released) == before


def test_a_release_takes_what_is_new(folders: tuple[Path, Path]) -> None:
    _, released = folders
    (released / "goodstanding.collections.NoticeSent.v1.json").unlink()
    assert run_command("release") == (0, "")
    assert __main__.read_event_schemas(released) == DECLARED


def test_a_release_that_breaks_a_reader_is_refused_as_a_whole(
    folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, released = folders
    (released / "goodstanding.collections.NoticeSent.v1.json").unlink()
    before = files(released)
    without = {name: REGISTRY[name] for name in DECLARED if "CaseOpened.v1" not in name}
    monkeypatch.setattr(__main__, "REGISTRY", without)
    code, said = run_command("release")
    assert (code, files(released)) == (1, before)
    assert "goodstanding.escalation.CaseOpened.v1: the type is gone" in said
