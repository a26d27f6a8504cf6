"""A copy of the repository in which mutmut works: it writes mutated modules over those that tests import."""

import re
import shutil
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).parents[2]
PURE = ("services/*/domain", "services/invoicing/*/domain", "shared/pure")
"""Folders or modules that are mutated."""
NOT_MUTATED = ("shared/pure/fields.py",)
"""Its functions run while modules are imported, before mutmut chooses a mutant."""
COPIED = ("services", "shared", "deploy", "sandbox", "tests", "docs")

CACHE = re.compile(r"^[ \t]*@lru_cache\b.*\n", re.MULTILINE)
"""Left out of the copy: mutmut mutates no decorated function, and a cache changes no answer."""

PROPERTIES_LAST = """
def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: hasattr(getattr(item, "obj", None), "hypothesis"))
"""
"""A conftest of the copy: most mutants are killed by an example, before any property is tried."""

CONFIGURATION = """
[tool.mutmut]
source_paths = {paths}
only_mutate = {paths}
do_not_mutate_patterns = ['''^\\s*raise [A-Z]\\w*\\(f?["']''']
pytest_add_cli_args = ["-p", "no:randomly"]
pytest_add_cli_args_test_selection = {tests}
also_copy = {copied}
"""
"""Texts of errors are not mutated: no test holds their words."""


def list_pure_files(root: Path) -> list[str]:
    """List the files that are mutated, by path."""
    places = [place for pattern in PURE for place in (*root.glob(pattern), *root.glob(f"{pattern}.py"))]
    files = [path for place in places for path in (place.rglob("*.py") if place.is_dir() else [place])]
    names = {path.relative_to(root).as_posix() for path in files if path.name != "__init__.py"}
    return sorted(names.difference(NOT_MUTATED))


def find_mirrored_folder(root: Path, file: str) -> str:
    """Find the narrowest folder of unit tests that mirrors a file."""
    mirrored = Path("tests/unit", *(part for part in Path(file).with_suffix("").parts if part != "services"))
    return next(folder for folder in (mirrored, *mirrored.parents) if (root / folder).is_dir()).as_posix()


def group_by_unit_tests(root: Path, files: Iterable[str]) -> dict[str, list[str]]:
    """Group files by the folder of their unit tests."""
    groups: dict[str, list[str]] = {}
    for file in files:
        groups.setdefault(find_mirrored_folder(root, file), []).append(file)
    return groups


def list_unit_tests(root: Path, mirrored: str, files: Iterable[str]) -> list[str]:
    """List the tests of files: their folder, and modules elsewhere that name one; mutmut picks those that call it."""
    paths = [Path(file).with_suffix("") for file in files]
    modules = re.compile("|".join(rf"{'.'.join(path.parts[:-1])}(\.| import .*\b){path.name}\b" for path in paths))
    others = (path for path in sorted((root / "tests/unit").rglob("test_*.py")) if modules.search(path.read_text()))
    names = (path.relative_to(root) for path in others)
    return [mirrored, *(name.as_posix() for name in names if not name.is_relative_to(mirrored))]


def make_workplace(root: Path, folder: Path, tests: list[str], files: list[str]) -> None:
    """Make the copy anew in a folder, with the configuration of mutmut for these files."""
    shutil.rmtree(folder, ignore_errors=True)
    for name in COPIED:
        if (root / name).is_dir():
            shutil.copytree(root / name, folder / name, ignore=shutil.ignore_patterns("node_modules", "__pycache__"))
    for file in files:
        path = folder / file
        path.write_text(CACHE.sub("", path.read_text()))
    settings = CONFIGURATION.format(paths=files, tests=tests, copied=[*COPIED, "conftest.py"])
    (folder / "conftest.py").write_text(PROPERTIES_LAST)
    (folder / "pyproject.toml").write_text((root / "pyproject.toml").read_text() + settings)
