"""The command finds what tests do not notice, in a toy repository, and its list of equivalents cannot grow stale."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.mutation.__main__ import choose_files
from tests.mutation.equivalents import LIST, EquivalentMutant, list_stale, list_survivors, name_mutant, read_equivalents
from tests.mutation.mutant_runs import Mutant, MutationRunFailed, run_mutants
from tests.mutation.workplace import (
    ROOT,
    find_mirrored_folder,
    group_by_unit_tests,
    list_pure_files,
    list_unit_tests,
    make_workplace,
)

TOY = "services/toys/domain/toy.py"
TOY_CODE = """
from functools import lru_cache


@lru_cache
def is_adult(age):
    if age < 0:
        raise ValueError("no age", age)
    return age >= 18
"""
TOY_TEST = """
import pytest

from services.toys.domain.toy import is_adult


def test_ages():
    assert is_adult({adult})
    assert not is_adult(17)
    with pytest.raises(ValueError):
        is_adult(-1)
"""


def make_toy(root: Path, adult: int) -> None:
    for folder in ("services/toys/domain", "tests/unit/toys"):
        (root / folder).mkdir(parents=True)
    (root / TOY).write_text(TOY_CODE)
    (root / "tests/unit/toys/test_toy.py").write_text(TOY_TEST.format(adult=adult))
    (root / "pyproject.toml").write_text("[tool.pytest.ini_options]\npythonpath = ['.']\n")


def run_toy(tmp_path: Path, adult: int) -> dict[str, str]:
    make_toy(tmp_path / "toys", adult)
    groups = group_by_unit_tests(tmp_path / "toys", list_pure_files(tmp_path / "toys"))
    assert groups == {"tests/unit/toys": [TOY]}
    make_workplace(tmp_path / "toys", tmp_path / "copy", ["tests/unit/toys"], [TOY])
    mutants = run_mutants(tmp_path / "copy", [TOY])
    return {mutant.added: mutant.state for mutant in mutants if mutant.state != "killed"} | {
        "all": str(len(mutants)),
        "function": mutants[0].function,
    }


def test_a_bound_that_no_test_touches_survives(tmp_path: Path) -> None:
    assert run_toy(tmp_path, 40) == {
        "if age <= 0:": "survived",  # nobody is 0
        "if age < 1:": "survived",
        "return age > 18": "survived",
        "return age >= 19": "survived",
        "all": "4",
        "function": "is_adult",
    }


def test_a_bound_that_a_test_touches_is_killed(tmp_path: Path) -> None:
    survived = run_toy(tmp_path, 18)
    assert "return age > 18" not in survived
    assert "return age >= 19" not in survived


def test_tests_that_fail_by_themselves_end_the_run(tmp_path: Path) -> None:
    with pytest.raises(MutationRunFailed):
        run_toy(tmp_path, 3)


def test_a_run_ends_in_its_time(tmp_path: Path) -> None:
    make_toy(tmp_path / "toys", 18)
    make_workplace(tmp_path / "toys", tmp_path / "copy", ["tests/unit/toys"], [TOY])
    assert all(mutant.state == "not checked" for mutant in run_mutants(tmp_path / "copy", [TOY], 0.01))


SURVIVOR = Mutant("a.py", "f", "survived", "return 1", "return 2", "- return 1\n+ return 2")
KILLED = Mutant("a.py", "f", "killed", "", "", "")
NOT_TRIED = Mutant("a.py", "f", "not checked", "", "", "")


def test_a_listed_mutant_is_no_survivor() -> None:
    assert list_survivors([SURVIVOR, KILLED, NOT_TRIED], set()) == [SURVIVOR]
    assert list_survivors([SURVIVOR, KILLED], {name_mutant(SURVIVOR)}) == []


@pytest.mark.parametrize("ending", [")", ", )", ", strict=None)", ", strict=False)"])
def test_a_pairing_that_asserts_less_is_no_survivor(ending: str) -> None:
    pairing = replace(SURVIVOR, removed="return zip(a, b, strict=True)", added=f"return zip(a, b{ending}")
    assert list_survivors([pairing, replace(pairing, added="return zip(a, c)")], set()) == [
        replace(pairing, added="return zip(a, c)")
    ]


def test_an_entry_that_names_no_survivor_of_a_file_that_ran_is_stale() -> None:
    entry = EquivalentMutant("a.py", "f", "return 1", "return 3")
    assert list_stale([SURVIVOR], {entry, name_mutant(SURVIVOR)}, {"a.py"}) == [str(entry)]
    assert list_stale([SURVIVOR], {entry}, {"b.py"}) == []


def test_an_entry_without_a_reason_is_refused(tmp_path: Path) -> None:
    listed = tmp_path / "equivalent.yaml"
    listed.write_text("[{file: a.py, function: f, removed: return 1, added: return 2}]")
    with pytest.raises(ValueError):
        read_equivalents(listed)


def test_entries_are_of_files_that_are_mutated() -> None:
    assert {entry.file for entry in read_equivalents(LIST)} <= set(list_pure_files(ROOT))


def test_files_are_chosen_by_name_or_folder() -> None:
    pure = list_pure_files(ROOT)
    assert choose_files(pure, ["shared/pure/shares.py"]) == ["shared/pure/shares.py"]
    assert {"shared/pure/money.py", "shared/pure/shares.py"} <= set(choose_files(pure, ["shared/pure"]))
    assert choose_files(pure, []) == pure
    with pytest.raises(ValueError):
        choose_files(pure, ["services/collections/use_cases"])


def test_unit_tests_are_found_where_they_mirror_the_file() -> None:
    assert find_mirrored_folder(ROOT, "services/invoicing/ledger/domain.py") == "tests/unit/invoicing/ledger"
    assert find_mirrored_folder(ROOT, "services/collections/domain/guard.py") == "tests/unit/collections"


def test_tests_elsewhere_that_name_the_file_are_run_too() -> None:
    tests = list_unit_tests(ROOT, "tests/unit/shared/pure", ["shared/pure/payment_references.py"])
    assert tests[0] == "tests/unit/shared/pure"
    assert "tests/unit/invoicing/documents/test_references.py" in tests
    assert not any(test.startswith("tests/unit/shared/pure/") for test in tests)
