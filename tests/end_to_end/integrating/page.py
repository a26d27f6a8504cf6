"""The page for integrators, as what it is made of: examples that can be run, and what they shall answer."""

import re
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

PAGE = Path(__file__).parents[3] / "docs" / "integrating.md"
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A block of code."""

    language: str
    text: str


@dataclass(frozen=True)
class Example:
    """Commands for a shell, and what the page shows as their answer, if it shows one."""

    commands: str
    answer: Block | None


def blocks() -> list[Block]:
    """The blocks of the page, in its order."""
    return [Block(*match) for match in _BLOCK.findall(PAGE.read_text())]


def only(language: str) -> str:
    """The one block in a language."""
    [block] = [each for each in blocks() if each.language == language]
    return block.text


def examples() -> list[Example]:
    """Every block of commands; an answer stands directly after its commands."""
    all_blocks = [*blocks(), None]
    return [
        Example(block.text, after if after and after.language in ("json", "text") else None)
        for block, after in pairwise(all_blocks)
        if block and block.language == "bash"
    ]
