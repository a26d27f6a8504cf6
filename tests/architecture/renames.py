"""Renames: proves that a commit's code differs from today's in identifiers and docstrings only.

`python -m tests.architecture.renames prove COMMIT` reads each module of COMMIT and of today as one sequence of marks,
imports resolved to what they name, and compares the two mark by mark. It prints which name became which. Names that
became two, or two that became one, and whatever else differs, are listed, and make the command fail. Texts that hold a
renamed name (as of an attribute that a test replaces), and variables that became several, are listed for people.
"""

import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Set
from itertools import zip_longest

from tests.architecture.marks import Mark, mark_module
from tests.architecture.source import ROOT, list_files, read_commit

TEXT_OF_NAMES = re.compile(r"[\w.]+(?:(?:, ?| \| |[\[\]:])[\w.]*)*")


class Comparison:
    """Collects what two states of the code name differently, and in what else they differ."""

    def __init__(self) -> None:
        self.differing: list[str] = []
        self.to_look_at: list[str] = []
        self._paths: Counter[tuple[str, str]] = Counter()
        self._variables: Counter[tuple[str, str, str]] = Counter()
        self._uses: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
        self._texts: list[tuple[str, str, str]] = []
        self._declared: set[tuple[str, str]] = set()
        self._listed: list[tuple[str, list[str], list[str]]] = []

    def add_module(self, name: str, before: str, after: str) -> None:
        """Compare a module with what it was."""
        module = name.removesuffix(".py").replace("/", ".").removesuffix(".__init__")
        olds, news = mark_module(before, module), mark_module(after, module)
        self._listed.append((name, _list_names(olds), _list_names(news)))
        by_scope: defaultdict[int, Counter[tuple[str, str]]] = defaultdict(Counter)
        olds, news = ([mark for mark in marks if mark.kind != "listed name"] for marks in (olds, news))
        for old, new in zip_longest(olds, news):
            if old is None or new is None or (old.kind, old.scope) != (new.kind, new.scope):
                self.differing.append(f"{name}:{(new or old).line}: its structure differs: {old} {new}")
                break
            self._add_pair(f"{name}:{new.line}", old, new)
            if old.kind in ("variable", "argument"):
                by_scope[old.scope][old.text, new.text] += 1
        for pairs in by_scope.values():
            self._check_pairs(name, pairs, splits=self.to_look_at)
            self._variables.update((name, *pair) for pair in pairs if pair[0] != pair[1])

    def _add_pair(self, place: str, old: Mark, new: Mark) -> None:
        if old.kind == "path":
            self._paths[old.text, new.text] += 1
        if old.text == new.text:
            return
        pair = (old.text, new.text)
        match old.kind:
            case "structure":
                self.differing.append(f"{place}: {old.text} became {new.text}")
            case "text":
                self._texts.append((place, *pair))
            case "attribute" | "keyword":
                self._uses[pair].append(place)
            case "argument" | "stored attribute":
                self._declared.add(pair)

    def _check_pairs(self, place: str, pairs: Iterable[tuple[str, str]], splits: list[str]) -> None:
        """Check that no two names became one, and that none became several."""
        news, olds = defaultdict(set), defaultdict(set)
        for old, new in pairs:
            news[old].add(new)
            olds[new].add(old)
        splits.extend(f"{place}: {old} became {sorted(names)}" for old, names in news.items() if len(names) > 1)
        merged = (f"{place}: {sorted(names)} became {new}" for new, names in olds.items() if len(names) > 1)
        self.differing.extend(merged)

    def finish(self) -> list[str]:
        """Check what only the whole code shows; return which name became which."""
        self._check_pairs("code", self._paths, splits=self.differing)
        renamed = {old: new for old, new in self._paths if old != new}
        last = {(old.rpartition(".")[2], new.rpartition(".")[2]) for old, new in renamed.items()}
        self._declared |= last
        for (old, new), places in self._uses.items():
            if (old, new) not in self._declared:
                self.differing.append(f"{places[0]}: {old} became {new}, which nothing declares")
        pairs = self._declared | {(old, new) for _, old, new in self._variables}
        for place, before, after in self._texts:
            named = is_text_renamed(before[1:-1], after[1:-1], pairs)
            (self.to_look_at if named else self.differing).append(f"{place}: the text {before} became {after}")
        for name, before_paths, after_paths in self._listed:
            if sorted(renamed.get(path, path) for path in before_paths) != sorted(after_paths):
                self.differing.append(f"{name}: exports, or imports without a use: {before_paths} became {after_paths}")
        shown = [f"{old} -> {new}" for old, new in sorted(renamed.items())]
        shown += [f"{name}: {old} -> {new}" for name, old, new in sorted(self._variables)]
        return shown + [f".{old} -> .{new} ({len(places)})" for (old, new), places in sorted(self._uses.items())]


def _list_names(marks: Iterable[Mark]) -> list[str]:
    return [mark.text for mark in marks if mark.kind == "listed name"]


def is_text_renamed(before: str, after: str, pairs: Set[tuple[str, str]]) -> bool:
    """Whether a text of names became another one by these renames alone."""
    olds, news = re.split(r"(\w+)", before), re.split(r"(\w+)", after)
    if not TEXT_OF_NAMES.fullmatch(before) or len(olds) != len(news):
        return False
    return all(old == new or (old, new) in pairs for old, new in zip(olds, news, strict=True))


def compare_states(modules: Iterable[tuple[str, str, str]]) -> tuple[list[str], list[str], list[str]]:
    """Compare modules (name, text before, text after); list renames, what to look at, and what else differs."""
    comparison = Comparison()
    for module in modules:
        comparison.add_module(*module)
    renames = comparison.finish()
    return renames, comparison.to_look_at, comparison.differing


def prove_renames(commit: str) -> tuple[list[str], list[str], list[str]]:
    """Compare each module of a commit with what it is now; a module that came or went is a difference."""
    modules, lost = [], []
    before = read_commit(commit)
    for name, text in before.items():
        if (path := ROOT / name).exists():
            modules.append((name, text, path.read_text()))
        else:
            lost.append(f"{name}: gone")
    come = set(list_files()) - set(before)
    renames, to_look_at, differing = compare_states(modules)
    return renames, to_look_at, [*lost, *(f"{name}: new" for name in sorted(come)), *differing]


def main(commit: str) -> int:
    """Print what `prove_renames` lists."""
    renames, to_look_at, differing = prove_renames(commit)
    for title, lines in (("renamed:", renames), ("to look at:", to_look_at), ("differing:", differing)):
        sys.stdout.write("\n".join([title, *lines]) + "\n")
    return bool(differing)


if __name__ == "__main__":
    sys.exit(main(sys.argv[2]))
