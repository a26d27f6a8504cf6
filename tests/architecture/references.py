"""References of modules to each other: where imported names, and chains of attributes that begin with one, lead.

A reference is told by the dotted name of the module and the symbol that it ends at, through all re-exports.
"""

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

Scope = (
    ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
)
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a name comes from: a module, and a symbol in it unless it is the module itself."""

    module: str
    symbol: str = ""

    def __str__(self) -> str:
        return f"{self.module}.{self.symbol}" if self.symbol else self.module


@dataclass(frozen=True, slots=True)
class Reference:
    """An expression that names something imported: a name, or a chain of attributes up to the symbol."""

    node: ast.expr
    chain: tuple[str, ...]
    """The names as they are written: `use_cases`, `payments`, `record_payment`."""
    origin: Origin


@dataclass
class SourceModule:
    """A module's text with its imports."""

    name: str
    text: str
    is_package: bool = False

    @cached_property
    def tree(self) -> ast.Module:
        """Its syntax tree."""
        return ast.parse(self.text)

    @cached_property
    def imports(self) -> dict[str, str]:
        """The names that it imports, anywhere in it, with the dotted paths that they stand for."""
        paths: dict[str, str] = {}
        for node in ast.walk(self.tree):
            if isinstance(node, ast.ImportFrom) and node.module:
                paths |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
            elif isinstance(node, ast.Import):
                for alias in node.names:
                    paths[alias.asname or alias.name.partition(".")[0]] = (alias.asname and alias.name) or (
                        alias.name.partition(".")[0]
                    )
        return paths

    @cached_property
    def symbols(self) -> list[str]:
        """The names that it defines at its top, in their order."""
        return [name for statement in self.tree.body for name in list_defined(statement)]


def list_defined(statement: ast.stmt) -> list[str]:
    """List the names that a statement at the top of a module defines."""
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return [statement.name]
    targets: Sequence[ast.expr] = ()
    if isinstance(statement, ast.Assign):
        targets = statement.targets
    elif isinstance(statement, ast.AnnAssign | ast.AugAssign):
        targets = [statement.target]
    return [node.id for target in targets for node in ast.walk(target) if isinstance(node, ast.Name)]


class Project:
    """The modules of a tree, by their dotted names."""

    def __init__(self, modules: Mapping[str, SourceModule]) -> None:
        self.modules = modules

    @classmethod
    def from_texts(cls, texts: Mapping[str, str]) -> "Project":
        """Make modules from texts by path."""
        modules = {}
        for path, text in texts.items():
            name = path.removesuffix(".py").replace("/", ".")
            is_package = name.endswith(".__init__")
            name = name.removesuffix(".__init__")
            modules[name] = SourceModule(name, text, is_package)
        return cls(modules)

    def resolve(self, path: str) -> Origin | None:
        """Resolve a dotted path through re-exports; None if it is no module of the tree, nor in one."""
        parts = path.split(".")
        for count in range(len(parts), 0, -1):
            name = ".".join(parts[:count])
            if (module := self.modules.get(name)) is None:
                continue
            if count == len(parts):
                return Origin(name)
            symbol, rest = parts[count], parts[count + 1 :]
            if symbol in module.symbols:
                return Origin(name, symbol)
            if (imported := module.imports.get(symbol)) is not None:
                return self.resolve(".".join((imported, *rest)))
            return Origin(name, symbol)
        return None

    def visit(self, module: SourceModule, node: ast.AST) -> Iterator[Reference]:
        """List what a statement at the top of a module refers to."""
        yield from self._visit(module, node, frozenset())

    def _visit(self, module: SourceModule, node: ast.AST, shadowed: frozenset[str]) -> Iterator[Reference]:
        if isinstance(node, _SCOPES):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield from self._visit_outside(module, node, shadowed)
                inner = shadowed | list_bound(node)
                for statement in node.body:
                    yield from self._visit(module, statement, inner)
                return
            shadowed |= list_bound(node)
        chain = read_chain(node)
        if chain is not None:
            reference = self._refer(module, chain, shadowed)
            if reference is not None:
                yield reference
            return
        for child in ast.iter_child_nodes(node):
            yield from self._visit(module, child, shadowed)

    def _visit_outside(
        self, module: SourceModule, node: ast.FunctionDef | ast.AsyncFunctionDef, shadowed: frozenset[str]
    ) -> Iterator[Reference]:
        """Visit what of a function is evaluated outside of it: decorators, defaults, annotations."""
        for part in (*node.decorator_list, node.args, *([node.returns] if node.returns else [])):
            yield from self._visit(module, part, shadowed)

    def _refer(self, module: SourceModule, chain: list[ast.expr], shadowed: frozenset[str]) -> Reference | None:
        names = [node.id if isinstance(node, ast.Name) else node.attr for node in chain]  # type: ignore[attr-defined]
        imported = module.imports.get(names[0])
        if imported is None or names[0] in shadowed or not isinstance(chain[0].ctx, ast.Load):  # type: ignore[attr-defined]
            return None
        reference = None
        for count in range(1, len(names) + 1):
            origin = self.resolve(".".join((imported, *names[1:count])))
            if origin is None:
                return None
            reference = Reference(chain[count - 1], tuple(names[:count]), origin)
            if origin.symbol:
                break
        return reference


def read_chain(node: ast.AST) -> list[ast.expr] | None:
    """Read a chain of attributes that begins with a name, from the name outwards."""
    chain: list[ast.expr] = []
    while isinstance(node, ast.Attribute):
        chain.append(node)
        node = node.value
    if not isinstance(node, ast.Name):
        return None
    return [node, *reversed(chain)]


def list_bound(scope: ast.AST) -> frozenset[str]:
    """List the names that a function, a lambda or a comprehension binds itself."""
    names = set()
    if isinstance(scope, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
        arguments = scope.args
        every = (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg)
        names |= {argument.arg for argument in every if argument is not None}
    waiting: list[ast.AST] = list(ast.iter_child_nodes(scope))
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
            continue
        if not isinstance(node, _SCOPES):
            waiting += ast.iter_child_nodes(node)
    return frozenset(names)
