"""One Postgres server of our own, from the machine's binaries."""

import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from functools import cached_property
from pathlib import Path

from deploy.local import children, files, ports
from deploy.local.children import ChildProgram, ProcessIdentity, StartFailedError, SystemUser
from deploy.local.secured import ServerTlsFiles, name_tls_files
from shared.base.connections.access import DatabaseAccess

SUPERUSER = "postgres"
OLDEST = 15
START_TIMEOUT = 30.0

SETTINGS = {
    "listen_addresses": ports.HOST,
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "128MB",
    "autovacuum_naptime": "5s",
    "idle_in_transaction_session_timeout": "60s",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %u@%d ",
    "log_error_verbosity": "terse",  # the details of a violated constraint are the row, and rows name customers
}
LONGEST_SOCKET_FOLDER_CHARS = 85
"""The system takes 107 characters for a socket, with the name that Postgres gives it."""
CARELESS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
"""Fast, and lost when the machine (not the process) dies: for stacks that are thrown away."""


def find_postgres_binaries() -> Path:
    """The folder of the server's programs: `$PG_BIN`, the newest installed, or the PATH's.

    Raises StartFailedError.
    """
    if chosen := os.environ.get("PG_BIN"):
        return Path(chosen)
    packaged = [p for p in Path("/usr/lib/postgresql").glob("*/bin") if p.parent.name.isdigit()]
    newest = max(packaged, key=lambda folder: int(folder.parent.name), default=None)
    if newest is not None and int(newest.parent.name) >= OLDEST and (newest / "initdb").exists():
        return newest
    if path := shutil.which("initdb"):
        return Path(path).resolve().parent
    raise StartFailedError("postgres", f"version {OLDEST} or newer is missing; `make setup` installs it")


def _is_in_the_way(log: Path) -> bool:
    """Whether the server could not start because backends of one that was killed have not all noticed yet."""
    return any(b"shared memory block" in line and b"FATAL" in line for line in log.read_bytes().splitlines()[-3:])


class PostgresServer:
    """A Postgres cluster in a folder, on a free port of 127.0.0.1, with passwords for every role.

    `start` and `stop` block; call `start` from a thread that lives as long as the server should. With `by_socket` the
    connection strings name a Unix socket, which takes half the time of TCP, unless the folder's path is too long for
    one.
    """

    def __init__(
        self,
        folder: Path,
        *,
        durable: bool = False,
        port: int | None = None,
        tls: ServerTlsFiles | None = None,
        by_socket: bool = False,
    ) -> None:
        self.folder = folder.absolute()
        self._tls = tls
        self._by_socket = by_socket
        self.durable = durable
        self._port = port
        self._child: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Make the cluster if it does not exist, start it and wait until it takes connections.

        Raises StartFailedError.
        """
        self.stop()  # reaps one that was killed
        self.prepare()
        log = self.folder / "postgres.log"
        deadline = time.monotonic() + START_TIMEOUT
        self._child = children.spawn_program(self.build_postgres_program(), log)
        while not self.is_ready():
            ended = self._child.poll() is not None
            if time.monotonic() > deadline or (ended and not _is_in_the_way(log)):
                self.stop()
                raise StartFailedError("postgres", f"did not start; see {log}")
            time.sleep(0.02)
            if ended:
                self._child = children.spawn_program(self.build_postgres_program(), log)

    def stop(self) -> None:
        """Disconnect everyone, write everything down and end."""
        if self._child is not None:
            children.end_child(self._child, signal.SIGINT)
            self._child = None

    def remove(self) -> None:
        """Delete the data, also where it had to live outside of the folder."""
        self.stop()
        shutil.rmtree(self._home, ignore_errors=True)
        shutil.rmtree(self.folder, ignore_errors=True)

    @cached_property
    def port(self) -> int:
        """The port on 127.0.0.1."""
        return self._port or ports.find_free_port()

    @property
    def pid(self) -> int:
        """The process id of the running server."""
        return int(self._status()[0])

    def url(self, user: str = SUPERUSER, database: str = "postgres", port: int | None = None) -> str:
        """A connection string with the password of that role; `port` is that of a proxy in front."""
        login = f"{user}:{self.get_role_password(user)}"
        if port is None and self._sockets is not None:
            return f"postgresql://{login}@/{database}?host={self._sockets}&port={self.port}"
        return f"postgresql://{login}@{ports.HOST}:{port or self.port}/{database}"

    def access(self, role: str = SUPERUSER, database: str = "postgres", port: int | None = None) -> DatabaseAccess:
        """How a role of ours reaches it; `port` is that of a proxy in front."""
        if self._tls is None:
            return DatabaseAccess(database_url=self.url(role, database, port))
        password_file = self.folder / "passwords" / role
        files.write_private_file(password_file, self.get_role_password(role), mode=0o600)
        return DatabaseAccess(
            database_url=f"postgresql://{role}@{ports.HOST}:{port or self.port}/{database}",
            database_password_file=password_file,
            database_sslmode="verify-full",
            **name_tls_files("database", self._tls.client),
        )

    def get_role_password(self, role: str) -> str:
        """The role's password, made up when first asked for and kept with the cluster."""
        path = self.folder / "passwords.json"
        passwords = files.read_json(path)
        if role not in passwords:
            passwords[role] = secrets.token_urlsafe(24)
            files.write_json(path, passwords, mode=0o600)
        return str(passwords[role])

    def prepare(self) -> None:
        """Make the cluster if it does not exist, and clear away what a hard kill left of the last run."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if not (self.data / "PG_VERSION").exists():
            self._initialise()
        self._clear_stale_lock()
        values = SETTINGS | ({} if self.durable else CARELESS) | {"port": str(self.port)} | self._install_tls()
        if self._sockets is not None:
            values |= {"unix_socket_directories": str(self._sockets)}
        lines = [f"{name} = '{value}'\n" for name, value in values.items()]
        (self.data / "goodstanding.conf").write_text("".join(lines))

    def build_postgres_program(self) -> ChildProgram:
        """How the server is run; a parent's death makes it shut down as `stop` does."""
        return ChildProgram(
            name="postgres",
            command=(str(find_postgres_binaries() / "postgres"), "-D", str(self.data)),
            user=self._user,
            directory=self._home,
            stop_signal=signal.SIGINT,
            death_signal=signal.SIGINT,
        )

    def is_ready(self) -> bool:
        """Whether the server takes connections, by its own word."""
        status = self._status()
        return len(status) > 7 and status[7].strip() == "ready" and self._owns(int(status[0]))

    @property
    def data(self) -> Path:
        """The cluster's data directory."""
        return self._home / "data"

    @cached_property
    def _sockets(self) -> Path | None:
        """The folder of the Unix socket, where there is one."""
        return self._home if self._by_socket and len(str(self._home)) <= LONGEST_SOCKET_FOLDER_CHARS else None

    @cached_property
    def _user(self) -> SystemUser | None:
        """Postgres refuses to run as root."""
        if os.geteuid() != 0:
            return None
        names = {entry.pw_name: entry for entry in pwd.getpwall()}
        entry = names.get("postgres") or names["nobody"]
        return SystemUser(entry.pw_uid, entry.pw_gid)

    @cached_property
    def _home(self) -> Path:
        """The folder, or where the server's user cannot go there, one below /tmp that the folder names."""
        pointer = self.folder / "elsewhere"
        if pointer.exists() and Path(pointer.read_text()).is_dir():
            return Path(pointer.read_text())
        home = self.folder / "cluster"
        if self._user is None or _can_reach(self._user, self.folder):
            home.mkdir(parents=True, exist_ok=True, mode=0o700)
        else:
            home = Path(tempfile.mkdtemp(prefix="goodstanding-postgres-", dir="/tmp"))
            files.write_private_file(pointer, str(home))
        if self._user is not None:
            os.chown(home, self._user.uid, self._user.gid)
        return home

    def _initialise(self) -> None:
        shutil.rmtree(self.data, ignore_errors=True)  # a run of initdb that was interrupted
        password_file = self._home / "password"
        files.write_private_file(password_file, self.get_role_password(SUPERUSER), mode=0o600)
        if self._user is not None:
            os.chown(password_file, self._user.uid, self._user.gid)
        command = (
            str(find_postgres_binaries() / "initdb"),
            "-D",
            str(self.data),
            "-U",
            SUPERUSER,
            "--auth=scram-sha-256",
        )
        options = (f"--pwfile={password_file}", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync")
        done = subprocess.run(
            children.build_user_command(self._user, command + options), cwd=self._home, capture_output=True, text=True
        )
        password_file.unlink()
        if done.returncode:
            raise StartFailedError("postgres", f"initdb failed: {done.stderr}")
        with (self.data / "postgresql.conf").open("a") as configuration:
            configuration.write("\ninclude = 'goodstanding.conf'\n")

    def _install_tls(self) -> dict[str, str]:
        """Put the certificate where the server's user reads it, and let nobody in without TLS; the settings for it."""
        if self._tls is None:
            return {}
        sources = {"server.crt": self._tls.certificate, "server.key": self._tls.key}
        if self._tls.client_ca:
            sources["clients.crt"] = self._tls.client_ca
        for name, source in sources.items():
            files.write_private_file(self.data / name, source.read_text(), mode=0o600)
            if self._user is not None:
                os.chown(self.data / name, self._user.uid, self._user.gid)
        asking = " clientcert=verify-ca" if self._tls.client_ca else ""
        rules = f"hostnossl all all all reject\nhostssl all all all scram-sha-256{asking}\n"
        (self.data / "pg_hba.conf").write_text(rules)
        trusted = {"ssl_ca_file": "clients.crt"} if self._tls.client_ca else {}
        return {"ssl": "on", "ssl_cert_file": "server.crt", "ssl_key_file": "server.key"} | trusted

    def _clear_stale_lock(self) -> None:
        """After a hard kill the lock file may name a process id that is another Postgres' by now."""
        status = self._status()
        if not status:
            return
        holder = ProcessIdentity.of(int(status[0]))
        if holder is not None and self._owns(holder.pid):
            children.end_stranded_process(holder)
        (self.data / "postmaster.pid").unlink(missing_ok=True)

    def _status(self) -> list[str]:
        """The lines of the server's lock file: its process id first, its state eighth."""
        try:
            return (self.data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return []

    def _owns(self, pid: int) -> bool:
        """Whether that process is a server of this very cluster: each works in its data directory."""
        try:
            return Path(f"/proc/{pid}/cwd").resolve() == self.data.resolve()
        except (FileNotFoundError, PermissionError):
            return False


def _can_reach(user: SystemUser, folder: Path) -> bool:
    """Whether the user may pass through the folder and all above it."""
    for place in (folder, *folder.parents):
        status = place.stat()
        bit = 0o100 if status.st_uid == user.uid else 0o010 if status.st_gid == user.gid else 0o001
        if not status.st_mode & bit:
            return False
    return True
