"""Modules that share a server stay on one worker, and the server ends with the last of them.

A group that does not hold would start every server twice; a server that stays takes its part of the machine from all
tests that follow.
"""

import os

import pytest

from tests.architecture.source import ROOT

WORKER = "PYTEST_XDIST_WORKER"
"""Set by pytest-xdist in each of its workers."""


def test_what_belongs_together_is_told_to_the_scheduler(request: pytest.FixtureRequest) -> None:
    """pytest-xdist groups by what stands behind the last `@` of a test's id; alone there is nothing to group."""
    marked = [(item, item.get_closest_marker("xdist_group")) for item in request.session.items]
    lost = [item.nodeid for item, mark in marked if mark and not item.nodeid.endswith(f"@{mark.args[0]}")]
    assert lost == [] or WORKER not in os.environ


def test_every_folder_of_tests_is_a_package() -> None:
    """A server that `scope="package"` opens in a folder that is none stays until the last test of the worker."""
    folders = {path.parent for path in (ROOT / "tests").rglob("*.py") if "node_modules" not in path.parts}
    assert sorted(str(folder) for folder in folders if not (folder / "__init__.py").exists()) == []
