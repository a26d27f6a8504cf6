"""Figures of the code's names and structure.

`python -m tests.architecture.figures` prints them; `… draw COMMIT` draws 60 names whose seed is the first eight digits
of a commit's hash, to be asked of readers who see names only.
"""

import ast
import random
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from statistics import median

import orjson

from tests.architecture.names import count_violations, violations
from tests.architecture.positional_rows import list_positional_rows
from tests.architecture.source import ROOT, SERVICES, functions, sources

PRODUCT = ("services", "shared", "sandbox", "deploy")
DRAWN = 60
_DOCUMENTED = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Module)


def list_modules(root: Path = ROOT) -> Iterator[Path]:
    """List the modules of the product, without tests, benchmarks and migrations."""
    for folder in PRODUCT:
        yield from sources(root / folder)


def count_by_rule(root: Path = ROOT) -> dict[str, int]:
    """Count the violations of the naming rules, all folders and the tests included."""
    counts: Counter[str] = Counter()
    for by_rule in count_violations(root).values():
        counts.update(by_rule)
    return dict(counts)


def count_docstrings(root: Path = ROOT) -> dict[str, float]:
    """Count the docstrings of the product, and the share of those that open with a relative."""
    docstrings, relatives = 0, 0
    for path in list_modules(root):
        text = path.read_text()
        documented = (node for node in ast.walk(ast.parse(text)) if isinstance(node, _DOCUMENTED))
        docstrings += sum(ast.get_docstring(node) is not None for node in documented)
        relatives += sum(rule == "docstring opens with a relative" for rule, _ in violations(text))
    return {"docstrings": docstrings, "open with a relative, percent": round(100 * relatives / docstrings, 1)}


def measure_sizes(root: Path = ROOT) -> dict[str, float]:
    """Measure the lines of files and functions of the product."""
    files = [len(path.read_text().splitlines()) for path in list_modules(root)]
    lengths = [length for folder in PRODUCT for _, length in functions(root / folder)]
    return {
        "files": len(files),
        "median of files": median(files),
        "longest file": max(files),
        "functions": len(lengths),
        "median of functions": median(lengths),
        "longest function": max(lengths),
    }


def list_imports(folder: Path, package: str) -> dict[str, set[str]]:
    """List what each module of a package imports of the package, by dotted names."""
    modules = {".".join((package, *path.relative_to(folder).with_suffix("").parts)): path for path in sources(folder)}
    modules = {name.removesuffix(".__init__"): path for name, path in modules.items()}
    imports: dict[str, set[str]] = {}
    for name, path in modules.items():
        wanted = set()
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and node.module:
                wanted |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
            elif isinstance(node, ast.Import):
                wanted |= {alias.name for alias in node.names}
        imports[name] = {other for other in wanted if other in modules and other != name}
    return imports


def find_circles(imports: Mapping[str, set[str]]) -> list[list[str]]:
    """Find the groups of modules that import each other, directly or through others."""
    reachable = {name: _reach(name, imports) for name in imports}
    groups = {
        tuple(sorted({name} | {other for other in reachable[name] if name in reachable[other]}))
        for name in imports
        if name in reachable[name]
    }
    return [list(group) for group in sorted(groups)]


def _reach(start: str, imports: Mapping[str, set[str]]) -> set[str]:
    seen: set[str] = set()
    waiting = set(imports[start])
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting |= imports[name]
    return seen


def list_namers(root: Path = ROOT) -> list[str]:
    """List the modules of `shared` beside events and contracts that name a service in their code."""
    namers = []
    for path in sources(root / "shared"):
        if {"events", "contracts"} & set(path.parts):
            continue
        nodes = ast.walk(ast.parse(path.read_text()))
        texts = [node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)]
        if any(text == service for text in texts for service in SERVICES):
            namers.append(path.relative_to(root).as_posix())
    return namers


def draw_names(commit: str, root: Path = ROOT) -> list[str]:
    """Draw names of functions and classes of the product, by the first eight digits of a commit's hash."""
    return random.Random(int(commit[:8], 16)).sample(_list_public_names(root), DRAWN)


@cache
def _list_public_names(root: Path) -> list[str]:
    names = set()
    for path in list_modules(root):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and node.name[0] != "_":
                names.add(node.name)
    return sorted(names)


def measure_code(root: Path = ROOT) -> dict[str, object]:
    """Measure all figures."""
    return {
        "names": count_by_rule(root),
        "docstrings of the product": count_docstrings(root),
        "sizes": measure_sizes(root),
        "modules of invoicing": len(sources(root / "services" / "invoicing")),
        "circles in shared": find_circles(list_imports(root / "shared", "shared")),
        "modules of shared that name a service": list_namers(root),
        "rows of ten or more by position": [place for part in PRODUCT for place in list_positional_rows(root / part)],
    }


if __name__ == "__main__":
    drawn = draw_names(sys.argv[2]) if sys.argv[1:2] == ["draw"] else None
    shown = "\n".join(drawn) if drawn else orjson.dumps(measure_code(), option=orjson.OPT_INDENT_2).decode()
    sys.stdout.write(f"{shown}\n")
