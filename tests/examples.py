"""How many examples a property test tries that says a number of its own."""

from hypothesis import settings

USUAL = 100
"""Examples of a test that says none, where there is no hurry."""
FEWEST = 5


def scale_examples(number: int) -> int:
    """Scale the examples of a test as the profile that is chosen scales the usual ones."""
    return max(FEWEST, number * settings().max_examples // USUAL)
