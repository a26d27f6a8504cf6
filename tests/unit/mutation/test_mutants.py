"""The list of equivalent mutants cannot grow stale, and the files and tests of a run are those that are meant."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.mutation.__main__ import choose_files
from tests.mutation.equivalents import LIST, EquivalentMutant, list_stale, list_survivors, name_mutant, read_equivalents
from tests.mutation.mutant_runs import Mutant
from tests.mutation.workplace import ROOT, find_mirrored_folder, list_pure_files, list_unit_tests

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
