"""A process that ends by an error says so in one line of JSON, without what the database or the settings said."""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[4]
SECRET = "hunter-2"


def crash(code: str, **environment: str) -> tuple[int, list[dict[str, object]]]:
    """Run a program; its code, and the lines of all that it said."""
    command, environment = [sys.executable, "-c", code], environment | {"PATH": os.environ["PATH"]}
    ended = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert SECRET not in ended.stdout + ended.stderr
    return ended.returncode, [json.loads(line) for line in (ended.stdout + ended.stderr).splitlines()]


def test_an_error_is_one_line_without_its_message() -> None:
    code = (
        "from shared.base.telemetry import set_up_telemetry\n"
        "set_up_telemetry('invoicing/api')\n"
        "def fail():\n"
        "    raise ValueError('Key (email)=(hunter-2) already exists')\n"
        "try:\n"
        "    fail()\n"
        "except ValueError as error:\n"
        "    raise ExceptionGroup('a role ended with hunter-2', [error, KeyError('hunter-2')])\n"
    )
    status, (line,) = crash(code)
    assert status == 1
    assert (line["level"], line["service"]) == ("critical", "invoicing")
    assert "builtins.ValueError" in str(line["exception"])
    assert "builtins.KeyError" in str(line["exception"])


def test_settings_that_are_missing_are_named_without_those_that_are_there() -> None:
    code = "import sys; sys.argv = ['run', 'invoicing']; import typer; from shared.run import main; typer.run(main)"
    status, (line,) = crash(code, GOODSTANDING_DATABASE_URL=f"postgresql://invoicing:{SECRET}@db.example/x")
    assert status == 1
    assert line["settings"] == ["jwks_file", "issuer"]


def test_a_task_that_nobody_asked_for_its_error_is_one_line_too() -> None:
    code = (
        "import asyncio, gc\n"
        "from shared.base.telemetry import set_up_telemetry\n"
        "set_up_telemetry('invoicing/api')\n"
        "async def fail():\n"
        "    raise ValueError('hunter-2')\n"
        "async def main():\n"
        "    asyncio.create_task(fail())\n"
        "    await asyncio.sleep(0)\n"
        "    gc.collect()\n"
        "asyncio.run(main())\n"
    )
    _, (line,) = crash(code)
    assert line["event"] == "Task exception was never retrieved"
