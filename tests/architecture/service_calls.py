"""Calls of one service by another, read from the adapters: path, request, answer; and what is written otherwise."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from pydantic import BaseModel

from tests.architecture.source import ROOT, sources

CONTRACTS = "shared.contracts."
OPENING = "adapters/__init__.py"
"""Module of a service that opens what speaks to other services."""
CLIENT_CLASSES = frozenset({"ServiceClient", "ServiceClients"})


class UntypedCall(Exception):
    """A call of another service is not written by the rules, so nobody knows its contract."""


@dataclass(frozen=True, slots=True)
class ServiceCall:
    """Call of a method of an adapter; `{}` stands in the path for what is put in."""

    name: str
    audience: str
    method: str
    path: str
    query: tuple[str, ...]
    has_key: bool
    body: type[BaseModel] | None
    answer: type[BaseModel] | None

    @property
    def operation(self) -> str:
        """Method and path."""
        return f"{self.method} {self.path}"


def find_stray_clients(service: Path) -> list[str]:
    """Find the lines (file:line) that use clients of services other than to open an adapter."""
    strays = []
    for path in sources(service):
        tree = ast.parse(path.read_text())
        is_opening = path == service / OPENING
        allowed = {id(node) for _, _, node in _list_openings(tree)} if is_opening else set()
        strays += [
            f"{path.relative_to(service)}:{node.lineno}"
            for node in ast.walk(tree)
            if (isinstance(node, ast.Attribute) and node.attr == "clients" and id(node) not in allowed)
            or (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in CLIENT_CLASSES)
        ]
    return strays


def _list_openings(tree: ast.Module) -> Iterator[tuple[str, str, ast.Attribute]]:
    """List the adapters that are opened: class, audience, and where the clients stand."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(
                func=ast.Name(id=name),
                args=[
                    ast.Subscript(
                        value=ast.Attribute(attr="clients") as clients, slice=ast.Constant(value=str(audience))
                    )
                ],
            ):
                yield name, audience, clients


def list_service_calls(service: Path) -> list[ServiceCall]:
    """List the calls that a service makes. Raises UntypedCall."""
    if not (service / OPENING).exists():
        return []
    tree = ast.parse((service / OPENING).read_text())
    modules = {
        alias.asname or alias.name: statement.module.rpartition(".")[2]
        for statement in tree.body
        if isinstance(statement, ast.ImportFrom) and statement.module
        for alias in statement.names
    }
    calls = []
    for name, audience, _ in _list_openings(tree):
        calls += AdapterReader(service / "adapters" / f"{modules[name]}.py", audience).list_calls(name)
    return calls


class AdapterReader:
    """Module of an adapter, whose classes have one call in each method."""

    def __init__(self, path: Path, audience: str) -> None:
        self._audience = audience
        self._module = path.stem
        self._tree = ast.parse(path.read_text())
        self._contracts = {
            alias.asname or alias.name: f"{statement.module}.{alias.name}"
            for statement in self._tree.body
            if isinstance(statement, ast.ImportFrom) and (statement.module or "").startswith(CONTRACTS)
            for alias in statement.names
        }

    def list_calls(self, class_name: str) -> list[ServiceCall]:
        """List the calls of a class. Raises UntypedCall."""
        [adapter] = [node for node in self._tree.body if isinstance(node, ast.ClassDef) and node.name == class_name]
        if adapter.bases:
            raise UntypedCall(f"{class_name}: its calls stand in its own class")
        methods = [node for node in adapter.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
        return [self._read_call(class_name, method) for method in methods if method.name != "__init__"]

    def _read_call(self, class_name: str, method: ast.FunctionDef | ast.AsyncFunctionDef) -> ServiceCall:
        name = f"{class_name}.{method.name}"
        uses = [node for node in ast.walk(method) if _is_client(node)]
        calls = [
            node
            for node in ast.walk(method)
            if isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in ("get", "post")
            and _is_client(node.func.value)
        ]
        if len(uses) != 1 or len(calls) != 1:
            raise UntypedCall(f"{name}: a method makes one call")
        [call] = calls
        path, _, query = render_path(call.args[0], list_assigned(method)).partition("?")
        assert isinstance(call.func, ast.Attribute)
        return ServiceCall(
            name=name,
            audience=self._audience,
            method=call.func.attr.upper(),
            path=path,
            query=tuple(part.partition("=")[0] for part in query.split("&") if part),
            has_key=any(keyword.arg == "key" for keyword in call.keywords),
            body=self._find_body(name, method, call),
            answer=self._find_answer(name, method, call),
        )

    def _find_body(
        self, name: str, method: ast.FunctionDef | ast.AsyncFunctionDef, call: ast.Call
    ) -> type[BaseModel] | None:
        if not call.args[1:]:
            return None
        annotations = {argument.arg: argument.annotation for argument in method.args.args}
        match call.args[1:]:
            case [ast.Call(func=ast.Name(id="serialize_request"), args=[ast.Name(id=body)])]:
                return self._load_contract(name, annotations.get(body))
        raise UntypedCall(f"{name}: a body is serialize_request of a parameter")

    def _find_answer(
        self, name: str, method: ast.FunctionDef | ast.AsyncFunctionDef, call: ast.Call
    ) -> type[BaseModel] | None:
        match method.returns:
            case ast.Constant(value=None):
                if any(isinstance(node, ast.Expr) and _is_awaited(node.value, call) for node in method.body):
                    return None
                raise UntypedCall(f"{name}: it keeps an answer and returns none")
        contract = self._load_contract(name, method.returns)
        match method.body[-1]:
            case ast.Return(value=ast.Call(func=ast.Name(id="parse_answer"), args=[ast.Name(id=parsed), _])):
                if parsed == contract.__name__:
                    return contract
        raise UntypedCall(f"{name}: it does not return what parse_answer makes of its contract")

    def _load_contract(self, name: str, annotation: ast.expr | None) -> type[BaseModel]:
        if not isinstance(annotation, ast.Name) or annotation.id not in self._contracts:
            raise UntypedCall(
                f"{name}: no class of shared/contracts for {ast.unparse(annotation) if annotation else ''}"
            )
        module, _, contract_name = self._contracts[annotation.id].rpartition(".")
        contract: type[BaseModel] = getattr(import_module(module), contract_name)
        return contract


def _is_client(node: ast.AST) -> bool:
    return isinstance(node, ast.Attribute) and node.attr == "_client"


def _is_awaited(node: ast.expr, call: ast.Call) -> bool:
    return isinstance(node, ast.Await) and node.value is call


def list_assigned(function: ast.FunctionDef | ast.AsyncFunctionDef) -> dict[str, ast.expr]:
    """List what the names of a function are assigned."""
    return {
        target.id: node.value
        for node in ast.walk(function)
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }


def render_path(node: ast.expr, assigned: dict[str, ast.expr]) -> str:
    """Render the longest path that an expression makes, with `{}` for what is put in."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(render_path(part, assigned) for part in parts)
        case ast.FormattedValue(value=inner):
            return render_path(inner, assigned)
        case ast.IfExp(body=body, orelse=orelse):
            return max(render_path(body, assigned), render_path(orelse, assigned), key=len)
        case ast.Name(id=name) if name in assigned:
            return render_path(assigned[name], assigned)
    return "{}"


def list_all_calls(services: tuple[str, ...]) -> list[tuple[str, ServiceCall]]:
    """List the calls of services with who makes them. Raises UntypedCall."""
    return [(name, call) for name in services for call in list_service_calls(ROOT / "services" / name)]
