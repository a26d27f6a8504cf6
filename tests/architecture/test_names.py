"""Names follow the glossary and the rules of the house; what does not yet is listed, and the list only shrinks."""

import re
from pathlib import Path

import orjson
import pytest

from tests.architecture import names
from tests.architecture.source import BACKBONE

GLOSSARY = names.ROOT / "docs" / "glossary.md"


def test_the_list_of_violations_is_exact() -> None:
    assert names.differences(names.count_violations(), names.read_list()) == []


@pytest.mark.parametrize(
    ("line", "rules"),
    [
        ("def settled(): pass", ["participle"]),
        ("async def _told(): pass", ["participle"]),
        ("def reversed_(): pass", ["participle"]),
        ("@property\ndef settled(self): pass", []),
        ("@contextlib.contextmanager\ndef locked(): yield", []),
        ("def need(): pass", []),
        ("def settle_debit(): pass", []),
        ("def settle_the_debit_of_account(): pass", ["longer than four words"]),
        ("def test_a_debit_that_is_in_flight_is_not_due(): pass", []),
        ('def f():\n    """What it owes."""', ["docstring opens with a relative"]),
        ('def f():\n    """Whose it is."""', ["docstring opens with a relative"]),
        ('class A:\n    """Of an account."""', ["docstring opens with a relative"]),
        ('"""Which one it is."""', ["docstring opens with a relative"]),
        ('def f():\n    """Compute what is owed."""', []),
        ('def f():\n    """The row."""', ["docstring says nothing"]),
        ("one = 1", ["variable"]),
        ("for told in range(3): pass", ["variable"]),
        ("[held for held in x]", ["variable"]),
        ("def f(why): pass", ["variable"]),
        ("class Row:\n    data: str", ["variable"]),
        ("class Row(NamedTuple):\n    data: str", []),
        ("invoice = 1", []),
        ("from shared import outbox as post", ["alias"]),
        ("import services.invoicing.domain.owed as owed_rules", ["alias"]),
        ("from services.invoicing.ledger import repository as ledger_repository", []),
        ("from datetime import datetime as moment", []),
    ],
)
def test_each_rule_bites(line: str, rules: list[str]) -> None:
    assert [rule for rule, _ in names.violations(line)] == rules


def test_a_file_with_more_violations_or_fewer_is_named(tmp_path: Path) -> None:
    allowed = {"services/a.py": {"variable": 1}, "services/gone.py": {"alias": 2}}
    assert names.differences({"services/a.py": {"variable": 1}, "services/gone.py": {"alias": 2}}, allowed) == []
    assert names.differences({"services/a.py": {"variable": 2}, "services/b.py": {"alias": 1}}, allowed) == [
        "services/a.py: variable: 2, at most 1 allowed",
        "services/b.py: alias: 1, at most 0 allowed",
        "services/gone.py: alias: 0, the list says 2; lower it by the command of names.py",
    ]


def test_the_list_is_lowered_and_never_raised(tmp_path: Path) -> None:
    path = tmp_path / "list.json"
    path.write_bytes(orjson.dumps({"services/a.py": {"variable": 2}}))
    assert names.lower_list({"services/a.py": {"variable": 3}}, path) == [
        "services/a.py: variable: 3, at most 2 allowed"
    ]
    assert names.read_list(path) == {"services/a.py": {"variable": 2}}
    assert names.lower_list({"services/a.py": {"variable": 1}}, path) == []
    assert names.read_list(path) == {"services/a.py": {"variable": 1}}


def test_violations_are_counted_by_file(tmp_path: Path) -> None:
    for folder in names.FOLDERS:
        (tmp_path / folder).mkdir()
    (tmp_path / "services" / "a.py").write_text("one = 1\ntwo = 2\n\n\ndef told():\n    pass\n")
    (tmp_path / "shared" / "b.py").write_text("invoice = 1\n")
    assert names.count_violations(tmp_path) == {"services/a.py": {"participle": 1, "variable": 2}}


def _rows() -> list[list[str]]:
    lines = GLOSSARY.read_text().splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]
    return [row for row in rows if len(row) == 4 and row[1] not in ("meaning", "---")]


TABLE = re.compile(r"CREATE (?:UNLOGGED )?(?:TABLE|VIEW) (?:[\w{}]+\.)?(\w+)")
COLUMN = re.compile(
    r"(?:^\s+|ADD (?:COLUMN )?)(\w+) (?:uuid|text|bigint|int|integer|date|timestamptz|jsonb|boolean)\b", re.I | re.M
)
CLASS = re.compile(r"^class (\w+)", re.M)


def _code_names() -> set[str]:
    """Collect every class, table and column that the product declares."""
    paths = (path for folder in ("services", "shared") for path in (names.ROOT / folder).rglob("*.py"))
    return {name for path in paths for pattern in (TABLE, COLUMN, CLASS) for name in pattern.findall(path.read_text())}


def test_the_glossary_names_what_is_in_the_code() -> None:
    rows = _rows()
    named = {name for row in rows for name in re.findall(r"`([\w.]+)`", row[2])}
    code_names = _code_names()
    missing = {name for name in named if name.rpartition(".")[2] not in code_names}
    assert len(rows) >= 60
    assert missing == set()


def test_every_table_is_carried_by_a_term() -> None:
    named = {name.partition(".")[0] for row in _rows() for name in re.findall(r"`([\w.]+)`", row[2])}
    schemas = (names.ROOT / "services").glob("*/schema.sql")
    tables = {
        name for path in schemas for name in re.findall(r"^CREATE TABLE \w+\.(\w+)", path.read_text(), re.MULTILINE)
    }
    assert len(tables) >= 100
    assert (tables | BACKBONE) - {"alembic_version"} - named == set()


def test_no_term_stands_twice_in_the_glossary() -> None:
    terms = [row[0] for row in _rows()]
    assert sorted(terms) == sorted(set(terms))


def test_no_term_is_a_word_that_another_one_rules_out() -> None:
    rows = _rows()
    ruled_out = {word.strip() for row in rows for word in row[3].split(",") if "(" not in word}
    assert ruled_out & {row[0] for row in rows} == set()
