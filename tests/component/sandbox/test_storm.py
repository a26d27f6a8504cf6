"""Means of a storm: connections that break for both sides, processes that stand still and go on."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.local.children import ProcessIdentity
from sandbox.storm.proxies import TcpProxies
from sandbox.storm.weather import freeze_processes, list_process_family


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while chunk := await reader.read(100):
            writer.write(chunk)
        writer.write(b"the end")
    except ConnectionResetError:
        broken.set()
    finally:
        writer.close()


broken = asyncio.Event()


async def test_a_proxy_passes_bytes_and_ends_on_and_resets_both_sides() -> None:
    broken.clear()
    async with await asyncio.start_server(echo, "127.0.0.1", 0) as server:
        behind = server.sockets[0].getsockname()[1]
        with TcpProxies(["echo"], {"echo": behind}.__getitem__) as proxies:
            reader, writer = await asyncio.open_connection("127.0.0.1", proxies.ports["echo"])
            writer.write(b"hello")
            assert await reader.readexactly(5) == b"hello"
            writer.write_eof()
            assert await reader.read() == b"the end"
            writer.close()
            reader, writer = await asyncio.open_connection("127.0.0.1", proxies.ports["echo"])
            writer.write(b"hello")
            assert await reader.readexactly(5) == b"hello"
            assert proxies.reset_connections("echo") == 1
            with pytest.raises(ConnectionResetError):
                await reader.read(1)
            async with asyncio.timeout(10):
                await broken.wait()
            writer.close()


async def test_a_proxy_that_leads_nowhere_breaks_the_connection() -> None:
    with TcpProxies(["nobody"], dict[str, int]().__getitem__) as proxies:
        reader, writer = await asyncio.open_connection("127.0.0.1", proxies.ports["nobody"])
        try:
            assert await reader.read() == b""
        except ConnectionResetError:
            pass
        finally:
            writer.close()


def state(identity: ProcessIdentity) -> str:
    """The letter of proc(5): T is stopped."""
    return Path(f"/proc/{identity.pid}/stat").read_text().rpartition(")")[2].split()[0]


async def test_a_frozen_process_stands_still_with_its_children_and_goes_on() -> None:
    child = "import sys; print(1, flush=True); sys.stdin.read()"
    program = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    with subprocess.Popen(  # noqa: ASYNC220  # it starts and is gone
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as parent:
        try:
            await check_freeze_and_thaw(parent)
        finally:
            parent.kill()


async def check_freeze_and_thaw(parent: subprocess.Popen[bytes]) -> None:
    """Freeze the process with its child, see both stand, let them go, and see them end in good order."""
    assert parent.stdout is not None
    assert parent.stdin is not None
    assert parent.stdout.readline() == b"1\n"
    identity = ProcessIdentity.of(parent.pid)
    assert identity is not None
    both = list_process_family(identity)
    assert len(both) == 2
    holding = asyncio.create_task(freeze_processes(both, 60))
    async with asyncio.timeout(10):
        while {state(member) for member in both} != {"T"}:  # noqa: ASYNC110  # what it waits for is the kernel's doing
            await asyncio.sleep(0.01)
    holding.cancel()
    await asyncio.gather(holding, return_exceptions=True)
    parent.stdin.close()
    async with asyncio.timeout(10):
        assert await asyncio.to_thread(parent.wait) == 0
