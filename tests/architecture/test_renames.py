"""Renames of any kind are told from changes of any other kind."""

import pytest

from tests.architecture.renames import compare_states

RULES = "from services.a import rows\n\n\ndef told(held: int) -> int:\n    return rows.add(held)\n"
ROWS = """
LIMIT = 1


class Row:
    data: int

    def made(self) -> int:
        '''Make it.'''
        return self.data
"""
USE = "from services.a import rows as r\n\n\ndef read(row: r.Row) -> int:\n    return r.LIMIT + row.made()\n"


def _compare(before: str, after: str) -> tuple[list[str], list[str], list[str]]:
    return compare_states([("services/a/b.py", before, after)])


@pytest.mark.parametrize(
    ("before", "after", "renames"),
    [
        (RULES, RULES.replace("held", "amount"), ["services/a/b.py: held -> amount"]),
        (RULES, RULES.replace("told", "insert_amount"), ["services.a.b.told -> services.a.b.insert_amount"]),
        (RULES, RULES.replace("import rows", "import rows as a_rows").replace("return rows", "return a_rows"), []),
        (RULES, RULES.replace("services.a import rows", "services import a").replace("rows.add", "a.rows.add"), []),
        (ROWS, ROWS.replace("        '''Make it.'''\n", ""), []),
        ("x = [one for one in (1, 2)]", "x = [number for number in (1, 2)]", ["services/a/b.py: one -> number"]),
        ("f = lambda one: one", "f = lambda number: number", ["services/a/b.py: one -> number"]),
        (
            "from a import b\nfrom a import d\n__all__ = ['b', 'd']",
            "from a import d\nfrom a import b\n__all__ = ['d', 'b']",
            [],
        ),
        ("import os\nimport sys\nprint(os, sys)", "import sys\nimport os\nprint(os, sys)", []),
    ],
)
def test_names_and_docstrings_may_differ(before: str, after: str, renames: list[str]) -> None:
    assert _compare(before, after) == (renames, [], [])


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("x = 1", "x = 2"),
        ("x = 'a b'", "x = 'a c'"),
        ("x = f'{1}a'", "x = f'{1}b'"),
        ("def f(a, b): return a", "def f(a, b): return b"),
        ("def f(a, b): return a + b", "def f(a, a2): return a + a"),
        ("def f(a, *, b): pass", "def f(a, b): pass"),
        ("def f(a, b=1): pass", "def f(a=1, b=1): pass"),
        ("def f(a): return [a for b in a]", "def f(a): return [b for b in a]"),
        ("def f(a): return len(a)", "def f(a): return sum(a)"),
        ("def f(a):\n    b = a\n    return b", "def f(a):\n    b: int = a\n    return b"),
        ("def f(a): return a.rows", "def f(a): return a.lines"),
        ("def f(a): return a(b=1)", "def f(a): return a(c=1)"),
        ("x = 1\ny = 2\nprint(x, y)", "x = 1\nz = 2\nprint(x, x)"),
        ("x = 1\nx = 2\nprint(x)", "x = 1\nz = 2\nprint(x)"),
        ("from a import b\nb()", "from a import c\nfrom a import d\nd()"),
        ("import a", "import b"),
        ("from a import b, c\n__all__ = ['b', 'c']\nb(c)", "from a import b, c\n__all__ = ['b']\nb(c)"),
        ("async def f(): pass", "def f(): pass"),
        ("def f():\n    raise ValueError", "def f():\n    pass"),
        ("x = 1", "x = 1\ny = 1"),
    ],
)
def test_whatever_else_differs_is_listed(before: str, after: str) -> None:
    *_, differing = _compare(before, after)
    assert differing != []


def test_a_name_is_renamed_in_all_modules_alike() -> None:
    rows, use = ROWS.replace("made", "make_row"), USE.replace("made", "make_row").replace("LIMIT", "MAX_ROWS")
    modules = [("services/a/rows.py", ROWS, rows.replace("LIMIT", "MAX_ROWS")), ("services/b.py", USE, use)]
    renames, _, differing = compare_states(modules)
    assert renames == [
        "services.a.rows.LIMIT -> services.a.rows.MAX_ROWS",
        "services.a.rows.Row.made -> services.a.rows.Row.make_row",
        ".made -> .make_row (1)",
    ]
    assert differing == []
    *_, differing = compare_states([("services/a/rows.py", ROWS, rows), ("services/b.py", USE, use)])
    assert len(differing) == 1


def test_texts_that_hold_a_name_and_variables_that_became_several_are_listed_apart() -> None:
    before = 'def made(): return 1\ndef test(patch): patch.setattr("services.a.b.made", 2)\n'
    _, to_look_at, differing = _compare(before, before.replace("made", "make_row"))
    assert to_look_at == ["services/a/b.py:2: the text 'services.a.b.made' became 'services.a.b.make_row'"]
    assert differing == []
    before = "def f(x):\n    for one in x: print(one)\n    for one in x: print(one)\n"
    after = "def f(x):\n    for line in x: print(line)\n    for row in x: print(row)\n"
    assert _compare(before, after)[1:] == (["services/a/b.py: one became ['line', 'row']"], [])
