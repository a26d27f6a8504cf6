"""The commands that the page shows are run as they stand, and answer what it shows."""

import asyncio
import os
import re
import subprocess
from typing import Any

import orjson
import pytest

from deploy.local.stack import Stack
from sandbox.driver import SandboxDriver
from sandbox.entities import ensure_legal_entity
from tests.end_to_end.integrating.page import Block, examples

pytestmark = pytest.mark.xdist_group("stack")

AFTER_EACH = "\x1e"
OWN_TO_EACH_RUN = [
    re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
    re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"),
    re.compile(r"GS-DE-\d{8}"),
    re.compile(r"Unprocessable (Content|Entity)"),
]
"""Ids, instants, invoice numbers, what Python calls a status: the page shows some, a run has others."""


def alike(shown: Any, got: Any) -> bool:
    """Whether an answer is the one that is shown, but for what is own to each run."""
    if isinstance(shown, dict) and isinstance(got, dict):
        return shown.keys() == got.keys() and all(alike(shown[name], got[name]) for name in shown)
    if isinstance(shown, list) and isinstance(got, list):
        return len(shown) == len(got) and all(map(alike, shown, got))
    if isinstance(shown, str) and isinstance(got, str):
        return shown == got or any(pattern.fullmatch(shown) and pattern.fullmatch(got) for pattern in OWN_TO_EACH_RUN)
    return type(shown) is type(got) and shown == got


def is_as_shown(answer: Block, output: str) -> bool:
    """Whether the output of some commands is the answer that the page has for them."""
    if answer.language == "json":
        return alike(orjson.loads(answer.text), orjson.loads(output))
    return answer.text == output.replace("\r", "")


def run(commands: str, stack: Stack) -> subprocess.CompletedProcess[str]:
    """Run commands in a shell that knows where invoicing is."""
    variables = {"INVOICING": stack.url("invoicing"), "INVOICING_TOKEN": stack.token("invoicing")}
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", commands],
        env=dict(os.environ) | variables,
        capture_output=True,
        text=True,
        timeout=60,
    )


async def test_each_example_answers_as_the_page_says(stack: Stack, driver: SandboxDriver) -> None:
    await ensure_legal_entity(driver, "GS-DE")
    shown = examples()
    commands = "".join(f"{example.commands}printf '{AFTER_EACH}'\n" for example in shown)
    done = await asyncio.to_thread(run, commands, stack)
    *outputs, rest = done.stdout.split(AFTER_EACH)
    assert (done.returncode, rest, done.stderr, len(outputs)) == (0, "", "", len(shown))
    for example, output in zip(shown, outputs, strict=True):
        assert is_as_shown(example.answer, output) if example.answer else output == "", (
            f"{example.commands}answers\n{output}"
        )
    assert sum(example.answer is not None for example in shown) >= 8
    await driver.monitor.wait_until_settled()


@pytest.mark.parametrize(
    "got", [{"id": "x", "n": 1}, {"id": "0" * 8, "n": 1}, {"n": 1}, {"id": None, "n": 1}, {"id": "a", "n": True}]
)
def test_an_answer_that_is_not_as_shown_is_seen(got: object) -> None:
    shown = {"id": "01a20554-3ac2-7166-ad33-3386dec9cb3d", "n": 1}
    assert alike(shown, {"id": "01a20554-3b31-737d-85d3-50e76a4a152e", "n": 1})
    assert not alike(shown, got)
