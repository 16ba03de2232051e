"""A real FreeSWITCH as a child process, with a configuration of ours in a folder of ours.

    program = find_freeswitch(settings.freeswitch)
    node = loopback_node(folder, esl_password=secrets.token_hex(16))
    await supervisor.start(freeswitch_child(program, node))     # its event socket answers, its profile takes calls

A folder never has two of them: FreeSWITCH keeps the file of its process id locked.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import shutil
from pathlib import Path

from controlplane.base.errors import BadInput, Conflict, Unavailable
from controlplane.cli.certificates import lend_certificate
from controlplane.cli.ports import free_port, is_free
from controlplane.cli.processes import Child, Probe
from controlplane.cli.write_files import write_files
from controlplane.esl.commands import Command, auth, line
from controlplane.esl.connection import ClientConnection
from controlplane.esl.frames import Frame
from controlplane.render import MediaNode, NodeFolders, freeswitch_arguments, render_freeswitch

# Where no certificate can be kept, the first start in a folder makes some, which takes seconds of one core.
READY_WITHIN_S = 60
STOP_WITHIN_S = 15
_ANSWER_TIMEOUT_S = 5
_CONF_DIR = line("api", "global_getvar conf_dir")
_SOFIA_STATUS = line("api", "sofia status")
# Below 32768, where the kernel takes ports for others. The first port of a node's stretch is for SIP, the rest for RTP.
_FIRST_PORT, _STRETCHES, _STRETCH_PORTS = 16384, 16, 1024


class WrongFreeSwitch(Unavailable):
    """Another FreeSWITCH answers on the port of the event socket; stop it, or choose another port."""

    slug = "wrong-freeswitch"


class AlreadyRunning(Conflict):
    """A FreeSWITCH runs in this folder; end it first."""

    slug = "freeswitch-already-running"


def find_freeswitch(named: str | None = None) -> Path | None:
    """The program: the one named, here or in CALLPLANE_FREESWITCH, else the one on the PATH, else None.

    Raises BadInput if one is named and is no program.
    """
    named = named or os.environ.get("CALLPLANE_FREESWITCH")
    program = shutil.which(named or "freeswitch")
    if program is None and named:
        raise BadInput(f"CALLPLANE_FREESWITCH names {named}, which is no program: correct or unset it")
    return Path(program) if program else None


def loopback_node(
    folder: Path,
    *,
    esl_password: str,
    name: str = "local",
    sip_profile: str = "internal",
    door_watchdog_s: int = 10,
    prompts: Path | None = None,
    recordings: Path | None = None,
    call_records: Path | None = None,
) -> MediaNode:
    """A node on this machine, for this machine, on ports that are free now; everything of it lies in the folder.

    With a folder for `call_records` it leaves a record of each leg there. Raises Unavailable if the machine is full.
    """
    folder = folder.absolute()
    esl_port = free_port()
    sip_port = _sip_port(esl_port)
    folders = NodeFolders.below(
        str(folder),
        prompts=str((prompts or folder / "prompts").absolute()),
        recordings=str((recordings or folder / "recordings").absolute()),
    )
    return MediaNode(
        name=name,
        folders=folders,
        esl_password=esl_password,
        esl_port=esl_port,
        sip_port=sip_port,
        sip_profile=sip_profile,
        rtp_first_port=sip_port + 2,
        rtp_last_port=sip_port + _STRETCH_PORTS - 1,
        door_watchdog_s=door_watchdog_s,
        call_records=str(call_records.absolute()) if call_records is not None else None,
    )


def _sip_port(number: int) -> int:
    """The first port of a stretch that no node has: FreeSWITCH does not look whether another has a port for RTP.

    Where to begin to look is told by any `number`, so that nodes that are about to start seldom choose the same.
    """
    for other in range(_STRETCHES):
        port = _FIRST_PORT + (number + other) % _STRETCHES * _STRETCH_PORTS
        if is_free(port):
            return port
    raise Unavailable(f"{_STRETCHES} media nodes or other programs have the ports from {_FIRST_PORT} on; end some.")


def freeswitch_child(program: Path, node: MediaNode) -> Child:
    """Write the node's folders and configuration, and answer the process to start.

    Raises AlreadyRunning if a FreeSWITCH lives in the folder: it would answer in place of the new one.
    """
    folders = node.folders
    _refuse_a_second(Path(folders.run, "freeswitch.pid"))
    records = (node.call_records,) if node.call_records is not None else ()
    for folder in (folders.conf, folders.log, folders.db, folders.run, folders.certs, folders.scratch, *records):
        Path(folder).mkdir(parents=True, exist_ok=True)
        Path(folder).chmod(0o700)
    for folder in (folders.prompts, folders.recordings):
        Path(folder).mkdir(parents=True, exist_ok=True)
    lend_certificate(Path(folders.certs))
    write_files(Path(folders.conf), render_freeswitch(node))
    return Child(
        name="freeswitch",
        argv=(str(program), *freeswitch_arguments(node)),
        probe=takes_calls(node),
        ready_within_s=READY_WITHIN_S,
        stop_within_s=STOP_WITHIN_S,
    )


def takes_calls(node: MediaNode) -> Probe:
    """A probe: the node's own event socket answers and its SIP profile is running; raises WrongFreeSwitch."""

    async def probe() -> bool:
        try:
            return await asyncio.wait_for(_takes_calls(node), _ANSWER_TIMEOUT_S)
        except (OSError, TimeoutError):
            return False

    return probe


def _refuse_a_second(pid_file: Path) -> None:
    """FreeSWITCH keeps its pid file locked (fcntl) as long as it lives."""
    if not pid_file.exists():
        return
    with pid_file.open("r+") as stream:
        try:
            fcntl.lockf(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            pid = stream.read().strip()
            raise AlreadyRunning(f"A FreeSWITCH runs in {pid_file.parent.parent}; end it first: kill {pid}") from error


async def _takes_calls(node: MediaNode) -> bool:
    async with NodeLink(node) as link:
        if (await link.ask(_CONF_DIR)).text != node.folders.conf:
            raise WrongFreeSwitch(None, port=node.esl_port)
        status = (await link.ask(_SOFIA_STATUS)).text
    rows = [line.split("\t") for line in status.splitlines()]
    return any(row[0].strip() == node.sip_profile and row[-1].startswith("RUNNING") for row in rows)


class NodeLink:
    """A short visit to a node's event socket: sign in, one question after the other, leave.

    Raises WrongFreeSwitch if the password is not taken.
    """

    def __init__(self, node: MediaNode) -> None:
        self._node = node
        self._codec = ClientConnection()

    async def __aenter__(self) -> NodeLink:
        self._reader, self._writer = await asyncio.open_connection(self._node.esl_address, self._node.esl_port)
        await self._answer()
        if not (await self.ask(auth(self._node.esl_password))).reply_text.startswith("+OK"):
            self._writer.close()
            raise WrongFreeSwitch(None, port=self._node.esl_port)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._writer.close()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()

    async def ask(self, command: Command) -> Frame:
        """Send one command and wait for its answer; raises ConnectionError if the node closes."""
        self._writer.write(command.data)
        return await self._answer()

    async def _answer(self) -> Frame:
        while data := await self._reader.read(65536):
            for frame in self._codec.feed(data):
                return frame
        raise ConnectionError("The event socket was closed")
