"""Use of tables by the SQL in a capability of invoicing: who owns them, who reads and who writes them."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_STATEMENT = re.compile(r"\b(SELECT|INSERT|UPDATE|DELETE|COPY|FROM|JOIN)\b")
_READ = re.compile(r"\b(?:FROM|JOIN)\s+(?:ONLY\s+)?(?:invoicing\.)?(\w+)")
_WRITE = re.compile(r"\b(?:INTO|UPDATE|DELETE\s+FROM|COPY)\s+(?:ONLY\s+)?(?:invoicing\.)?(\w+)")
_OWNED = re.compile(r"^\*\*Tables\*\*: (.+)\.$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class TableUse:
    """Use of a table by a module, told by its path in the service."""

    module: str
    table: str
    is_write: bool

    @property
    def capability(self) -> str:
        """The capability that the module belongs to."""
        return self.module.partition("/")[0]


def read_owners(service: Path) -> dict[str, str]:
    """Read from the READMEs of capabilities which of them owns a table. Raises ValueError if two own one."""
    owners: dict[str, str] = {}
    for readme in sorted(service.glob("*/README.md")):
        (tables,) = _OWNED.findall(readme.read_text())
        for table in re.findall(r"`(\w+)`", tables):
            if table in owners:
                raise ValueError(f"{table} is owned by {owners[table]} and by {readme.parent.name}")
            owners[table] = readme.parent.name
    return owners


def list_statements(text: str) -> Iterator[str]:
    """List the texts of a module that look like SQL; what is put into one is left blank."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.JoinedStr):
            parts = (part.value if isinstance(part, ast.Constant) else " _ " for part in node.values)
            statement = "".join(map(str, parts))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            statement = node.value
        else:
            continue
        if _STATEMENT.search(statement):
            yield statement


def list_uses(service: Path, owners: dict[str, str]) -> set[TableUse]:
    """List which modules of the capabilities read and write tables that somebody owns."""
    uses = set()
    for path in sorted(service.glob("*/**/*.py")):
        module = path.relative_to(service).as_posix()
        if module.startswith("migrations/"):
            continue
        for statement in list_statements(path.read_text()):
            for pattern, is_write in ((_READ, False), (_WRITE, True)):
                tables = {table for table in pattern.findall(statement) if table in owners}
                uses |= {TableUse(module, table, is_write) for table in tables}
    return uses


def list_foreign_writes(uses: set[TableUse], owners: dict[str, str]) -> dict[str, set[str]]:
    """List the tables that modules write and do not own, or write outside of a repository."""
    foreign: dict[str, set[str]] = {}
    for use in uses:
        is_repository = "/repository" in use.module
        if use.is_write and (owners[use.table] != use.capability or not is_repository):
            foreign.setdefault(use.module, set()).add(use.table)
    return foreign


def list_upward_reads(uses: set[TableUse], owners: dict[str, str], order: list[str]) -> dict[str, set[str]]:
    """List the tables that modules read and whose owners stand above them; `order` has the highest first."""
    upward: dict[str, set[str]] = {}
    for use in uses:
        if not use.is_write and order.index(owners[use.table]) < order.index(use.capability):
            upward.setdefault(use.module, set()).add(use.table)
    return upward
