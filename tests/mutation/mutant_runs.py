"""Runs of mutmut in a workplace, and what they say of each mutant."""

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from mutmut.mutation.diff_apply import get_diff_for_mutant
from mutmut.stats import status_by_exit_code

KILLED = ("killed", "timeout")
"""States of a mutant that a test has noticed: one that runs for ever is noticed too."""

NOT_TRIED = "not checked"
"""State of a mutant for which the time did not suffice."""


class MutationRunFailed(Exception):
    """Mutmut gave up: a unit test fails without any mutation, or nothing can be mutated."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """A changed function, and what the tests said of it."""

    file: str
    function: str
    state: str
    """In mutmut's words: killed, timeout, survived, no tests, suspicious, segfault, not checked."""
    removed: str
    """The lines that it lacks, without indentation; empty if it was killed."""
    added: str
    diff: str


def run_mutants(folder: Path, files: list[str], seconds: float | None = None) -> list[Mutant]:
    """Run mutmut, one process, for at most so many seconds; return the mutants. Raises MutationRunFailed."""
    environment = os.environ | {"HYPOTHESIS_PROFILE": "mutants"}
    command = [sys.executable, "-m", "mutmut", "run", "--max-children", "1"]
    log = folder / "mutmut.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        )
        try:
            code = process.wait(seconds)
        except subprocess.TimeoutExpired:
            code = 0
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)  # the mutant that was just tried too
            process.wait()
    if code:
        raise MutationRunFailed(log.read_text(errors="replace")[-4000:])
    return _read_mutants(folder, files)


def _read_mutants(folder: Path, files: list[str]) -> list[Mutant]:
    mutants = []
    before = Path.cwd()
    os.chdir(folder)  # mutmut looks for its files beneath it
    try:
        for file in files:
            mutants += [_read_mutant(file, name, code) for name, code in _read_codes(file).items()]
    finally:
        os.chdir(before)
    return mutants


def _read_codes(file: str) -> dict[str, int | None]:
    try:
        codes: dict[str, int | None] = json.loads(Path("mutants", f"{file}.meta").read_text())["exit_code_by_key"]
    except (FileNotFoundError, json.JSONDecodeError):  # the run was ended before or while it was written
        return {}
    return codes


def _read_mutant(file: str, name: str, code: int | None) -> Mutant:
    state = status_by_exit_code[code]
    function = name.rpartition(".")[2].rpartition("__mutmut_")[0].removeprefix("x").removeprefix("_")
    diff = "" if state in (*KILLED, NOT_TRIED) else get_diff_for_mutant(name, path=file)
    lines = [line for line in diff.splitlines() if not line.startswith(("---", "+++"))]
    removed, added = (" ".join(line[1:].strip() for line in lines if line.startswith(sign)) for sign in "-+")
    return Mutant(file, function.replace("ǁ", ".").strip("."), state, removed, added, diff)
