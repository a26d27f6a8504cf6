"""The folder of one stack: everything that it keeps, and what is known about its processes."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from deploy.local import children, files, ports
from deploy.local.children import ProcessIdentity
from deploy.local.jars import CHECKOUT
from deploy.local.secured import Security
from deploy.local.tokens import SigningKeyPair
from shared.base.connections.tls import TlsFiles

DEFAULT = CHECKOUT / ".local" / "stack"
PORTS = (
    "postgres",
    "kafka",
    "controller",
    "kafka-proxied",
    "mailbox",
    "smtp",
    "vendor",
    "clock",
    "prometheus",
    "alertmanager",
)


def build_metrics_port_name(service: str) -> str:
    """The name of the port on which a service tells Prometheus of itself."""
    return f"{service}-metrics"


class AlreadyRunningError(Exception):
    """Another launcher holds this folder."""


@dataclass(frozen=True)
class RunningProcess:
    """One process as its launcher last wrote it down."""

    pid: int
    started: int
    since: str
    """RFC 3339."""
    restarts: int

    @property
    def process_identity(self) -> ProcessIdentity:
        """Identity of this process, which a later one with the same id has not."""
        return ProcessIdentity(self.pid, self.started)


class StackState:
    """Where things are in the folder of a stack."""

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()
        self.keys = SigningKeyPair(self.root)
        self.jwks = self.root / "jwks.json"
        self.tokens = self.root / "tokens"
        self.logs = self.root / "logs"
        self._ports = self.root / "ports.json"
        self._processes = self.root / "processes.json"
        self._launcher = self.root / "launcher.json"
        self._ready = self.root / "ready"

    def get_port(self, name: str) -> int:
        """A port that was picked at the last start. KeyError before the first."""
        return int(files.read_json(self._ports)[name])

    def pick_ports(self, services: tuple[str, ...]) -> None:
        """Keep the ports of the last start as far as they are free."""
        kept = files.read_json(self._ports)
        metrics = (build_metrics_port_name(service) for service in services)
        files.write_json(self._ports, ports.keep_or_pick_ports((*PORTS, *services, *metrics), kept))

    def url(self, name: str) -> str:
        """The address of a service, of `vendor`, `clock` or `mailbox`."""
        return self.vendor_url() if name == "vendor" else f"http://{ports.HOST}:{self.get_port(name)}"

    def vendor_url(self, proxy: int | None = None) -> str:
        """The address of the vendor, or that of a proxy in front on this port."""
        return f"{'https' if self.security else 'http'}://{ports.HOST}:{proxy or self.get_port('vendor')}"

    @property
    def security(self) -> Security | None:
        """Security of the servers, where there is a folder for it; None: they let anybody in, in plain text."""
        folder = self.root / "security"
        return Security(folder) if folder.is_dir() else None

    @property
    def tls(self) -> TlsFiles:
        """The files of the stack's own clients."""
        return self.security.client if self.security else TlsFiles()

    def get_log_path(self, name: str) -> Path:
        """The log of a process."""
        return self.logs / f"{name}.log"

    def log_tail(self, name: str, lines: int = 30) -> str:
        """The end of the log of a process; empty if there is none."""
        if not self.get_log_path(name).exists():
            return ""
        return "\n".join(self.get_log_path(name).read_text(errors="replace").splitlines()[-lines:])

    def note_processes(self, processes: dict[str, RunningProcess]) -> None:
        """Write down what runs, in the order in which it was started."""
        files.write_json(self._processes, {name: asdict(running) for name, running in processes.items()})

    def list_running_processes(self) -> dict[str, RunningProcess]:
        """Processes that ran when the launcher last wrote them down."""
        return {name: RunningProcess(**entry) for name, entry in files.read_json(self._processes).items()}

    def find_launcher(self) -> ProcessIdentity | None:
        """The launcher that holds this folder, if it lives."""
        entry = files.read_json(self._launcher)
        identity = ProcessIdentity(**entry) if entry else None
        return identity if identity is not None and identity.is_process_alive else None

    @property
    def is_ready(self) -> bool:
        """Whether a living launcher has said that everything is up."""
        return self._ready.exists() and self.find_launcher() is not None

    def mark_stack_ready(self) -> None:
        """Say that everything is up."""
        files.write_private_file(self._ready, "")

    def end_stranded(self) -> list[str]:
        """End what a killed launcher left behind; the names of what had to be ended."""
        stranded = {
            name: entry
            for name, entry in self.list_running_processes().items()
            if entry.process_identity.is_process_alive
        }
        for entry in reversed(stranded.values()):
            children.end_stranded_process(entry.process_identity)
        self.note_processes({})
        return list(stranded)

    @contextmanager
    def hold_state_folder(self) -> Iterator[None]:
        """Be the one launcher of this folder. Raises AlreadyRunningError."""
        self.root.mkdir(parents=True, exist_ok=True)
        with (self.root / "lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as held:
                raise AlreadyRunningError(f"another launcher runs the stack in {self.root}") from held
            self._ready.unlink(missing_ok=True)
            me = ProcessIdentity.of(os.getpid())
            assert me is not None
            files.write_json(self._launcher, asdict(me))
            try:
                yield
            finally:
                self._ready.unlink(missing_ok=True)
                self._launcher.unlink(missing_ok=True)
