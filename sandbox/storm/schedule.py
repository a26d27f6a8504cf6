"""When what is struck: drawn from a seed, so that a storm can be had again."""

import random
from dataclasses import dataclass
from typing import Literal, TypeVar

from shared.process.service import NAMES

Kind = Literal["kill", "freeze", "reset"]
T = TypeVar("T")

MEAN_PAUSE = 2.5
"""Seconds between two strikes, on average."""
MEAN_FREEZE, LONGEST_FREEZE = 3.0, 15.0
"""Seconds; the longest are longer than a consumer's session and than any client waits."""
PROCESSES = {**dict.fromkeys(NAMES, 4), "postgres": 4, "kafka": 4, "vendor": 2, "mailbox": 1, "clock": 1}
"""What can be killed and frozen, and how often beside the others."""
PROXIED = {"postgres": 4, "kafka": 4, **dict.fromkeys(NAMES, 1), "vendor": 2, "smtp": 1}
"""What the services reach through a proxy that can reset all connections."""
KINDS: dict[Kind, int] = {"kill": 4, "freeze": 3, "reset": 4}


@dataclass(frozen=True, slots=True)
class StormStrike:
    """One fault: what it does to whom, so many seconds after the storm began; a freeze lasts."""

    at: float
    kind: Kind
    target: str
    lasts: float = 0.0


def schedule_strikes(seed: int, seconds: float) -> list[StormStrike]:
    """The strikes of a storm of so many seconds; the same for the same seed, and a longer one begins alike."""
    dice = random.Random(seed)
    strikes: list[StormStrike] = []
    at = dice.expovariate(1 / MEAN_PAUSE)
    while at < seconds:
        strikes.append(_strike(dice, at))
        at += dice.expovariate(1 / MEAN_PAUSE)
    return strikes


def _strike(dice: random.Random, at: float) -> StormStrike:
    kind = _one_of(dice, KINDS)
    if kind == "reset":
        return StormStrike(at, kind, _one_of(dice, PROXIED))
    lasts = min(dice.expovariate(1 / MEAN_FREEZE), LONGEST_FREEZE) if kind == "freeze" else 0.0
    return StormStrike(at, kind, _one_of(dice, PROCESSES), lasts)


def _one_of(dice: random.Random, weights: dict[T, int]) -> T:
    return dice.choices(list(weights), list(weights.values()))[0]
