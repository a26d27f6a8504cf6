"""Relocations: modules and single symbols move to other modules, and all references to them follow.

`python -m tests.architecture.relocations make TABLE` moves what the table names (JSON: see `Table`) and writes anew
what refers to it. `… prove COMMIT TABLE` shows that nothing else has changed since a commit: each statement of a
module, with its references told by where they lead, stands now where the table says.
"""

import ast
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import orjson

from tests.architecture.references import (
    Origin,
    Project,
    Reference,
    SourceModule,
    list_bound,
    list_defined,
)
from tests.architecture.source import ROOT, list_files, read_commit, run_git

ROOMS = ("api", "use_cases", "domain", "repository", "tables")
"""Modules of these names are imported as `<capability>_<room>`."""


@dataclass(frozen=True)
class Table:
    """Where modules and symbols go."""

    modules: Mapping[str, str]
    """Dotted names of modules, old to new."""
    symbols: Mapping[str, str] = field(default_factory=dict)
    """Dotted names of symbols that leave their module, with the module that they go to."""
    docstrings: Mapping[str, str] = field(default_factory=dict)
    """Docstrings of modules that no old one becomes."""
    removed: Sequence[str] = ()
    """Packages that only gathered names of others, and that nothing refers to any more."""

    @classmethod
    def from_file(cls, path: Path) -> "Table":
        """Read a table from a JSON file."""
        return cls(**orjson.loads(path.read_bytes()))

    def locate(self, origin: Origin) -> Origin:
        """Say where a module or a symbol goes."""
        module = self.modules.get(origin.module, origin.module)
        return Origin(self.symbols.get(str(origin), module), origin.symbol)

    def concerns(self, module: str) -> bool:
        """Whether a module, or anything in it, moves."""
        return module in self.modules or any(name.rpartition(".")[0] == module for name in self.symbols)

    def has_moving_references(self, module: str) -> bool:
        """Whether references to a module are written anew: it moves, or is a package of what moves."""
        return self.concerns(module) or any(old.startswith(f"{module}.") for old in self.modules)


@dataclass(frozen=True, slots=True)
class Piece:
    """A statement at the top of a module, with the docstring behind it and the comments before it."""

    names: tuple[str, ...]
    nodes: tuple[ast.stmt, ...]
    first_line: int
    last_line: int


def split_pieces(module: SourceModule) -> tuple[str, list[ast.stmt], list[Piece]]:
    """Split a module into its docstring with what stands before the imports, its imports, and its other statements."""
    body = list(module.tree.body)
    lines = module.text.splitlines(keepends=True)
    end = 0
    if body and isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant):
        end = body[0].end_lineno or 0
        body = body[1:]
    head, imports, pieces = "".join(lines[:end]), list[ast.stmt](), list[Piece]()
    for node in body:
        assert node.end_lineno is not None
        if isinstance(node, ast.Import | ast.ImportFrom):
            imports.append(node)
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and pieces:
            last = pieces.pop()
            pieces.append(Piece(last.names, (*last.nodes, node), last.first_line, node.end_lineno))
        else:
            pieces.append(Piece(tuple(list_defined(node)), (node,), end + 1, node.end_lineno))
        end = node.end_lineno
    return head, imports, pieces


def list_own_references(project: Project, module: SourceModule, piece: Piece) -> Iterator[Reference]:
    """List what a statement refers to: in other modules, and at the top of its own."""
    own = SourceModule(module.name, module.text)
    own.__dict__["tree"] = module.tree
    own.__dict__["imports"] = module.imports | {name: f"{module.name}.{name}" for name in module.symbols}
    for node in piece.nodes:
        for reference in project.visit(own, node):
            if reference.origin.module != module.name or reference.origin.symbol not in piece.names:
                yield reference


@dataclass
class Draft:
    """A module as it will be."""

    head: str = ""
    imports: list[str] = field(default_factory=list)
    wanted: set[str] = field(default_factory=set)
    texts: list[str] = field(default_factory=list)


class Relocation:
    """Writes the modules of a tree anew by a table."""

    def __init__(self, project: Project, table: Table) -> None:
        self._project = project
        self._table = table
        self._drafts: dict[str, Draft] = defaultdict(Draft)
        self.problems: list[str] = []

    def write(self) -> dict[str, str]:
        """Write all modules anew that move or refer to what moves; their texts by dotted name."""
        for module in self._project.modules.values():
            if module.name not in self._table.removed:
                self._write_module(module)
        return {name: _join(draft) for name, draft in self._drafts.items()}

    def _write_module(self, module: SourceModule) -> None:
        head, imports, pieces = split_pieces(module)
        target = self._table.modules.get(module.name, module.name)
        draft = self._drafts[target]
        draft.head = head or draft.head
        targets = {self._place(module, piece) for piece in pieces} | {target}
        for name in targets:
            for node in imports:
                kept = self._keep_import(module, node)
                self._drafts[name].imports += [line for line in kept if not line.startswith(f"from {name} import")]
            self._drafts[name].head = self._drafts[name].head or self._docstring(name)
        if module.is_package or "__all__" in module.symbols:
            self._write_exports(module, draft)
        for piece in pieces:
            self._write_piece(module, piece)

    def _docstring(self, name: str) -> str:
        text = self._table.docstrings.get(name, "")
        return f'"""{text}"""\n' if text else ""

    def _place(self, module: SourceModule, piece: Piece) -> str:
        places = {self._table.locate(Origin(module.name, name)).module for name in piece.names}
        if len(places) > 1:
            self.problems.append(f"{module.name}: {piece.names} go to several modules")
        return next(iter(places), self._table.modules.get(module.name, module.name))

    def _keep_import(self, module: SourceModule, node: ast.stmt) -> list[str]:
        """Keep an import of what is outside of the tree; of the tree, all is written anew."""
        lines = module.text.splitlines()
        if isinstance(node, ast.ImportFrom) and node.module and self._project.resolve(node.module) is not None:
            for alias in node.names:
                origin = self._project.resolve(f"{node.module}.{alias.name}")
                if origin is not None and self._is_concerned(origin):
                    break
            else:
                return ["\n".join(lines[node.lineno - 1 : node.end_lineno])]
            parts = []
            for alias in node.names:
                origin = self._project.resolve(f"{node.module}.{alias.name}")
                if origin is None or not self._is_concerned(origin):
                    parts.append(f"{alias.name} as {alias.asname}" if alias.asname else alias.name)
            return [f"from {node.module} import {', '.join(parts)}"] if parts else []
        return ["\n".join(lines[node.lineno - 1 : node.end_lineno])]

    def _is_concerned(self, origin: Origin) -> bool:
        return self._table.has_moving_references(origin.module)

    def _write_exports(self, module: SourceModule, draft: Draft) -> None:
        for name, path in module.imports.items():
            origin = self._project.resolve(path)
            if origin is not None and self._is_concerned(origin) and f'"{name}"' in module.text:
                place = self._table.locate(origin)
                if place.symbol:
                    draft.wanted.add(f"from {place.module} import {place.symbol}")
                else:
                    import_module(place.module, draft)

    def _write_piece(self, module: SourceModule, piece: Piece) -> None:
        place = self._place(module, piece)
        draft = self._drafts[place]
        edits: list[tuple[ast.expr, str]] = []
        for reference in list_own_references(self._project, module, piece):
            if not self._is_concerned(reference.origin) and reference.origin.module != module.name:
                continue
            written = self._refer(module, place, reference, draft)
            if written != ".".join(reference.chain):
                edits.append((reference.node, written))
        draft.texts.append(_edit(module.text, piece, edits))

    def _refer(self, module: SourceModule, place: str, reference: Reference, draft: Draft) -> str:
        """Write a reference as it must be in the module `place`, and note the import that it needs."""
        target = self._table.locate(reference.origin)
        if target.module == place:
            return target.symbol or self._complain(module, f"refers to its own module by {reference.chain}")
        if target.module in self._table.removed:
            return self._complain(module, f"refers to {target}, which is removed")
        if not target.symbol:
            name = import_module(target.module, draft)
            return self._check_free(module, name, reference)
        is_direct = len(reference.chain) == 1
        if is_direct or target.symbol.endswith("Row"):
            local = reference.chain[0] if is_direct else target.symbol
            alias = "" if local == target.symbol else f" as {local}"
            draft.wanted.add(f"from {target.module} import {target.symbol}{alias}")
            return local if is_direct else self._check_free(module, local, reference)
        return f"{self._check_free(module, import_module(target.module, draft), reference)}.{target.symbol}"

    def _check_free(self, module: SourceModule, name: str, reference: Reference) -> str:
        taken = {*module.symbols} | {bound for node in ast.walk(module.tree) for bound in _list_bound(node)}
        if name in taken:
            self._complain(module, f"binds {name}, which is to be {reference.origin}")
        return name

    def _complain(self, module: SourceModule, text: str) -> str:
        self.problems.append(f"{module.name} {text}")
        return text


def _list_bound(node: ast.AST) -> Iterable[str]:
    return list_bound(node) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) else ()


def import_module(module: str, draft: Draft) -> str:
    """Import a module, and return the name that it has then."""
    package, _, name = module.rpartition(".")
    if name not in ROOMS:
        draft.wanted.add(f"from {package} import {name}")
        return name
    alias = f"{package.rpartition('.')[2]}_{name}"
    draft.wanted.add(f"from {package} import {name} as {alias}")
    return alias


def _edit(text: str, piece: Piece, edits: Sequence[tuple[ast.expr, str]]) -> str:
    lines = [line.encode() for line in text.splitlines(keepends=True)]
    for node, written in sorted(edits, key=lambda edit: (edit[0].lineno, edit[0].col_offset), reverse=True):
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        before, after = lines[node.lineno - 1][: node.col_offset], lines[node.end_lineno - 1][node.end_col_offset :]
        lines[node.lineno - 1] = before + written.encode() + after
        for number in range(node.lineno, node.end_lineno):
            lines[number] = b""
    return b"".join(lines[piece.first_line - 1 : piece.last_line]).decode()


def _join(draft: Draft) -> str:
    imports = sorted({*draft.imports, *draft.wanted}, key=lambda line: (not line.startswith("import"), line))
    return "\n".join((draft.head, *imports, "", "".join(draft.texts)))


def normalize(project: Project, module: SourceModule, table: Table) -> dict[str, Counter[str]]:
    """Normalize a module: its statements with references told by where they lead, by the modules that they go to."""
    statements: dict[str, Counter[str]] = defaultdict(Counter)
    head, _, pieces = split_pieces(module)
    target = table.modules.get(module.name, module.name)
    statements[target][head.strip()] += bool(head)
    for piece in pieces:
        names = {table.locate(Origin(module.name, name)).module for name in piece.names}
        place = next(iter(names), target)
        origins = {
            id(reference.node): str(table.locate(reference.origin))
            for reference in list_own_references(project, module, piece)
        }
        for node in piece.nodes:
            statements[place][_dump(node, origins)] += 1
    return statements


def _dump(node: object, origins: Mapping[int, str]) -> str:
    if isinstance(node, list):
        return f"[{', '.join(_dump(part, origins) for part in node)}]"
    if not isinstance(node, ast.AST):
        return repr(node)
    if (origin := origins.get(id(node))) is not None:
        return f"<{origin}>"
    fields = ", ".join(f"{name}={_dump(value, origins)}" for name, value in ast.iter_fields(node))
    return f"{type(node).__name__}({fields})"


def compare_trees(before: Project, after: Project, table: Table) -> list[str]:
    """Compare two trees; list the modules whose statements are not those that the table makes of the former ones."""
    expected: dict[str, Counter[str]] = defaultdict(Counter)
    for module in (module for module in before.modules.values() if module.name not in table.removed):
        for name, statements in normalize(before, module, table).items():
            expected[name] += statements
    for name, docstring in table.docstrings.items():
        expected[name][f'"""{docstring}"""'] += 1
    differing = []
    stays = Table({})
    for name in sorted({*expected, *after.modules}):
        now = normalize(after, after.modules[name], stays)[name] if name in after.modules else Counter[str]()
        for statement in expected[name] - now:
            differing.append(f"{name}: gone or changed: {statement[:300]}")
        for statement in now - expected[name]:
            differing.append(f"{name}: new or changed: {statement[:300]}")
    return differing


def list_texts(text: str, table: Table) -> list[str]:
    """List the texts of a module, its docstrings included, that hold an old path, dotted or with slashes."""
    names = [*table.modules, *table.symbols]
    old = re.compile("|".join(rf"\b{re.escape(name)}\b|\b{name.replace('.', '/')}\b" for name in names))
    nodes = (node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Constant))
    return [node.value for node in nodes if isinstance(node.value, str) and old.search(node.value)]


def make(table: Table) -> list[str]:
    """Move what the table names, and write anew what refers to it. Returns what it could not do."""
    texts = {name: (ROOT / name).read_text() for name in list_files()}
    project = Project.from_texts(texts)
    relocation = Relocation(project, table)
    written = relocation.write()
    paths = {name: _find_path(name, project) for name in project.modules}
    for old, new in table.modules.items():
        target = ROOT / (new.replace(".", "/") + ("/__init__.py" if project.modules[old].is_package else ".py"))
        target.parent.mkdir(parents=True, exist_ok=True)
        run_git("mv", str(ROOT / paths[old]), str(target))
        paths[new] = target.relative_to(ROOT).as_posix()
    for name in table.removed:
        run_git("rm", "-qf", str(ROOT / _find_path(name, project)))
    for name, text in written.items():
        path = ROOT / paths.get(name, name.replace(".", "/") + ".py")
        if name in project.modules and text_is_same(project.modules[name], name, table, project):
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return relocation.problems


def text_is_same(module: SourceModule, name: str, table: Table, project: Project) -> bool:
    """Whether a module neither moves nor refers to anything that does."""
    if table.concerns(name) or name in table.symbols.values():
        return False
    return not any(
        (origin := project.resolve(path)) is not None and table.has_moving_references(origin.module)
        for path in module.imports.values()
    )


def _find_path(name: str, project: Project) -> str:
    return name.replace(".", "/") + ("/__init__.py" if project.modules[name].is_package else ".py")


def main(arguments: list[str]) -> int:
    """Make the relocations of a table, or prove that they were all; list texts that hold an old path."""
    table = Table.from_file(Path(arguments[-1]))
    if arguments[0] == "make":
        lines = make(table)
    else:
        after = Project.from_texts({name: (ROOT / name).read_text() for name in list_files()})
        lines = compare_trees(Project.from_texts(read_commit(arguments[1])), after, table)
    texts = [f"{name}: {text!r}" for name in list_files() for text in list_texts((ROOT / name).read_text(), table)]
    sys.stdout.write("\n".join([*lines, "texts that hold an old path:", *texts, ""]))
    return bool(lines)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
