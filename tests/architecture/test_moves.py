"""Moves change imports and nothing else, and what else has changed is seen; figures count what they say."""

from pathlib import Path

import pytest

from tests.architecture.figures import draw_names, find_circles, list_imports
from tests.architecture.moves import compare_modules, list_texts, rename_path, rewrite_imports, strip_imports
from tests.architecture.source import ROOT

TABLE = {"shared.money": "shared.pure.money", "shared.http": "shared.web.http", "shared.kafka": "shared.base.kafka"}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("from shared.money import Money", "from shared.pure.money import Money"),
        ("from shared.http.paging import Page as P", "from shared.web.http.paging import Page as P"),
        ("from shared import money", "from shared.pure import money"),
        (
            "from shared import kafka as k, money, run",
            "from shared.base import kafka as k|from shared.pure import money|from shared import run",
        ),
        ("import shared.money", "import shared.pure.money"),
        ("from shared.moneyed import x", "from shared.moneyed import x"),
        (
            "from shared.money import (\n    A,\n    B,\n)  # noqa: F401",
            "from shared.pure.money import A, B  # noqa: F401",
        ),
    ],
)
def test_imports_follow_the_table(before: str, after: str) -> None:
    assert rewrite_imports(f"{before}\n", TABLE) == after.replace("|", "\n") + "\n"


def test_imports_within_functions_keep_their_place() -> None:
    before = "def f():\n    from shared import money\n    return money\n"
    assert rewrite_imports(before, TABLE) == "def f():\n    from shared.pure import money\n    return money\n"


def test_only_imports_may_differ() -> None:
    before = "from shared import money\n\nLIMIT = 3\n"
    assert strip_imports(rewrite_imports(before, TABLE)) == strip_imports(before)
    assert strip_imports(before) != strip_imports(before.replace("3", "4"))
    assert strip_imports("def f(a: int) -> None: ...") != strip_imports("def f(b: int) -> None: ...")


def test_the_imports_must_be_those_that_the_table_makes() -> None:
    before = "from shared.money import Money, add\n\nadd(Money())\n"
    after = "from shared.pure.money import Money\nfrom shared.pure.money import add\n\nadd(Money())\n"
    assert compare_modules(before, after, TABLE) is None
    assert compare_modules(before, after.replace("import add", "import subtract as add"), TABLE) is not None
    assert compare_modules(before, after.replace("Money())", "Money(), 1)"), TABLE) == "its code differs"


def test_texts_that_hold_an_old_path_are_listed() -> None:
    text = 'patch("shared.money.ROUND")\nread("shared/http/paging.py")\nsay("shared.moneyed")\n'
    assert list_texts(text, TABLE) == ["shared.money.ROUND", "shared/http/paging.py"]
    assert rename_path("shared.http.paging.Page", TABLE) == "shared.web.http.paging.Page"


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
