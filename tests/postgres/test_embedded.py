from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
import pytest

from controlplane.store import embedded


@pytest.fixture
def folder() -> Iterator[Path]:
    with TemporaryDirectory(prefix="callplane-tests-") as folder:
        yield Path(folder) / "postgres"


def test_a_server_is_made_used_by_others_stopped_and_started_again(folder: Path) -> None:
    assert embedded.running_in(folder) is None
    first = embedded.start(folder, is_durable=False)
    with psycopg.connect(first.url) as connection:
        connection.execute("CREATE TABLE kept (a integer)")
    second = embedded.start(folder)
    assert (second.url, second.is_ours) == (first.url, False)
    second.stop()
    assert embedded.running_in(folder) is not None
    first.stop()
    assert embedded.running_in(folder) is None
    third = embedded.start(folder, is_durable=False)
    with psycopg.connect(third.url) as connection:
        assert connection.execute("SELECT count(*) FROM kept").fetchone() == (0,)
    third.stop()
    _a_stale_pid_file_names_no_server(folder, first.url)


def _a_stale_pid_file_names_no_server(folder: Path, url: str) -> None:
    pid_file = folder / "data" / "postmaster.pid"
    pid_file.write_text(f"{os.getpid()}\n{folder}/data\n1\n5432\n\n127.0.0.1\n1 1\nready   \n")
    assert embedded.running_in(folder) is None
    pid_file.unlink()


def test_a_port_that_somebody_takes_meanwhile_is_not_insisted_on(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as somebody, socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        ports = [somebody.getsockname()[1], probe.getsockname()[1]]
        probe.close()
        monkeypatch.setattr(embedded, "_free_port", lambda: ports.pop(0))
        server = embedded.start(folder, is_durable=False)
        with psycopg.connect(server.url) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
        server.stop()


def test_only_who_knows_the_password_gets_in(folder: Path) -> None:
    server = embedded.start(folder, is_durable=False)
    password = (folder / "password").read_text()
    assert (folder / "password").stat().st_mode & 0o077 == 0
    assert password not in repr(server)
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(server.url.replace(password, "wrong"))
    server.stop()


def test_a_server_for_tests_ends_with_the_process_that_started_it(folder: Path) -> None:
    script = (
        "import os, sys; from pathlib import Path; from controlplane.store import embedded\n"
        "embedded.start(Path(sys.argv[1]), is_durable=False); os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", script, str(folder)], check=False)
    while (folder / "data" / "postmaster.pid").exists():
        time.sleep(0.05)
