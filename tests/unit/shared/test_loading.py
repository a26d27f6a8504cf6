"""While a process is loaded no garbage is looked for; from then on it is."""

import gc
from collections.abc import Iterator

import pytest

from shared import run


@pytest.fixture
def loading() -> Iterator[None]:
    """A process that is being loaded."""
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("loading")
def test_a_process_that_is_loaded_looks_for_garbage_again() -> None:
    run._keep_what_is_loaded()
    assert gc.isenabled()
    assert gc.get_freeze_count() > 0
