"""The command finds what tests do not notice, in a toy repository."""

from pathlib import Path

import pytest

from tests.mutation.mutant_runs import MutationRunFailed, run_mutants
from tests.mutation.workplace import group_by_unit_tests, list_pure_files, make_workplace

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


def test_a_bound_survives_if_no_test_touches_it_and_is_killed_otherwise(tmp_path: Path) -> None:
    assert run_toy(tmp_path, 18) == {
        "if age <= 0:": "survived",  # nobody is 0
        "if age < 1:": "survived",
        "all": "4",
        "function": "is_adult",
    }


def test_tests_that_fail_by_themselves_end_the_run(tmp_path: Path) -> None:
    with pytest.raises(MutationRunFailed):
        run_toy(tmp_path, 3)


def test_a_run_ends_in_its_time(tmp_path: Path) -> None:
    make_toy(tmp_path / "toys", 18)
    make_workplace(tmp_path / "toys", tmp_path / "copy", ["tests/unit/toys"], [TOY])
    assert all(mutant.state == "not checked" for mutant in run_mutants(tmp_path / "copy", [TOY], 0.01))
