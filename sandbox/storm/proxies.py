"""TCP proxies whose connections can all be reset at once."""

import asyncio
import socket
import struct
import threading
from collections.abc import Callable, Iterable
from functools import partial
from types import TracebackType
from typing import Self

from deploy.local.ports import HOST

_RESET = struct.pack("ii", 1, 0)
"""SO_LINGER with no time: closing sends RST instead of FIN (socket(7))."""
CHUNK = 65536


class TcpProxies:
    """One proxy for each name, in a thread of their own, for the length of a `with` block.

    `port_of` says where a name leads to, for each connection anew; while it raises KeyError, nowhere.
    """

    def __init__(self, names: Iterable[str], port_of: Callable[[str], int]) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxies", daemon=True)
        self._proxies = {name: _Proxy(partial(port_of, name)) for name in names}
        self.ports: dict[str, int] = {}

    def __enter__(self) -> Self:
        self._thread.start()
        for name, proxy in self._proxies.items():
            self.ports[name] = asyncio.run_coroutine_threadsafe(proxy.listen(), self._loop).result()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for proxy in self._proxies.values():
            asyncio.run_coroutine_threadsafe(proxy.close(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def reset_connections(self, name: str) -> int:
        """Break every connection through this proxy; how many there were."""
        return asyncio.run_coroutine_threadsafe(self._proxies[name].reset(), self._loop).result()


class _Proxy:
    def __init__(self, port: Callable[[], int]) -> None:
        self._port = port
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def listen(self) -> int:
        """Listen on a free port, which it returns."""
        self._server = await asyncio.start_server(self._accept, HOST, 0)
        return int(self._server.sockets[0].getsockname()[1])

    async def close(self) -> None:
        """Accept nobody any more and break what is open."""
        assert self._server is not None
        self._server.close()
        await self.reset()
        await asyncio.gather(*self._tasks)

    async def reset(self) -> int:
        """Break every connection; how many there were."""
        living = [writer for writer in self._open if not writer.transport.is_closing()]
        for writer in living:
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            writer.transport.abort()
        return len(living) // 2

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            await self._forward(reader, writer)
        except (OSError, KeyError):  # nobody listens there now
            writer.transport.abort()
        finally:
            self._tasks.discard(task)

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection(HOST, self._port())
        self._open |= {writer, far_writer}
        try:
            await asyncio.gather(_pump(reader, far_writer), _pump(far_reader, writer))
        finally:
            self._open -= {writer, far_writer}
            writer.transport.abort()
            far_writer.transport.abort()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Copy until the end, and pass the end on."""
    while chunk := await reader.read(CHUNK):
        if writer.transport.is_closing():
            raise ConnectionResetError("the other side is gone")
        writer.write(chunk)
        await writer.drain()
    if writer.can_write_eof() and not writer.transport.is_closing():
        writer.write_eof()
