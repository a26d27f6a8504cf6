"""Every event is declared once, frozen, in the module of its producer."""

import inspect
from collections.abc import Iterable, Iterator
from importlib import import_module
from types import ModuleType

from pydantic import BaseModel, ConfigDict

from shared.events import REGISTRY, Event
from tests.architecture.source import ROOT, SERVICES, sources

EVENTS = ROOT / "shared" / "events"


def modules() -> Iterator[ModuleType]:
    """The modules in which events and their values are declared; a producer with many has a package."""
    for name in (*SERVICES, "values", "base"):
        yield import_module(f"shared.events.{name}")
        for path in sorted((EVENTS / name).glob("[a-z]*.py")):
            yield import_module(f"shared.events.{name}.{path.stem}")


MODULES = tuple(modules())


def list_published() -> dict[str, type[Event]]:
    """The product's events; tests declare some of their own."""
    return {name: event for name, event in REGISTRY.items() if not event.__module__.startswith("tests.")}


def models(modules: Iterable[ModuleType]) -> set[type[BaseModel]]:
    """The pydantic models that these modules declare."""
    return {
        member
        for module in modules
        for _, member in inspect.getmembers(module, inspect.isclass)
        if issubclass(member, BaseModel) and member.__module__ == module.__name__
    }


def changeable(declared: Iterable[type[BaseModel]]) -> set[str]:
    """The models whose values could be changed after they were made, or that hold what could be."""
    return {
        model.__name__
        for model in declared
        if not model.model_config.get("frozen")
        or any(str(field.annotation).startswith(("list[", "set[")) for field in model.model_fields.values())
    }


def test_events_and_their_values_are_frozen() -> None:
    declared = models(MODULES)
    assert set(list_published().values()) <= declared
    assert changeable(declared) == set()


class _Loose(Event, abstract=True):
    model_config = ConfigDict(frozen=False)


class _Growing(Event, abstract=True):
    lines: list[int]


def test_a_changeable_event_is_seen() -> None:
    assert changeable([_Loose, _Growing]) == {"_Loose", "_Growing"}


def find_misplaced(events: Iterable[type[Event]]) -> set[str]:
    """Events that are declared elsewhere than with their producer."""
    return {
        event.__name__ for event in events if event.__module__.split(".")[:3] != ["shared", "events", event.producer]
    }


def test_events_are_declared_with_their_producer() -> None:
    assert len(list_published()) >= 35
    assert find_misplaced(list_published().values()) == set()


def test_a_misplaced_event_is_seen() -> None:
    _Loose.producer = "invoicing"
    assert find_misplaced([_Loose]) == {"_Loose"}


def test_every_event_has_its_schema() -> None:
    folder = ROOT / "shared" / "events" / "schemas"
    assert {path.name for path in folder.iterdir()} == {f"{name}.json" for name in list_published()}


def test_events_are_declared_nowhere_else() -> None:
    outside = [path for folder in ("services", "sandbox") for path in sources(ROOT / folder)]
    assert [
        path.name for path in outside if "(Event)" in path.read_text() or "(AccountEvent)" in path.read_text()
    ] == []
