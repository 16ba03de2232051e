"""What doctor finds and advises, each check alone."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from pydantic import SecretStr

from controlplane.base.ids import AccountId, CallId
from controlplane.cli import checks, reach
from controlplane.cli.checks import Check, State
from controlplane.settings import Settings
from controlplane.store.records import Record
from controlplane.store.spool import open_spool
from controlplane.store.vault import Vault


def program(folder: Path, name: str, script: str) -> Path:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize("version", [(3, 11, 0), (3, 12, 4), (3, 13, 9)])
def test_supported_pythons_are_fine(version: tuple[int, int, int]) -> None:
    assert checks.check_python(version).state is State.OK


@pytest.mark.parametrize("version", [(3, 10, 9), (3, 14, 0)])
def test_other_pythons_are_not(version: tuple[int, int, int]) -> None:
    assert checks.check_python(version).state is State.MISSING


def test_a_configured_database_needs_no_embedded_one() -> None:
    found = checks.check_postgresql(Settings(database_url=SecretStr("postgresql://db/x")))
    assert found == Check("postgresql", State.OK, "CALLPLANE_DATABASE_URL is set")


def test_the_newest_debian_server_is_found_by_number(tmp_path: Path) -> None:
    for version in ("9", "15", "common"):
        (tmp_path / version / "bin").mkdir(parents=True)
        program(tmp_path / version / "bin", "postgres", "")
    assert checks.newest_debian_postgres(tmp_path) == tmp_path / "15/bin/postgres"


def test_a_missing_voice_names_its_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    found = checks.check_voice(Settings(tts="flite"))
    assert found == Check("voice", State.MISSING, "flite cannot speak here", "flite: apt-get install flite")


def test_beeps_need_nothing() -> None:
    assert checks.check_voice(Settings(tts="tone")) == Check("voice", State.OK, "tone")


def test_no_freeswitch_is_only_a_note(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    found = checks.check_freeswitch(Settings(freeswitch=None))
    assert (found.state, found.found) == (State.NOTE, "none: the emulator is used")


def test_a_named_freeswitch_that_is_not_there_is_missing(tmp_path: Path) -> None:
    assert checks.check_freeswitch(Settings(freeswitch=str(tmp_path / "no"))).state is State.MISSING


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("FreeSWITCH version: 1.10.12-release+git~20240802T210227Z~a88d069d6f~64bit (git a88d069)", State.OK),
        ("FreeSWITCH version: 1.10.7-release~64bit ( 64bit)", State.OK),
        ("FreeSWITCH version: 1.10.6-release~64bit ( 64bit)", State.NOTE),
        ("hello", State.NOTE),
    ],
)
def test_an_old_or_unknown_freeswitch_is_noted(tmp_path: Path, text: str, state: State) -> None:
    path = program(tmp_path, "freeswitch", f"echo '{text}'")
    assert checks.check_freeswitch(Settings(freeswitch=str(path))).state is state


def test_a_data_folder_that_can_be_made_is_fine(tmp_path: Path) -> None:
    assert checks.check_data(tmp_path / "a" / "b").state in (State.OK, State.NOTE)


def test_a_data_folder_below_a_file_is_missing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    found = checks.check_data(tmp_path / "file" / "data")
    assert (found.state, found.found) == (State.MISSING, f"{tmp_path}/file cannot be written")


def test_what_waits_on_the_disk_or_was_set_aside_is_noted(tmp_path: Path) -> None:
    assert checks.check_spool(tmp_path / "spool") == Check("spool", State.OK, "nothing waits for PostgreSQL")
    spool = open_spool(tmp_path / "spool", "one", Vault([b"k" * 32]), most_bytes=1 << 20)
    spool.append([Record(AccountId("acc"), CallId("cs"), 0, 0, "Something", "{}")])
    assert checks.check_spool(tmp_path / "spool").found == "entries of 1 processes wait for PostgreSQL"
    spool.set_aside([Record(AccountId("acc"), CallId("cs"), 0, 0, "Something", "{}")])
    assert checks.check_spool(tmp_path / "spool").state is State.NOTE
    spool.close()


def test_a_taken_port_is_missing_and_a_free_one_fine() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        taken = list(reach.check_ports(Settings(public_url=f"http://127.0.0.1:{port}")))
    assert taken == [Check("API port", State.MISSING, f"{port} is taken", "stop what has it, or choose another port")]
    assert list(reach.check_ports(Settings(public_url=f"http://127.0.0.1:{port}"))) == [
        Check("API port", State.OK, f"{port} is free")
    ]


def test_processes_of_one_machine_serve_their_metrics_on_ports_of_their_own() -> None:
    ports = {"calls": 9100, "worker": 9101, "api": 9102, "emulator": 9103}
    assert reach.metrics_ports(Settings(metrics_port=9100)) == ports
    assert set(reach.metrics_ports(Settings()).values()) == {0}


def test_configured_servers_are_tried_and_passwords_not_shown() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        settings = Settings(
            database_url=SecretStr(f"postgresql://u:hidden@127.0.0.1:{port}/x"),
            broker_url=SecretStr("redis://:hidden@127.0.0.1:notaport/0"),
            nodes=f"m1=127.0.0.1:{port}",
        )
        found = list(reach.check_reachable(settings))
    assert found == [
        Check("database", State.OK, f"127.0.0.1:{port} answers"),
        Check("broker", State.MISSING, "not a URL", "correct CALLPLANE_BROKER_URL"),
        Check("media node m1", State.OK, f"127.0.0.1:{port} answers"),
    ]


def test_a_database_on_a_local_socket_is_not_tried() -> None:
    found = list(reach.check_reachable(Settings(database_url=SecretStr("postgresql:///x?host=/run/postgresql"))))
    assert [check.state for check in found] == [State.NOTE]
