"""A module as a sequence of marks: its structure and its names apart, imports resolved to what they name."""

import ast
from collections.abc import Iterable, Iterator
from typing import NamedTuple


class Mark(NamedTuple):
    """One mark of a module: a part of its structure, which must stay, or a name, which may change."""

    kind: str
    text: str
    scope: int = 0
    line: int = 0


class Scope:
    """Names that a module, a class, a function or a comprehension binds."""

    def __init__(self, number: int, path: str | None, outer: "Scope | None", names: Iterable[str]) -> None:
        self.number, self.path, self.outer = number, path, outer
        self.names = set(names)
        self.imports: dict[str, str] = {}

    def find(self, name: str) -> "Scope | None":
        """Find the scope that binds a name, as Python does: what a class binds is not seen by its functions."""
        scope: Scope | None = self
        while scope and name not in scope.names:
            scope = scope.outer
            while scope and scope.path and scope.outer:
                scope = scope.outer
        return scope


def _bind_names(nodes: Iterable[ast.AST]) -> Iterator[str]:
    """List the names that a block binds in its own scope."""
    for node in nodes:
        match node:
            case ast.Name(id=name, ctx=ast.Store() | ast.Del()) | ast.arg(arg=name):
                yield name
            case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
                yield name
            case ast.MatchMapping(rest=str(name)):
                yield name
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp):
            yield from (part.target.id for part in ast.walk(node) if isinstance(part, ast.NamedExpr))
        elif not isinstance(node, ast.Lambda):
            yield from _bind_names(ast.iter_child_nodes(node))


class Marks(ast.NodeVisitor):
    """Writes a module as marks."""

    def __init__(self, module: str) -> None:
        self.marks: list[Mark] = []
        self._module, self._line, self._count = module, 0, 0
        self._scope = Scope(0, module, None, ())

    def _mark(self, kind: str, text: object, scope: int = 0) -> None:
        self.marks.append(Mark(kind, str(text), scope, self._line))

    def _enter(self, path: str | None, names: Iterable[str]) -> Scope:
        self._count += 1
        self._scope = Scope(self._count, path, self._scope if self._count > 1 else None, names)
        return self._scope

    def _name(self, name: str, scope: Scope | None = None) -> None:
        bound = self._scope.find(name) if scope is None else scope
        if bound is None:
            self._mark("structure", name)
        elif name in bound.imports:
            self._mark("path", bound.imports[name])
        elif bound.path:
            self._mark("path", f"{bound.path}.{name}")
        else:
            self._mark("variable", name, bound.number)

    def generic_visit(self, node: ast.AST) -> None:
        """Mark what a node is, and all its parts in their order."""
        self._line = getattr(node, "lineno", self._line)
        self._mark("structure", type(node).__name__)
        for field, value in ast.iter_fields(node):
            self._part(field, value)

    def _part(self, field: str, value: object) -> None:
        if isinstance(value, list):
            parts = (
                [part for part in value if not _is_idle(part)] if field in ("body", "orelse", "finalbody") else value
            )
            self._mark("structure", f"{field} {len(parts)}")
            for part in parts:
                self._part(field, part)
        elif isinstance(value, ast.AST):
            self.visit(value)
        elif isinstance(value, str) and field in ("name", "rest", "names", "id"):
            self._name(value)
        elif isinstance(value, str) and field in ("attr", "kwd_attrs"):
            self._mark("attribute", value)
        elif field not in ("type_comment", "kind"):
            self._mark("structure", f"{field} {value!r}")

    def visit_Module(self, node: ast.Module) -> None:
        """Mark a module; imports that nothing uses come last."""
        self._enter(self._module, _bind_names(node.body))
        self._bind_imports(ast.walk(node))
        self._part("body", node.body)
        used = {mark.text for mark in self.marks if mark.kind == "path"}
        for path in sorted(self._scope.imports.values()):
            if not any(text == path or text.startswith(f"{path}.") for text in used):
                self._mark("listed name", path)

    def _bind_imports(self, nodes: Iterable[ast.AST]) -> None:
        for node in nodes:
            if isinstance(node, ast.ImportFrom):
                self._scope.imports |= {a.asname or a.name: f"{node.module or ''}.{a.name}" for a in node.names}
            elif isinstance(node, ast.Import):
                names = {a.asname or a.name.partition(".")[0]: a for a in node.names}
                self._scope.imports |= {name: a.name if a.asname else name for name, a in names.items()}
        self._scope.names |= set(self._scope.imports)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        """Mark a class, whose members are a scope of their own."""
        self._name(node.name)
        self._mark("structure", "class")
        for field in ("decorator_list", "bases", "keywords"):
            self._part(field, getattr(node, field))
        outer, path = self._scope, self._scope.path or f"{self._module}.<{self._scope.number}>"
        self._enter(f"{path}.{node.name}", _bind_names(node.body))
        self._part("body", node.body)
        self._scope = outer

    def _visit_function(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> None:
        arguments = node.args
        every = [*arguments.posonlyargs, *arguments.args, arguments.vararg, *arguments.kwonlyargs, arguments.kwarg]
        self._mark("structure", f"{type(node).__name__} {[argument is not None for argument in every]}")
        counts = (len(arguments.posonlyargs), len(arguments.args), len(arguments.kwonlyargs))
        self._mark("structure", counts)
        block: list[ast.AST] = [node.body] if isinstance(node, ast.Lambda) else list(node.body)
        if not isinstance(node, ast.Lambda):
            self._name(node.name)
            self._part("decorator_list", node.decorator_list)
            self._part("returns", node.returns)
        self._part("defaults", [*arguments.defaults, *arguments.kw_defaults])
        self._part("annotations", [argument.annotation for argument in every if argument])
        outer = self._scope
        bound = {argument.arg for argument in every if argument} | set(_bind_names(block))
        shared = {name for part in ast.walk(node) if isinstance(part, ast.Global | ast.Nonlocal) for name in part.names}
        scope = self._enter(None, bound - shared)
        for argument in every:
            if argument:
                self._mark("argument", argument.arg, scope.number)
        self._part("body", block)
        self._scope = outer

    visit_FunctionDef = visit_AsyncFunctionDef = visit_Lambda = _visit_function

    def _visit_comprehension(self, node: ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp) -> None:
        self._mark("structure", type(node).__name__)
        self.visit(node.generators[0].iter)
        outer, targets = self._scope, [generator.target for generator in node.generators]
        self._enter(None, _bind_names(targets))
        for number, generator in enumerate(node.generators):
            self.visit(generator.target)
            self._part("ifs", generator.ifs)
            self._mark("structure", generator.is_async)
            if number:
                self.visit(generator.iter)
        for part in (node.key, node.value) if isinstance(node, ast.DictComp) else (node.elt,):
            self.visit(part)
        self._scope = outer

    visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = _visit_comprehension

    def visit_Attribute(self, node: ast.Attribute) -> None:
        """Mark a chain that begins with an import or a class as one path, others as the attributes of a value."""
        self._line = node.lineno
        parts, value = [node.attr], node.value
        while isinstance(value, ast.Attribute):
            parts, value = [value.attr, *parts], value.value
        bound = self._scope.find(value.id) if isinstance(value, ast.Name) else None
        if isinstance(value, ast.Name) and bound and bound.path:
            self._mark("structure", type(node.ctx).__name__)
            path = bound.imports.get(value.id, f"{bound.path}.{value.id}")
            self._mark("path", ".".join([path, *parts]))
            return
        self._mark("structure", f"Attribute {type(node.ctx).__name__}")
        self._mark("stored attribute" if isinstance(node.ctx, ast.Store) else "attribute", node.attr)
        self.visit(node.value)

    def visit_Name(self, node: ast.Name) -> None:
        """Mark a name; whether it is read or written stays."""
        self._line = node.lineno
        self._mark("structure", type(node.ctx).__name__)
        self._name(node.id)

    def visit_keyword(self, node: ast.keyword) -> None:
        """Mark a keyword of a call or of a class."""
        self._mark("keyword" if node.arg else "structure", node.arg)
        self.visit(node.value)

    def visit_Assign(self, node: ast.Assign) -> None:
        """Mark an assignment; the names that a module exports are marked apart, as their order is that of the names."""
        if not (isinstance(node.value, ast.List) and ast.unparse(node.targets[0]) == "__all__"):
            self.generic_visit(node)
            return
        for part in node.value.elts:
            name = ast.unparse(part).strip("'")
            self._mark("listed name", self._scope.imports.get(name, f"{self._module}.{name}"))

    def visit_Constant(self, node: ast.Constant) -> None:
        """Mark a value; a text may hold names."""
        self._line = node.lineno
        self._mark("text" if isinstance(node.value, str) else "structure", repr(node.value))


def _is_idle(node: object) -> bool:
    """Whether a statement does nothing, as docstrings do, or is an import, which is resolved where it is used."""
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Constant)
    return isinstance(node, ast.Import | ast.ImportFrom | ast.Pass)


def mark_module(text: str, module: str) -> list[Mark]:
    """Write a module as marks."""
    marks = Marks(module)
    marks.visit(ast.parse(text))
    return marks.marks
