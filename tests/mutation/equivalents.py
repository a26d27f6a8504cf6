"""Mutants that no test can kill, since they do what the original does; each with its reason."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import yaml

from tests.mutation.mutant_runs import KILLED, NOT_TRIED, Mutant

_STRICTNESS = re.compile(r",\s*(?:strict=\w+)?\)")
"""The end of a call of `zip`: that both are of one length is asserted there, and holds."""
LIST = Path(__file__).with_name("equivalent.yaml")


class EquivalentMutant(NamedTuple):
    """A mutant by the lines that it changes, so that it stays named when others come and go."""

    file: str
    function: str
    removed: str
    added: str


def read_equivalents(path: Path) -> set[EquivalentMutant]:
    """Read the list. Raises ValueError where an entry has no reason."""
    entries = set()
    for entry in yaml.safe_load(path.read_text()) or []:
        if not entry.pop("reason", ""):
            raise ValueError(f"no reason: {entry}")
        entries.add(EquivalentMutant(**entry))
    return entries


def name_mutant(mutant: Mutant) -> EquivalentMutant:
    """Name a mutant as the list does."""
    return EquivalentMutant(mutant.file, mutant.function, mutant.removed, mutant.added)


def list_survivors(mutants: Iterable[Mutant], equivalents: set[EquivalentMutant]) -> list[Mutant]:
    """List the mutants that no test noticed and that are not in the list."""
    noticed = (*KILLED, NOT_TRIED)
    unnoticed = (mutant for mutant in mutants if mutant.state not in noticed and not _is_less_strict(mutant))
    return [mutant for mutant in unnoticed if name_mutant(mutant) not in equivalents]


def _is_less_strict(mutant: Mutant) -> bool:
    removed, added = (_STRICTNESS.sub(")", lines) for lines in (mutant.removed, mutant.added))
    return "strict=True" in mutant.removed and removed == added


def list_stale(mutants: Iterable[Mutant], equivalents: set[EquivalentMutant], files: set[str]) -> list[str]:
    """List the entries, of files that were run to their end, that name no surviving mutant."""
    surviving = {name_mutant(mutant) for mutant in mutants if mutant.state not in KILLED}
    return [str(entry) for entry in sorted(equivalents - surviving) if entry.file in files]
