"""Free ports on 127.0.0.1, picked once and kept."""

import random
import socket
from collections.abc import Collection, Iterable

HOST = "127.0.0.1"
RANGE = range(20_000, 32_000)
"""Below the ports that the system hands out to outgoing connections, which come and go."""
_given: set[int] = set()
"""What this process has picked: whoever was given a port may not listen on it yet."""


def is_port_free(port: int) -> bool:
    """Whether nobody listens on the port now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def is_port_answering(port: int) -> bool:
    """Whether somebody accepts connections on the port."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((HOST, port)) == 0


def find_free_port(taken: Collection[int] = ()) -> int:
    """A port that is free now, not among `taken`, and was never given before by this process."""
    choices = random.SystemRandom()
    while True:
        port = choices.choice(RANGE)
        if port not in _given and port not in taken and is_port_free(port):
            _given.add(port)
            return port


def keep_or_pick_ports(names: Iterable[str], kept: dict[str, int]) -> dict[str, int]:
    """A port for each name: the one it had if that is still free, else another."""
    picked: dict[str, int] = {}
    for name in names:
        port = kept.get(name)
        usable = port is not None and port not in picked.values() and is_port_free(port)
        picked[name] = port if port is not None and usable else find_free_port(picked.values())
    return picked
