"""Figures of the code count what they say."""

from pathlib import Path

from tests.architecture.figures import draw_names, find_circles, list_imports
from tests.architecture.source import ROOT


def test_circles_are_found(tmp_path: Path) -> None:
    for name, text in {
        "a": "from p import b",
        "b": "from p.c import x",
        "c": "import p.a",
        "d": "from p import a",
    }.items():
        (tmp_path / f"{name}.py").write_text(text)
    assert find_circles(list_imports(tmp_path, "p")) == [["p.a", "p.b", "p.c"]]


def test_shared_has_no_circle() -> None:
    assert find_circles(list_imports(ROOT / "shared", "shared")) == []


def test_a_draw_is_that_of_its_commit() -> None:
    assert draw_names("0badcafe") == draw_names("0badcafe00")
    assert draw_names("0badcafe") != draw_names("0badcaff")
    assert len(set(draw_names("0badcafe"))) == 60
