"""A throw-away PostgreSQL server from Debian's packages, for one session of tests, on a socket in its own folder."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

from waiting import until

_SHM = Path("/dev/shm")
# In memory where there is room, so that syncing costs nothing and stays switched on.
_SETTINGS = (
    "listen_addresses=",
    "shared_buffers=16MB",
    "max_connections=200",
    "min_wal_size=4MB",
    "autovacuum=off",
    "log_min_messages=fatal",
)
_ACCOUNT = "nobody"


def programs() -> Path | None:
    """The folder of the newest PostgreSQL server that is installed; None where there is none."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    return found[-1].parent if found else None


class Server:
    """A running server; `role` owns the databases and is no superuser. It ends with whoever started it."""

    def __init__(self, programs: Path, *settings: str) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="onshore-pg-", dir=_SHM if os.access(_SHM, os.W_OK) else None))
        self.data = self.folder / "data"
        self.role = "onshore"
        self._programs, self._settings, self._made = programs, settings, 0
        if os.geteuid() == 0:
            account = pwd.getpwnam(_ACCOUNT)
            os.chown(self.folder, account.pw_uid, account.pw_gid)
        self._run(
            *("initdb", "-D", self.data, "-A", "trust", "-U", "postgres", "--no-sync", "--wal-segsize=1", "-E", "UTF8"),
            *("--locale=C.UTF-8", "--locale-provider=icu", "--icu-locale=en-US"),  # sorts as people do, not by bytes
        )
        self.start()
        self.ask(f"CREATE ROLE {self.role} LOGIN")

    def _as(self, *command: object) -> list[str]:
        away = ["--reuid", _ACCOUNT, "--clear-groups"] if os.geteuid() == 0 else []
        return ["setpriv", *away, "--pdeathsig", "INT", *map(str, command)]

    def _run(self, program: str, *said: object) -> None:
        done = subprocess.run(
            self._as(self._programs / program, *said), capture_output=True, text=True, cwd="/", check=False
        )
        assert done.returncode == 0, done.stderr

    def start(self) -> None:
        """Run the server and wait until it answers."""
        said = [part for setting in (*_SETTINGS, *self._settings) for part in ("-c", setting)]
        command = self._as(self._programs / "postgres", "-D", self.data, "-k", self.folder, *said)
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/")
        until(self._answers)

    def _answers(self) -> bool:
        asked = [self._programs / "pg_isready", "-q", "-h", self.folder]
        return subprocess.run(asked, check=False).returncode == 0

    def stop(self) -> None:
        """End it as an operator does: what runs is cut off."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
        self._process.wait()

    def close(self) -> None:
        """End it, and remove what it wrote."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def ask(self, statement: str, database: str = "postgres") -> list[tuple]:
        """What a superuser's statement answers."""
        import pg8000.legacy

        with pg8000.legacy.Connection(
            "postgres", database=database, unix_sock=f"{self.folder}/.s.PGSQL.5432", ssl_context=False
        ) as connection:
            connection.autocommit = True
            cursor = connection.cursor()
            cursor.execute(statement)
            return list(cursor.fetchall()) if cursor.description else []

    def new(self, template: str = "template0") -> str:
        """A new database; its name."""
        self._made += 1
        name = f"papers_{self._made}"
        quickly = "STRATEGY file_copy" if int(self._programs.parts[-2]) >= 15 else ""  # before 15 there is no other
        self.ask(f"CREATE DATABASE {name} OWNER {self.role} TEMPLATE {template} {quickly}")
        return name

    def url(self, name: str) -> str:
        """As `[papers]` of the settings says it."""
        return f"postgresql://{self.role}@/{name}?host={self.folder}"

    def drop(self, name: str) -> None:
        """Remove a database, whoever is still in it."""
        self.ask(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
