"""Starting a FreeSWITCH, as far as it can be seen without one: its folder, and the event socket it should open."""

from __future__ import annotations

import asyncio
import fcntl
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from controlplane.base.errors import BadInput
from controlplane.cli.freeswitch import (
    AlreadyRunning,
    WrongFreeSwitch,
    find_freeswitch,
    freeswitch_child,
    loopback_node,
    takes_calls,
)
from controlplane.esl.connection import SwitchConnection
from controlplane.esl.writing import encode_api_response, encode_auth_request, encode_command_reply
from controlplane.render import MediaNode, render_freeswitch, verify_media_node

RUNNING = "   internal\t profile\t sip:mod_sofia@127.0.0.1:5080\tRUNNING (0)\n"


@asynccontextmanager
async def answering(node: MediaNode, *, conf_dir: str, status: str) -> AsyncIterator[MediaNode]:
    """An event socket that knows the node's password and two answers."""
    answers = {"api global_getvar conf_dir": conf_dir, "api sofia status": status}

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        codec = SwitchConnection()
        writer.write(encode_auth_request())
        while data := await reader.read(65536):
            for command in codec.feed(data):
                if command.line in answers:
                    writer.write(encode_api_response(answers[command.line]))
                    continue
                is_right = command.line == f"auth {node.esl_password}"
                writer.write(encode_command_reply("+OK accepted" if is_right else "-ERR invalid"))
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield replace(node, esl_port=server.sockets[0].getsockname()[1])


def node_in(folder: Path) -> MediaNode:
    return loopback_node(folder, esl_password="secret", door_watchdog_s=4)


def test_a_loopback_node_can_be_rendered_and_stays_below_its_folder(tmp_path: Path) -> None:
    node = node_in(tmp_path)
    assert verify_media_node(node) == []
    assert (node.esl_address, node.sip_address, node.rtp_address) == ("127.0.0.1",) * 3
    assert node.esl_port != node.sip_port
    assert node.door_watchdog_s == 4
    assert {node.folders.conf, node.folders.recordings} == {f"{tmp_path}/conf", f"{tmp_path}/recordings"}


def test_no_two_nodes_of_a_machine_share_ports(tmp_path: Path) -> None:
    ports: list[range] = []
    with ExitStack() as running:
        for _ in range(5):
            node = node_in(tmp_path)
            assert all(node.sip_port not in others and node.rtp_last_port not in others for others in ports)
            assert node.sip_port < node.rtp_first_port
            ports.append(range(node.sip_port, node.rtp_last_port + 1))
            running.enter_context(socket.create_server(("127.0.0.1", node.sip_port)))


def test_starting_writes_the_configuration_into_private_folders(tmp_path: Path) -> None:
    node = node_in(tmp_path)
    child = freeswitch_child(Path("/usr/bin/freeswitch"), node)
    assert child.argv[:2] == ("/usr/bin/freeswitch", "-nonat")
    for file in render_freeswitch(node):
        assert (tmp_path / "conf" / file.path).read_text("utf-8") == file.content
    modes = {name: (tmp_path / name).stat().st_mode & 0o777 for name in ("conf", "log", "db", "run", "certs")}
    assert set(modes.values()) == {0o700}
    assert (tmp_path / "recordings").is_dir()


def test_a_folder_with_a_living_freeswitch_is_refused_and_its_process_named(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    pid_file = tmp_path / "run" / "freeswitch.pid"
    pid_file.write_text("4711")
    script = f"import fcntl; f = open({str(pid_file)!r}, 'r+'); fcntl.lockf(f, fcntl.LOCK_EX); print(); input()"
    with subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        with pytest.raises(AlreadyRunning, match="kill 4711"):
            freeswitch_child(Path("freeswitch"), node_in(tmp_path))
        holder.communicate(b"\n")
    freeswitch_child(Path("freeswitch"), node_in(tmp_path))


def test_the_lock_is_not_kept(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "freeswitch.pid").write_text("1")
    freeswitch_child(Path("freeswitch"), node_in(tmp_path))
    with (tmp_path / "run" / "freeswitch.pid").open("r+") as stream:
        fcntl.lockf(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_a_freeswitch_that_is_named_must_be_a_program(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="which is no program: correct or unset it"):
        find_freeswitch(str(tmp_path / "freeswitch"))


def test_no_freeswitch_at_all_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CALLPLANE_FREESWITCH", raising=False)
    assert find_freeswitch() is None


def test_the_one_that_the_environment_names_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "freeswitch"
    program.touch(mode=0o755)
    monkeypatch.setenv("CALLPLANE_FREESWITCH", str(program))
    assert find_freeswitch() == program


async def test_a_node_whose_profile_runs_takes_calls(tmp_path: Path) -> None:
    async with answering(node_in(tmp_path), conf_dir=f"{tmp_path}/conf", status=RUNNING) as node:
        assert await takes_calls(node)()


@pytest.mark.parametrize("status", ["", RUNNING.replace("internal", "external"), RUNNING.replace("RUNNING", "DOWN")])
async def test_a_node_whose_profile_does_not_run_takes_none(tmp_path: Path, status: str) -> None:
    async with answering(node_in(tmp_path), conf_dir=f"{tmp_path}/conf", status=status) as node:
        assert not await takes_calls(node)()


async def test_a_port_where_nobody_listens_is_no_error_yet(tmp_path: Path) -> None:
    assert not await takes_calls(node_in(tmp_path))()


async def test_another_node_behind_the_port_is_an_error(tmp_path: Path) -> None:
    async with answering(node_in(tmp_path), conf_dir="/etc/freeswitch", status=RUNNING) as node:
        with pytest.raises(WrongFreeSwitch):
            await takes_calls(node)()


async def test_another_password_is_an_error(tmp_path: Path) -> None:
    async with answering(node_in(tmp_path), conf_dir=f"{tmp_path}/conf", status=RUNNING) as node:
        with pytest.raises(WrongFreeSwitch):
            await takes_calls(replace(node, esl_password="other"))()
