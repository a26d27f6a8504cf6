"""Rows whose values a statement takes by their places, where it should take the fields of a NamedTuple."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.architecture.source import sources

MAX_PLACES = 9
"""So many values a reader still counts."""
_HIGH_PLACEHOLDER = re.compile(r"\$[1-9]\d")
_RUNNERS = frozenset({"execute", "executemany", "fetch", "fetchrow", "fetchval"})


def list_positional_rows(folder: Path) -> list[str]:
    """List the places (file:line) where ten or more values of a statement are counted by hand.

    That is a placeholder of two digits in a text, an argument of that place in the call that runs a statement, columns
    that are split by a number, or a tuple of so many values that are not all constant.
    """
    return [
        f"{path.name}:{line}"
        for path in sources(folder)
        for line in sorted(set(_find_positional_lines(ast.parse(path.read_text()))))
    ]


def _find_positional_lines(tree: ast.Module) -> Iterator[int]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant | ast.Call) and _counts_by_hand(node):
            yield node.lineno
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from (inner.lineno for inner in ast.walk(node) if isinstance(inner, ast.Tuple) and _is_row(inner))


def _is_row(node: ast.Tuple) -> bool:
    if len(node.elts) <= MAX_PLACES:
        return False
    has_parts = any(isinstance(value, ast.Tuple) for value in node.elts)
    return isinstance(node.ctx, ast.Load) and not has_parts and not all(map(_is_constant, node.elts))


def _is_constant(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant)


def _counts_by_hand(node: ast.Constant | ast.Call) -> bool:
    if isinstance(node, ast.Constant):
        return isinstance(node.value, str) and _HIGH_PLACEHOLDER.search(node.value) is not None
    return _is_counted_call(node)


def _is_counted_call(call: ast.Call) -> bool:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    if name == "split_into_columns":
        width = call.args[-1]
        return isinstance(width, ast.Constant) and isinstance(width.value, int) and width.value > MAX_PLACES
    values = [argument for argument in call.args[1:] if not isinstance(argument, ast.Starred)]
    return name in _RUNNERS and len(values) > MAX_PLACES
