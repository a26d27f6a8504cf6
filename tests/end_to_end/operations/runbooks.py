"""Command blocks of the runbooks: found in the pages, filled with values, and run on a stack."""

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx2

from deploy.local.jars import CHECKOUT

BOOKS = CHECKOUT / "docs" / "runbooks"
LANGUAGES = {"sh", "sql", "promql"}
BY_HAND = "sh by hand"
AS_SUPERUSER = "-- as the superuser"
COMMAND = re.compile(
    r"`((?:GET|POST|PUT|PATCH|DELETE|make|curl|docker\S*|psql|python|SELECT|sum|rate|time\(\))\b[^`]*)`"
)
"""A command within a sentence: nothing runs it, so it must stand in a block."""
_SHELL_NAME = re.compile(r"\$\{?([A-Z][A-Z_]*)\}?")
_SQL_NAME = re.compile(r"(?<!:):'?([a-z]+)'?")
_SECONDS = 60.0


class Unreadable(Exception):
    """A page whose blocks cannot be told apart, or that has none."""


@dataclass(frozen=True)
class Block:
    """A command block of a page."""

    book: str
    language: str
    text: str

    def list_names(self) -> set[str]:
        """List the placeholders that it takes."""
        pattern = _SQL_NAME if self.language == "sql" else _SHELL_NAME
        return set(pattern.findall(self.text))


def parse_blocks(book: str, page: str) -> list[Block]:
    """Parse the blocks of a page. Raises Unreadable: an unknown language, no end, a command outside, none at all."""
    parts = re.split(r"(?m)^```(.*)$", page)  # prose, language, text, the end, prose, ...
    if len(parts) % 4 != 1 or any(end.strip() for end in parts[3::4]):
        raise Unreadable(f"{book}: a block without an end")
    for prose in parts[::4]:
        if command := COMMAND.search(prose):
            raise Unreadable(f"{book}: `{command[1]}` stands in no block")
    blocks = [Block(book, language, text.strip()) for language, text in zip(parts[1::4], parts[2::4], strict=True)]
    for block in blocks:
        if block.language not in {*LANGUAGES, BY_HAND}:
            raise Unreadable(f"{book}: a block in {block.language!r}")
    if not blocks:
        raise Unreadable(f"{book}: no block")
    return blocks


def read_blocks() -> list[Block]:
    """Read the blocks of all pages. Raises Unreadable."""
    books = sorted(path for path in BOOKS.glob("*.md") if path.stem != "README")
    return [block for path in books for block in parse_blocks(path.stem, path.read_text())]


def _outside_make() -> dict[str, str]:
    """Build the environment without what `make test` was given: it would be given to the `make` of a command too."""
    variables_of_make = {"ARGS", "MAKEFLAGS", "MAKELEVEL", "MAKEOVERRIDES", "MFLAGS"}
    return {name: value for name, value in os.environ.items() if name not in variables_of_make}


@dataclass(frozen=True)
class Runner:
    """Runner of blocks on a stack, with values for their placeholders."""

    folder: Path
    """Of the stack."""
    home: Path
    """Where curl is told to say the status of each answer."""
    prometheus: str
    databases: Mapping[str, str]
    """Connection strings of the role `monitor` and of the superuser."""

    def run(self, block: Block, values: Mapping[str, str]) -> str:
        """Run a block; what it printed. Raises AssertionError if it fails or is answered other than 2xx."""
        unknown = block.list_names() - values.keys()
        assert not unknown, f"{block.book}: nobody knows {sorted(unknown)}"
        if block.language == "promql":
            return self._query(block, values)
        return self._run_sql(block, values) if block.language == "sql" else self._run_shell(block, values)

    def _query(self, block: Block, values: Mapping[str, str]) -> str:
        query = _SHELL_NAME.sub(lambda name: values[name[1]], block.text)
        answer = httpx2.get(f"{self.prometheus}/api/v1/query", params={"query": query}, timeout=_SECONDS)
        assert answer.status_code == 200, f"{block.book}: {block.text}\n{answer.text}"
        return answer.text

    def _run_sql(self, block: Block, values: Mapping[str, str]) -> str:
        url = self.databases["superuser" if block.text.startswith(AS_SUPERUSER) else "monitor"]
        variables = (f"--set={name}={values[name]}" for name in block.list_names())
        return self._finish(block, ["psql", "--no-psqlrc", "--set=ON_ERROR_STOP=1", *variables, url], block.text, {})

    def _run_shell(self, block: Block, values: Mapping[str, str]) -> str:
        (self.home / ".curlrc").write_text('write-out = "%{stderr}answered %{http_code}\\n"\n')
        surroundings = {"CURL_HOME": str(self.home), "GOODSTANDING_STACK": str(self.folder)}
        printed = self._finish(block, ["bash", "-euo", "pipefail", "-c", block.text], "", surroundings | dict(values))
        statuses = re.findall(r"answered (\d{3})", printed)
        assert len(statuses) >= block.text.count("curl "), f"{block.book}: {block.text}\n{printed}"
        assert all(status.startswith("2") for status in statuses), f"{block.book}: {block.text}\n{printed}"
        return printed

    def _finish(self, block: Block, command: list[str], text: str, environment: dict[str, str]) -> str:
        assert shutil.which(command[0]), f"{command[0]} is not installed: make setup"
        run = subprocess.run(
            command, input=text, cwd=CHECKOUT, env=_outside_make() | environment, timeout=_SECONDS,
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        printed = run.stdout + run.stderr
        assert run.returncode == 0, f"{block.book}: {block.text}\n{printed}"
        return printed
