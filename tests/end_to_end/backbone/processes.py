"""Real processes of services in a test: started, killed, frozen, and asked how they are."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2

from deploy.local.jars import CHECKOUT
from deploy.local.ports import find_free_port
from deploy.local.tokens import ISSUER, SigningKeyPair
from shared.process.service import NAMES
from tests.builders import Client, Database
from tests.component.shared.rehearsal import SERVICE
from tests.end_to_end.backbone.forking import ForkedProgram
from tests.end_to_end.backbone.loops import PATIENCE

HUNG = 70
"""Exit code of a process whose consumer was hung."""
DYING = "dying"
Child = subprocess.Popen[bytes] | ForkedProgram


@dataclass
class Process:
    """A service's process and a client of its API."""

    child: Child
    client: Client
    log: Path

    async def ready(self) -> tuple[int, dict[str, Any]]:
        """The status and the parts of /health/ready; 0 while nobody answers."""
        try:
            answer = await self.client.http.get("/health/ready")
        except httpx2.TransportError:
            return 0, {}
        return answer.status_code, answer.json()["parts"]

    async def is_ready(self) -> bool:
        """Whether all its parts work."""
        return (await self.ready())[0] == 200

    async def says(self, part: str) -> str:
        """Read what a part says of itself; empty while nobody answers."""
        return str((await self.ready())[1].get(part, {}).get("state", ""))

    async def end(self) -> int:
        """Send SIGTERM; the exit code. Raises TimeoutError after 10 s."""
        self.child.send_signal(signal.SIGTERM)
        return await self.code(10)

    async def code(self, within: float = PATIENCE) -> int:
        """Wait for its end; the exit code, negative for a signal. Raises TimeoutError."""
        return await asyncio.wait_for(asyncio.to_thread(self.child.wait, within), within + 1)

    async def wait_until_killed(self) -> None:
        """Wait until it has died of SIGKILL."""
        assert await self.code() == -signal.SIGKILL, self.log.read_text()

    async def is_frozen(self) -> bool:
        """Whether it is stopped by SIGSTOP."""
        stat = await asyncio.to_thread(Path(f"/proc/{self.child.pid}/stat").read_text)
        return stat.rpartition(")")[2].split()[0] == "T"


@dataclass
class Launcher:
    """Starts processes of services on a test's database."""

    database: Database
    keys: SigningKeyPair
    jwks_file: Path
    folder: Path
    more: dict[str, str] = field(default_factory=dict)
    """Further variables of the processes' environment."""

    def environment(self, service: str, kafka: str, port: int) -> dict[str, str]:
        """Build the environment of a process; a rehearsal uses the schema of a real service."""
        return self.more | {
            "GOODSTANDING_DATABASE_URL": self.database.url(service if service in NAMES else SERVICE),
            "GOODSTANDING_KAFKA": kafka,
            "GOODSTANDING_PORT": str(port),
            "GOODSTANDING_CLOCK": "sandbox",
            "GOODSTANDING_JWKS_FILE": str(self.jwks_file),
            "GOODSTANDING_ISSUER": ISSUER,
        }

    @asynccontextmanager
    async def run(self, service: str, kafka: str, *role: str, point: str | None = None) -> AsyncIterator[Process]:
        """A process that is killed at the end, if it still runs; at `point`, what stands in `dying` befalls it."""
        port = find_free_port()
        log = self.folder / f"{service}-{port}.log"
        command = build_command("run", service, *role, point=point)
        environment = dict(os.environ) | self.environment(service, kafka, port)
        async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=20) as http:
            process = Process(spawn(command, environment, log), Client(http, self.keys.token(service)), log)
            watch = asyncio.create_task(replace_if_hung(process, command, environment)) if point is None else None
            try:
                yield process
            except BaseException as error:
                error.add_note(f"{service} {' '.join(role)} wrote last:\n{read_end(log)}")
                raise
            finally:
                if watch is not None:
                    watch.cancel()
                process.child.kill()
                process.child.wait()

    async def redrive(self, service: str, *arguments: str, point: str | None = None) -> tuple[int, str]:
        """Run the redrive to its end; its exit code and what it said."""
        log = self.folder / f"redrive-{uuid4()}.log"
        environment = dict(os.environ) | self.environment(service, "127.0.0.1:1", 1)
        child = spawn(build_command("redrive", service, *arguments, point=point), environment, log)
        try:
            return await asyncio.to_thread(child.wait, PATIENCE), log.read_text()
        finally:
            child.kill()


def spawn(command: list[str], environment: dict[str, str], log: Path) -> Child:
    """Start a process that adds to this log."""
    if command[0] == DYING:
        return ForkedProgram(command[1:], environment, log)
    with log.open("ab") as output:
        return subprocess.Popen(command, env=environment, cwd=CHECKOUT, stdout=output, stderr=output)


async def replace_if_hung(process: Process, command: list[str], environment: dict[str, str]) -> None:
    """Do as whoever supervises a deployment: start anew what has ended itself, because its Kafka client hung."""
    while process.child.poll() != HUNG:  # noqa: ASYNC110  # what it waits for happens in another process
        await asyncio.sleep(0.2)
    process.child = spawn(command, environment, process.log)


def read_end(log: Path) -> str:
    """The last 4,000 bytes of a process's log."""
    return log.read_bytes()[-4000:].decode(errors="replace")


def build_command(name: str, service: str, *arguments: str, point: str | None = None) -> list[str]:
    """Build the command of `shared.run` or `shared.redrive`, as it is or, as arguments of DYING, in its hands."""
    if point is None and service in NAMES:
        return [sys.executable, "-m", f"shared.{name}", service, *arguments]
    return [DYING, point or "never", name, service, *arguments]
