"""Rules of the house as functions over a folder of source: each returns what it finds, nothing if all is well."""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from statistics import median, quantiles

ROOT = Path(__file__).parents[2]
FOLDERS = ("services", "shared", "sandbox", "deploy", "benchmarks", "tests", ".ci")
"""Folders of Python files that are ours."""
SERVICES = ("invoicing", "collections", "entitlements", "escalation")

BACKBONE = {
    "alembic_version",
    "audit_entries",
    "backfill_marks",
    "backfills",
    "consumed",
    "failed_work",
    "idempotency",
    "intents",
    "outbox",
    "parked",
    "published",
    "skipped",
    "stopped",
    "stopped_work",
    "streams",
    "watermarks",
}
"""Tables that every service has, made by shared/persistence/migrations.py and read by raw SQL only."""

LONGEST_FILE = 300
LONGEST_FUNCTION = 40
LONGEST_WIRING = 20

ROOMS = ("domain", "tables", "repository", "use_cases", "api")
"""A module or a package of that name in every service, or in its capabilities if it is cut by them."""
WIRING = ("consumers", "jobs", "service")
"""A module or a package of that name in every service."""

OTHER_CLOCKS = re.compile(
    r"\b(now|clock_timestamp|statement_timestamp|transaction_timestamp|timeofday|utcnow)\s*\("
    r"|\bcurrent_(timestamp|date|time)\b|(?-i:\blocaltime(stamp)?\b|\bLOCALTIME(STAMP)?\b)|\btime\.time(_ns)?\b|'now'::|\b(date|datetime)\.today\b|datetime\.now",
    re.IGNORECASE,
)
"""Sources of the time of day in SQL and in Python, other than the business clock."""

SQL_DEFAULT = re.compile(r"\bserver_default\b|\bserver_onupdate\b|\b(SET|NULL|timestamptz|date)\s+DEFAULT\b")


def run_git(*arguments: str) -> str:
    """Run git on the repository; return what it prints."""
    return subprocess.run(["git", *arguments], cwd=ROOT, check=True, capture_output=True, text=True).stdout


def list_files() -> list[str]:
    """List the Python files that are under version control or new, by path."""
    names = run_git("ls-files", "--cached", "--others", "--exclude-standard", "--", *FOLDERS).splitlines()
    return sorted(name for name in set(names) if name.endswith(".py") and (ROOT / name).exists())


def read_commit(commit: str) -> dict[str, str]:
    """Read the Python files of a commit, by path."""
    names = run_git("ls-tree", "-r", "--name-only", commit, "--", *FOLDERS).splitlines()
    return {name: run_git("show", f"{commit}:{name}") for name in names if name.endswith(".py")}


def sources(folder: Path) -> list[Path]:
    """The Python files beneath a folder that are ours, without migrations."""
    others = {"migrations", "node_modules"}
    if folder.suffix == ".py":
        return [folder]
    return [path for path in sorted(folder.rglob("*.py")) if not others & set(path.parts)]


def list_rooms(service: Path, room: str) -> list[Path]:
    """List the rooms of a name in a service: its own, and those of its capabilities."""
    folders = [service, *sorted(path for path in service.iterdir() if path.is_dir())]
    places = [place for folder in folders for place in (folder / room, folder / f"{room}.py")]
    return [place for place in places if place.exists()]


def missing_rooms(service: Path) -> list[str]:
    """List what every service has and this folder lacks."""
    rooms = [room for room in ROOMS if not list_rooms(service, room)]
    rooms += [room for room in WIRING if not ((service / f"{room}.py").exists() or (service / room).is_dir())]
    files = ("README.md", "__init__.py", "migrations/env.py", "migrations/versions/0001_first_tables.py")
    return rooms + [name for name in files if not (service / name).exists()]


def long_files(folder: Path, limit: int = LONGEST_FILE) -> list[str]:
    """Files of more than so many lines."""
    return [path.name for path in sources(folder) if len(path.read_text().splitlines()) > limit]


def functions(folder: Path) -> Iterator[tuple[str, int]]:
    """Every function beneath a folder and its length in lines, docstring and signature included."""
    for path in sources(folder):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                assert node.end_lineno is not None
                yield f"{path.name}:{node.name}", node.end_lineno - node.lineno + 1


def long_functions(folder: Path) -> list[str]:
    """Functions that nobody takes in at a glance; and `median` or `most` if they are long as a whole."""
    lengths_by_name = dict(functions(folder))
    lengths = list(lengths_by_name.values())
    finds = [name for name, length in lengths_by_name.items() if length > LONGEST_FUNCTION]
    if median(lengths) > 8:
        finds.append("median")
    if len(lengths) > 1 and quantiles(lengths, n=10)[-1] > 20:
        finds.append("most")
    return finds


def other_clocks(folder: Path, *, besides: tuple[str, ...] = ()) -> list[str]:
    """Lines (file:line) that take the time from elsewhere than the business clock, or let SQL fill it in."""
    return [
        f"{path.name}:{number}"
        for path in sorted([*folder.rglob("*.py"), *folder.rglob("*.sql"), *folder.rglob("*.mako")])
        if path.name not in besides
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if OTHER_CLOCKS.search(line) or SQL_DEFAULT.search(line)
    ]


def readers_of_system_time(folder: Path) -> set[str]:
    """Modules that ask for the system's time, which is for leases, back-off, expiry and supervision."""
    return {
        path.relative_to(folder).as_posix()
        for path in sources(folder)
        if re.search(r"\bread_system_clock\b", path.read_text()) and path.name != "clock.py"
    }


def nested_imports(folder: Path) -> list[str]:
    """Imports inside a function (file:line), which hide what a module depends on."""
    return [
        f"{path.name}:{inner.lineno}"
        for path in sources(folder)
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        for inner in ast.walk(node)
        if isinstance(inner, ast.Import | ast.ImportFrom)
    ]


def states_set_by_hand(folder: Path) -> list[str]:
    """Assignments to a `state` (file:line) whose value no function has allowed, such as `check_state_move`."""
    return [
        f"{path.name}:{node.lineno}"
        for path in sources(folder)
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Assign) and not isinstance(node.value, ast.Call)
        if any(isinstance(target, ast.Attribute) and target.attr == "state" for target in node.targets)
    ]


def moves_judged_by_hand(folder: Path) -> list[str]:
    """List the places (file:line) that look a move up in a table of states, where `transition` should."""
    return [
        f"{path.name}:{node.lineno}"
        for path in sources(folder)
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Subscript) and ast.unparse(node.value).endswith("_ALLOWED")
    ]


SQL_OF_ACTORS = re.compile(r"\b(actor|caller|\w+_by)\s*(<>|!=|IS (NOT )?DISTINCT FROM)\s*", re.IGNORECASE)


def actors_compared(folder: Path) -> list[str]:
    """Comparisons (file:line) of whoever acts that `is_same_actor` does not make."""
    finds = []
    for path in sources(folder):
        text = path.read_text()
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Compare) and any(
                isinstance(operator, ast.Eq | ast.NotEq | ast.In) for operator in node.ops
            ):
                names = [getattr(side, "attr", getattr(side, "id", "")) for side in (node.left, *node.comparators)]
                if any(re.fullmatch(r"actor|subject|caller|\w+_by", name) for name in names):
                    finds.append(f"{path.name}:{node.lineno}")
        finds += [f"{path.name}:{n}" for n, line in enumerate(text.splitlines(), 1) if SQL_OF_ACTORS.search(line)]
    return finds


def list_undocumented(folder: Path) -> list[str]:
    """Public modules, classes and functions without a docstring; members of a protocol need none."""
    finds = []
    for path in sources(folder):
        tree = ast.parse(path.read_text())
        if tree.body and ast.get_docstring(tree) is None:
            finds.append(path.name)
        finds += [f"{path.name}:{name}" for name in _find_undocumented(tree, "")]
    return finds


def _find_undocumented(parent: ast.Module | ast.ClassDef, prefix: str) -> Iterator[str]:
    for node in parent.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and node.name[0] != "_":
            if ast.get_docstring(node) is None and not _is_declaration(node):
                yield prefix + node.name
            if isinstance(node, ast.ClassDef):
                yield from _find_undocumented(node, f"{prefix}{node.name}.")


def _is_declaration(node: ast.stmt) -> bool:
    """Whether it is a member of a protocol, whose docstring speaks for it: a body of `...`."""
    body = getattr(node, "body", [])
    return len(body) == 1 and isinstance(body[0], ast.Expr) and ast.unparse(body[0]) == "..."


def undrawn(readme: str, allowed: dict[str, frozenset[str]]) -> set[tuple[str, str]]:
    """Moves that a table allows and the README's state diagrams do not draw, or draw and no table allows.

    With several diagrams, each is held against the table whose states it names.
    """
    diagrams = [re.findall(r"^ *(\w+) --> (\w+)", block, re.MULTILINE) for block in readme.split("```")]
    drawn = {move for moves in diagrams if all(before in allowed for before, _ in moves) for move in moves}
    return drawn ^ {(before, after) for before, afters in allowed.items() for after in afters}
