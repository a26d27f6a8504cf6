"""Mutate the pure code, run the unit tests that call it, and show what none of them noticed.

`python -m tests.mutation [FILE...] [--changed] [--seconds N]`
"""

import argparse
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.mutation.equivalents import LIST, list_stale, list_survivors, read_equivalents
from tests.mutation.mutant_runs import KILLED, NOT_TRIED, Mutant, run_mutants
from tests.mutation.workplace import ROOT, group_by_unit_tests, list_pure_files, list_unit_tests, make_workplace

WORKPLACE = ROOT / ".local/mutants"


def list_changed_files(pure: list[str]) -> list[str]:
    """List the files, of those that are mutated, that differ from where the branch began."""
    base = _run_git("merge-base", "HEAD", "main").strip()
    changed = _run_git("diff", "--name-only", base).splitlines()
    return [file for file in pure if file in changed]


def _run_git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=ROOT, check=True, capture_output=True, text=True).stdout


def choose_files(pure: list[str], arguments: list[str]) -> list[str]:
    """Choose the files that are named, or lie in folders that are; all if none is. Raises ValueError."""
    places = [Path(argument) for argument in arguments]
    files = [file for file in pure if not places or any(Path(file).is_relative_to(place) for place in places)]
    if not files:
        raise ValueError(f"nothing to mutate in {arguments}")
    return files


def render_table(mutants: list[Mutant], survivors: list[Mutant]) -> Table:
    """Render how many mutants of each file were killed, survived, and ran out of time."""
    table = Table("file", "mutants", "killed", "timed out", "equivalent", "survived", "not tried")
    surviving = Counter(mutant.file for mutant in survivors)
    states = Counter((mutant.file, mutant.state) for mutant in mutants)
    for file, count in sorted(Counter(mutant.file for mutant in mutants).items()):
        killed, late, untried = (states[file, state] for state in (*KILLED, NOT_TRIED))
        equivalent = count - killed - late - untried - surviving[file]
        table.add_row(file, *map(str, (count, killed, late, equivalent, surviving[file], untried)))
    table.add_row("all", str(len(mutants)), *[""] * 3, str(len(survivors)), "")
    return table


def main() -> int:
    """Run the command; return 1 if something survived or an entry of the list is stale."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description="mutate the pure code")
    parser.add_argument("files", nargs="*", help="files or folders; all pure code if none is named")
    parser.add_argument("--changed", action="store_true", help="only what differs from the merge base with main")
    parser.add_argument("--seconds", type=float, help="when to end, done or not")
    options = parser.parse_args()
    console, began = Console(width=160, soft_wrap=True, highlight=False), time.monotonic()
    pure = list_pure_files(ROOT)
    files = list_changed_files(pure) if options.changed else choose_files(pure, options.files)
    equivalents = read_equivalents(LIST)
    mutants: list[Mutant] = []
    for mirrored, group in group_by_unit_tests(ROOT, files).items():
        seconds = max(options.seconds - (time.monotonic() - began), 1) if options.seconds else None
        make_workplace(ROOT, WORKPLACE, list_unit_tests(ROOT, mirrored, group), group)
        tried = run_mutants(WORKPLACE, group, seconds)
        for mutant in list_survivors(tried, equivalents):
            console.print(f"{mutant.file} {mutant.function}: {mutant.state}\n{mutant.diff}\n", markup=False)
        mutants += tried
    survivors = list_survivors(mutants, equivalents)
    stale = [] if options.seconds else list_stale(mutants, equivalents, set(files))
    console.print(render_table(mutants, survivors))
    for entry in stale:
        console.print(f"no surviving mutant is this one: {entry}", markup=False)
    return 1 if survivors or stale else 0


if __name__ == "__main__":
    sys.exit(main())
