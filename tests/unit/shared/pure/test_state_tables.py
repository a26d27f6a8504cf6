"""A move is made if its table allows it, and refused in the words of its kind otherwise."""

from enum import StrEnum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.pure.errors import Refusal
from shared.pure.state_tables import can_transition, transition


class Light(StrEnum):
    """States of a lamp."""

    OFF = "off"
    DIM = "dim"
    BRIGHT = "bright"


class LightRefused(Refusal):
    """The lamp cannot do this."""

    code = "light_refused"


lights = st.sampled_from(Light)
tables = st.fixed_dictionaries({light: st.frozensets(lights) for light in Light})


@given(tables, lights, lights)
def test_a_move_is_made_if_and_only_if_the_table_allows_it(
    allowed: dict[Light, frozenset[Light]], state: Light, wanted: Light
) -> None:
    if wanted in allowed[state]:
        assert can_transition(allowed, state, wanted)
        assert transition(allowed, state, wanted, LightRefused, "") is wanted
    else:
        assert not can_transition(allowed, state, wanted)
        with pytest.raises(LightRefused, match=f"^{state} is not {wanted}$"):
            transition(allowed, state, wanted, LightRefused, "{state} is not {wanted}")


def test_the_ways_are_named_in_order() -> None:
    allowed = {Light.OFF: frozenset({Light.DIM, Light.BRIGHT}), Light.DIM: frozenset[Light]()}
    with pytest.raises(LightRefused, match=r"^only bright, dim$"):
        transition(allowed, Light.OFF, Light.OFF, LightRefused, "only {ways}")
    with pytest.raises(LightRefused, match=r"^only nothing else any more$"):
        transition(allowed, Light.DIM, Light.OFF, LightRefused, "only {ways}")
