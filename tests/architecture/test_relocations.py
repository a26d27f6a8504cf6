"""Relocations write references anew wherever they stand, and the proof sees whatever else has changed."""

import pytest

from tests.architecture.references import Origin, Project
from tests.architecture.relocations import Relocation, Table, compare_trees, list_texts

BEFORE = {
    "p/rules/__init__.py": "",
    "p/rules/owed.py": '''"""Rules."""

from p import money

LIMIT = 3
"""The most."""


def pay(amount: int) -> int:
    return money.round_up(amount) if amount < LIMIT else waive(amount)


# Gives up what is left.
def waive(amount: int) -> int:
    return 0
''',
    "p/money.py": "def round_up(amount: int) -> int:\n    return amount\n",
    "p/all.py": 'from p.rules import owed\nfrom p.rules.owed import waive\n\n__all__ = ["owed", "waive"]\n',
    "p/use.py": """from p import all as everything
from p.rules import owed as repository
from p.rules.owed import LIMIT


def settle(LIMIT: int) -> int:
    return repository.pay(LIMIT) + everything.owed.waive(LIMIT)


MOST = LIMIT
""",
}
TABLE = Table(
    modules={"p.rules.owed": "p.payments.domain"},
    symbols={"p.rules.owed.waive": "p.adjustments.waivers"},
    docstrings={"p.adjustments.waivers": "Waivers."},
)
# Imports that nobody uses any more are the linter's to remove.
AFTER = {
    "p/payments/domain.py": '''"""Rules."""

from p import money
from p.adjustments.waivers import waive

LIMIT = 3
"""The most."""


def pay(amount: int) -> int:
    return money.round_up(amount) if amount < LIMIT else waive(amount)
''',
    "p/adjustments/waivers.py": '''"""Waivers."""

from p import money

# Gives up what is left.
def waive(amount: int) -> int:
    return 0
''',
    "p/use.py": """from p import all as everything
from p.adjustments import waivers
from p.payments import domain as payments_domain
from p.payments.domain import LIMIT

def settle(LIMIT: int) -> int:
    return payments_domain.pay(LIMIT) + waivers.waive(LIMIT)


MOST = LIMIT
""",
}


def relocate() -> dict[str, str]:
    """Relocate what the table names; the texts of all modules by path."""
    relocation = Relocation(Project.from_texts(BEFORE), TABLE)
    texts = {f"{name.replace('.', '/')}.py": text for name, text in relocation.write().items()}
    assert relocation.problems == []
    return texts | {"p/rules/__init__.py": BEFORE["p/rules/__init__.py"]}


def find_differences(after: dict[str, str]) -> list[str]:
    """Find what the proof says of a tree."""
    del after["p/rules.py"]
    return compare_trees(Project.from_texts(BEFORE), Project.from_texts(after), TABLE)


@pytest.mark.parametrize("path", AFTER)
def test_references_follow_what_moves(path: str) -> None:
    assert "".join(relocate()[path].split("\n")) == "".join(AFTER[path].split("\n"))


def test_what_the_table_makes_differs_in_nothing() -> None:
    assert find_differences(relocate()) == []


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        ("p/payments/domain.py", "LIMIT = 3", "LIMIT = 4"),
        ("p/payments/domain.py", "The most", "The least"),
        ("p/payments/domain.py", "money.round_up(amount)", "money.round_down(amount)"),
        ("p/payments/domain.py", "from p.adjustments.waivers import waive", "from p.money import round_up as waive"),
        ("p/adjustments/waivers.py", "return 0", "return 1"),
        ("p/adjustments/waivers.py", "def waive", "def forgive"),
        ("p/use.py", "waivers.waive(LIMIT)", "payments_domain.pay(LIMIT)"),
        ("p/use.py", "MOST = LIMIT", ""),
        ("p/use.py", "MOST = LIMIT", "MOST = LIMIT\nLEAST = LIMIT"),
    ],
)
def test_whatever_else_changes_is_seen(path: str, old: str, new: str) -> None:
    after = relocate()
    assert old in after[path]
    after[path] = after[path].replace(old, new)
    assert find_differences(after) != []


def test_a_name_that_is_bound_already_is_a_problem() -> None:
    texts = BEFORE | {
        "p/use.py": "from p.rules import owed\n\n\ndef f(rates: int) -> int:\n    return owed.pay(rates)\n"
    }
    relocation = Relocation(Project.from_texts(texts), Table({"p.rules.owed": "p.rules.rates"}))
    relocation.write()
    assert relocation.problems == ["p.use binds rates, which is to be p.rules.owed.pay"]


def test_names_are_resolved_through_those_who_pass_them_on() -> None:
    project = Project.from_texts(BEFORE)
    assert project.resolve("p.all.owed.pay") == Origin("p.rules.owed", "pay")
    assert project.resolve("p.all.waive") == Origin("p.rules.owed", "waive")
    assert project.resolve("p.rules.owed") == Origin("p.rules.owed")
    assert project.resolve("q.rules") is None


def test_texts_that_hold_an_old_path_are_listed() -> None:
    text = 'patch("p.rules.owed.LIMIT")\nread("p/rules/owed/waive")\nsay("p.rules.owedly")\n'
    assert list_texts(text, TABLE) == ["p.rules.owed.LIMIT", "p/rules/owed/waive"]
