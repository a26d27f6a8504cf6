"""Modules that share a server stay on one worker: a group that does not hold would start every server twice."""

import os

import pytest

WORKER = "PYTEST_XDIST_WORKER"
"""Set by pytest-xdist in each of its workers."""


def test_what_belongs_together_is_told_to_the_scheduler(request: pytest.FixtureRequest) -> None:
    """pytest-xdist groups by what stands behind the last `@` of a test's id; alone there is nothing to group."""
    marked = [(item, item.get_closest_marker("xdist_group")) for item in request.session.items]
    lost = [item.nodeid for item, mark in marked if mark and not item.nodeid.endswith(f"@{mark.args[0]}")]
    assert lost == [] or WORKER not in os.environ
