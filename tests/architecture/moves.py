"""Moves of modules: makes them by a table, and proves that nothing but imports has changed.

`python -m tests.architecture.moves make TABLE` moves what the table (JSON: dotted names, old to new) names, and writes
the imports of all modules anew. `… prove COMMIT TABLE` compares each module with what it was in a commit: the syntax
tree without its imports must be the same. Texts that hold an old path are listed, by both, for people to look at.
"""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import orjson

from tests.architecture.source import ROOT

FOLDERS = ("services", "shared", "sandbox", "deploy", "benchmarks", "tests", ".ci")
Table = Mapping[str, str]
"""Dotted names of modules and packages, old to new."""


def rename_path(path: str, table: Table) -> str:
    """Rename a dotted path by the longest of the table's names that it begins with."""
    parts = path.split(".")
    for count in range(len(parts), 0, -1):
        if (new := table.get(".".join(parts[:count]))) is not None:
            return ".".join((new, *parts[count:]))
    return path


def rewrite_imports(text: str, table: Table) -> str:
    """Rewrite the imports of a module; those of one statement that go to several packages become several."""
    lines = text.splitlines(keepends=True)
    nodes = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Import | ast.ImportFrom)]
    for node in sorted(nodes, key=lambda node: node.lineno, reverse=True):
        written = _write_import(node, table)
        if written is not None:
            assert node.end_lineno is not None
            comment = re.search(r"  #.*", lines[node.end_lineno - 1])
            block = [f"{' ' * node.col_offset}{line}{comment[0] if comment else ''}\n" for line in written]
            lines[node.lineno - 1 : node.end_lineno] = block
    return "".join(lines)


def _write_import(node: ast.Import | ast.ImportFrom, table: Table) -> list[str] | None:
    """Write an import by the table; None if it stays as it is."""
    if isinstance(node, ast.Import):
        renamed = {alias.name: rename_path(alias.name, table) for alias in node.names}
        if all(old == new for old, new in renamed.items()):
            return None
        return [f"import {renamed[alias.name]}{_write_alias(alias)}" for alias in node.names]
    module = node.module or ""
    by_package: dict[str, list[str]] = {}
    for alias in node.names:
        full = f"{module}.{alias.name}"
        moved = rename_path(full, table)
        package, _, name = moved.rpartition(".")
        if full not in table:  # a name in a module, which keeps it
            package, name = rename_path(module, table), alias.name
        shown = alias.asname or alias.name
        by_package.setdefault(package, []).append(name if name == shown else f"{name} as {shown}")
    if list(by_package) == [module]:
        return None
    return [f"from {package} import {', '.join(names)}" for package, names in by_package.items()]


def _write_alias(alias: ast.alias) -> str:
    return f" as {alias.asname}" if alias.asname else ""


def strip_imports(text: str) -> str:
    """Strip a module of its imports; what is left is its syntax tree, written out."""
    tree = ast.parse(text)
    for node in ast.walk(tree):
        for name in ("body", "orelse", "finalbody"):
            if isinstance(block := getattr(node, name, None), list):
                kept = [part for part in block if not isinstance(part, ast.Import | ast.ImportFrom)]
                setattr(node, name, kept)
    return ast.dump(tree)


def list_imports(text: str) -> list[tuple[str, str, str | None]]:
    """List the imports of a module, sorted: where from, what, and under which other name."""
    nodes = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Import | ast.ImportFrom)]
    imports = ((getattr(node, "module", None) or "", alias) for node in nodes for alias in node.names)
    return sorted(((module, alias.name, alias.asname) for module, alias in imports), key=repr)


def compare_modules(before: str, after: str, table: Table) -> str | None:
    """Compare a module with what it was; in what it differs beside where its imports come from, if it does."""
    if strip_imports(before) != strip_imports(after):
        return "its code differs"
    if list_imports(rewrite_imports(before, table)) != list_imports(after):
        return "its imports are others than the table makes of them"
    return None


def list_texts(text: str, table: Table) -> list[str]:
    """List the texts of a module, its docstrings included, that hold an old path, dotted or with slashes."""
    old = re.compile("|".join(rf"\b{re.escape(name)}\b|\b{name.replace('.', '/')}\b" for name in table))
    nodes = (node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Constant))
    return [node.value for node in nodes if isinstance(node.value, str) and old.search(node.value)]


def run_git(*arguments: str) -> str:
    """Run git on the repository; return what it prints."""
    return subprocess.run(["git", *arguments], cwd=ROOT, check=True, capture_output=True, text=True).stdout


def _find_file(name: str) -> Path:
    """Find the file or the folder of a module or package."""
    path = ROOT / name.replace(".", "/")
    return path if path.is_dir() else path.with_suffix(".py")


def list_sources() -> Iterator[Path]:
    """List all Python files under version control."""
    for name in run_git("ls-files", "--", *FOLDERS).splitlines():
        if name.endswith(".py") and (ROOT / name).exists():
            yield ROOT / name


def make_moves(table: Table) -> None:
    """Move the files of the table's names, and rewrite the imports of all modules."""
    for old, new in table.items():
        source = _find_file(old)
        target = ROOT / new.replace(".", "/") if source.is_dir() else (ROOT / new.replace(".", "/")).with_suffix(".py")
        target.parent.mkdir(parents=True, exist_ok=True)
        run_git("mv", str(source), str(target))
    for path in list_sources():
        text = path.read_text()
        rewritten = rewrite_imports(text, table)
        if rewritten != text:
            path.write_text(rewritten)


def prove_moves(commit: str, table: Table) -> list[str]:
    """Prove that each module is what it was but for its imports; list those that are not, and those that are gone."""
    moved = {old.replace(".", "/"): new.replace(".", "/") for old, new in table.items()}
    differing = []
    for name in run_git("ls-tree", "-r", "--name-only", commit, "--", *FOLDERS).splitlines():
        if not name.endswith(".py"):
            continue
        now = ROOT / _rename_file(name, moved)
        if not now.exists():
            differing.append(f"{name}: gone")
        elif difference := compare_modules(run_git("show", f"{commit}:{name}"), now.read_text(), table):
            differing.append(f"{name}: {difference}")
    return differing


def _rename_file(name: str, moved: Mapping[str, str]) -> str:
    stem = name.removesuffix(".py")
    for old in sorted(moved, key=len, reverse=True):
        if stem == old or stem.startswith(f"{old}/"):
            return f"{moved[old]}{stem.removeprefix(old)}.py"
    return name


def main(arguments: list[str]) -> int:
    """Make the moves of a table, or prove that they were all."""
    table = orjson.loads(Path(arguments[-1]).read_bytes())
    differing: list[str] = []
    if arguments[0] == "make":
        make_moves(table)
    else:
        differing = prove_moves(arguments[1], table)
    texts = [
        f"{path.relative_to(ROOT)}: {text!r}" for path in list_sources() for text in list_texts(path.read_text(), table)
    ]
    sys.stdout.write("\n".join([*differing, "texts that hold an old path:", *texts]) + "\n")
    return bool(differing)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
