"""Rules of naming as functions over a source file, and the list of today's violations, which only shrinks.

`python -m tests.architecture.names` lowers the list to what is still there; it refuses to raise a number.
"""

import ast
import re
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

import orjson

ROOT = Path(__file__).parents[2]
FOLDERS = ("services", "shared", "sandbox", "deploy", "benchmarks", "tests")
LIST = Path(__file__).parent / "names_to_mend.json"

Violation = tuple[str, str]
"""A rule's name, and the name or words that break it."""

MAX_WORDS = 4
IRREGULAR_PARTICIPLES = re.compile(
    "told|held|owed|known|found|given|left|taken|heard|kept|made|drawn|said|sent|paid|built|sold|lost|done|gone|seen"
    "|written|fed|shown|chosen|begun|driven|broken|meant|met|brought|bought|thought"
)
VERBS_LIKE_PARTICIPLES = re.compile("need|proceed|exceed|feed|seed|embed|shed|speed")
EMPTY_NOUNS = frozenset(
    ["one", "two", "told", "held", "known", "found", "given", "left", "mine", "about", "why", "data", "info"]
)
"""Names of variables that say nothing of what they hold."""
RELATIVES = re.compile(r"(What|Whose|Of|Which|The same)\b")
MIN_DOCSTRING_WORDS = 3
STATE_DECORATORS = frozenset({"property", "cached_property", "contextmanager", "asynccontextmanager", "fixture"})
"""Decorators under which a participle is a state or a circumstance, not an act."""


def violations(text: str) -> list[Violation]:
    """List the violations of the naming rules in a module's text."""
    tree = ast.parse(text)
    columns = set(_list_columns(tree))
    nodes = (node for node in ast.walk(tree) if node not in columns)
    return [*_module_docstring(tree), *(violation for node in nodes for violation in _of_node(node))]


def _list_columns(tree: ast.Module) -> Iterator[ast.AST]:
    """List the fields of NamedTuples: those of rows have the names of columns, which the schema gives."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and "NamedTuple" in map(ast.unparse, node.bases):
            yield from (field.target for field in node.body if isinstance(field, ast.AnnAssign))


def _of_node(node: ast.AST) -> Iterator[Violation]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        yield from _of_function(node)
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield from _of_docstring(ast.get_docstring(node), node.name)
    if isinstance(node, ast.Import | ast.ImportFrom):
        yield from _of_import(node)
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and node.id in EMPTY_NOUNS:
        yield "variable", node.id
    if isinstance(node, ast.arg) and node.arg in EMPTY_NOUNS:
        yield "variable", node.arg


def _of_function(node: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[Violation]:
    words = node.name.strip("_").split("_")
    if node.name.startswith("test_") or node.name.startswith("__"):
        return
    if len(words) > MAX_WORDS:
        yield "longer than four words", node.name
    if len(words) == 1 and is_participle(words[0]) and not STATE_DECORATORS & set(map(_decorator, node.decorator_list)):
        yield "participle", node.name


def is_participle(word: str) -> bool:
    """Whether a word is a bare past participle, as far as its form tells."""
    if IRREGULAR_PARTICIPLES.fullmatch(word):
        return True
    return word.endswith("ed") and len(word) > 3 and not VERBS_LIKE_PARTICIPLES.fullmatch(word)


def _decorator(node: ast.expr) -> str:
    return ast.unparse(node).partition("(")[0].rpartition(".")[2]


def _module_docstring(tree: ast.Module) -> Iterator[Violation]:
    yield from _of_docstring(ast.get_docstring(tree), "module")


def _of_docstring(docstring: str | None, owner: str) -> Iterator[Violation]:
    if docstring is None:
        return
    if RELATIVES.match(docstring):
        yield "docstring opens with a relative", f"{owner}: {docstring[:40]}"
    if len(docstring.split()) < MIN_DOCSTRING_WORDS:
        yield "docstring says nothing", f"{owner}: {docstring}"


def _of_import(node: ast.Import | ast.ImportFrom) -> Iterator[Violation]:
    """Find aliases of the project's own modules; `<capability>_<room>` is allowed."""
    module = getattr(node, "module", None) or ""
    for alias in node.names:
        path = f"{module}.{alias.name}".strip(".")
        if alias.asname is None or path.partition(".")[0] not in FOLDERS:
            continue
        *_, capability, room = ("", *path.split("."))
        if alias.asname != f"{capability}_{room}":
            yield "alias", f"{path} as {alias.asname}"


def count_violations(root: Path = ROOT) -> dict[str, dict[str, int]]:
    """Count the violations by file and rule; files without any are left out."""
    counts: dict[str, dict[str, int]] = {}
    for path in (path for folder in FOLDERS for path in sorted((root / folder).rglob("*.py"))):
        if {"versions", "node_modules"} & set(path.parts):
            continue
        if by_rule := Counter(rule for rule, _ in violations(path.read_text())):
            counts[path.relative_to(root).as_posix()] = dict(sorted(by_rule.items()))
    return counts


def read_list(path: Path = LIST) -> dict[str, dict[str, int]]:
    """Read how many violations of each rule each file may have."""
    allowed: dict[str, dict[str, int]] = orjson.loads(path.read_bytes())
    return allowed


def differences(counts: Mapping[str, Mapping[str, int]], allowed: Mapping[str, Mapping[str, int]]) -> list[str]:
    """Name each number that is higher or lower than the list says."""
    lines = []
    for path in sorted({*counts, *allowed}):
        now, before = counts.get(path, {}), allowed.get(path, {})
        for rule in sorted({*now, *before}):
            here, there = now.get(rule, 0), before.get(rule, 0)
            if here > there:
                lines.append(f"{path}: {rule}: {here}, at most {there} allowed")
            elif here < there:
                lines.append(f"{path}: {rule}: {here}, the list says {there}; lower it by the command of names.py")
    return lines


def lower_list(counts: Mapping[str, Mapping[str, int]], path: Path = LIST) -> list[str]:
    """Write the counts as the new list; return what is higher than before, and then write nothing."""
    allowed = read_list(path)
    higher = [line for line in differences(counts, allowed) if "at most" in line]
    if not higher:
        path.write_bytes(orjson.dumps(counts, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS) + b"\n")
    return higher


if __name__ == "__main__":
    too_many = lower_list(count_violations())
    sys.stderr.write("".join(f"{line}\n" for line in too_many))
    sys.exit(bool(too_many))
