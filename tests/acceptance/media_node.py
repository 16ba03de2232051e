"""A real FreeSWITCH of our own on loopback, and a synchronous link to it. Only where one is installed."""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import time
import wave
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from string import Template
from uuid import uuid4

from controlplane.cli.freeswitch import freeswitch_child
from controlplane.cli.ports import free_ports
from controlplane.cli.processes import Child
from controlplane.esl.commands import Command, EslEventName, auth, line, subscribe
from controlplane.esl.connection import ClientConnection
from controlplane.esl.frames import EslEvent, Frame
from controlplane.render import MediaNode as ConfiguredNode

MODULES = ("event_socket", "sofia", "commands", "dptools", "dialplan_xml", "sndfile", "native_file", "tone_stream")

CONFIGURATION = Template("""<?xml version="1.0"?>
<document type="freeswitch/xml">
 <section name="configuration">
  <configuration name="switch.conf"><settings>
   <param name="max-sessions" value="200"/><param name="sessions-per-second" value="200"/>
   <param name="rtp-start-port" value="$rtp_from"/><param name="rtp-end-port" value="$rtp_to"/>
  </settings></configuration>
  <configuration name="modules.conf"><modules>$modules</modules></configuration>
  <configuration name="event_socket.conf"><settings>
   <param name="listen-ip" value="127.0.0.1"/><param name="listen-port" value="$esl"/>
   <param name="password" value="$password"/>
  </settings></configuration>
  <configuration name="sofia.conf"><global_settings/><profiles><profile name="internal"><settings>
   <param name="context" value="public"/><param name="dialplan" value="XML"/>
   <param name="sip-ip" value="127.0.0.1"/><param name="rtp-ip" value="127.0.0.1"/><param name="sip-port" value="$sip"/>
   <param name="auth-calls" value="false"/><param name="inbound-codec-prefs" value="PCMU"/>
   <param name="outbound-codec-prefs" value="PCMU"/><param name="rtp-timer-name" value="soft"/>
   <param name="inbound-late-negotiation" value="true"/>
  </settings></profile></profiles></configuration>
 </section>
 <section name="dialplan"><context name="public">
  <extension name="parked"><condition field="destination_number" expression="^parked$$">
   <action application="park"/></condition></extension>
  <extension name="rings"><condition field="destination_number" expression="^rings$$">
   <action application="ring_ready"/><action application="sleep" data="60000"/></condition></extension>
  <extension name="busy"><condition field="destination_number" expression="^busy$$">
   <action application="hangup" data="USER_BUSY"/></condition></extension>
  <extension name="answers"><condition field="destination_number" expression="^answers$$">
   <action application="answer"/><action application="park"/></condition></extension>
 </context></section>
</document>
""")


@dataclass(slots=True)
class MediaNode:
    """A running FreeSWITCH."""

    folder: Path
    esl_port: int
    sip_port: int
    links: list[Link] = field(default_factory=list)

    def link(self, *events: EslEventName) -> Link:
        """A link that is logged in and gets these events."""
        link = logged_in(self.esl_port, "secret")
        self.links.append(link)
        if events:
            link.send(subscribe(events))
        return link

    def sound(self, name: str, level: float) -> str:
        """Where a new sound file of half a second of this level (0 to 1) lies."""
        path = self.folder / f"{name}.wav"
        with wave.open(str(path), "wb") as file:
            file.setparams((1, 2, 8000, 0, "NONE", "NONE"))
            step = int(level * 32767).to_bytes(2, "little", signed=True)
            dip = int(-level * 32767).to_bytes(2, "little", signed=True)
            file.writeframes((step * 8 + dip * 8) * 250)
        return str(path)


class Link:
    """An event socket read in the thread of the test."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket, self._codec = connection, ClientConnection()
        self._answers: list[Frame] = []
        self.events: list[EslEvent] = []
        assert self._next_answer().content_type == "auth/request"

    def send(self, command: Command) -> str:
        """Write a command and wait for its answer: what a reply says, or the body of an answer to `api`."""
        self.write(command)
        frame = self._next_answer()
        return frame.text if frame.content_type == "api/response" else frame.reply_text

    def write(self, command: Command) -> None:
        """Write a command without waiting."""
        self._socket.sendall(command.data)

    def until(self, name: str, wait_s: float = 15, **headers: str) -> EslEvent:
        """The next event of this name with these headers (`_` for `-`); others are kept."""
        wanted = {header.replace("_", "-"): value for header, value in headers.items()}
        end = time.monotonic() + wait_s
        while True:
            for place, event in enumerate(self.events):
                if event.name == name and all(event.get(header) == value for header, value in wanted.items()):
                    del self.events[place]
                    return event
            assert time.monotonic() < end, f"no {name} {wanted}, but {[event.name for event in self.events]}"
            self._read()

    def close(self) -> None:
        self._socket.close()

    def _next_answer(self) -> Frame:
        end = time.monotonic() + 15
        while not self._answers:
            assert time.monotonic() < end, "no answer"
            self._read()
        return self._answers.pop(0)

    def _read(self) -> None:
        if select.select([self._socket], [], [], 0.5)[0]:
            data = self._socket.recv(65536)
            assert data, "the link was closed"
            for frame in self._codec.feed(data):
                if frame.content_type.startswith("text/event"):
                    self.events.append(frame.event())
                elif frame.content_type != "text/disconnect-notice":
                    self._answers.append(frame)


def passing_freeswitch(program: Path, node: ConfiguredNode) -> Child:
    """One of which nothing is to be kept: it is ended at once, where it would take four seconds to leave."""
    return replace(freeswitch_child(program, node), stop_signal=signal.SIGKILL)


def logged_in(esl_port: int, password: str) -> Link:
    """A link to a node on loopback."""
    link = Link(socket.create_connection(("127.0.0.1", esl_port)))
    assert link.send(auth(password)) == "+OK accepted"
    return link


@contextmanager
def running_media_node(freeswitch: Path, folder: Path) -> Iterator[MediaNode]:
    """Start a FreeSWITCH whose files all lie in `folder`, and stop it at the end."""
    esl_port, sip_port = free_ports(2)
    node = MediaNode(folder, esl_port, sip_port)
    places = {name: folder / name for name in ("conf", "log", "db", "run", "sounds", "recordings", "cache")}
    for place in places.values():
        place.mkdir()
    rtp_from = 20_000 + os.getpid() % 200 * 200
    modules = "".join(f'<load module="mod_{name}"/>' for name in MODULES)
    ports = {"esl": node.esl_port, "sip": node.sip_port, "rtp_from": rtp_from, "rtp_to": rtp_from + 198}
    text = CONFIGURATION.substitute(ports, modules=modules, password="secret")
    (places["conf"] / "freeswitch.xml").write_text(text)
    options = [option for name, place in places.items() for option in (f"-{name}", str(place))]
    with (folder / "output").open("wb") as output:
        process = subprocess.Popen(
            [str(freeswitch), "-nonat", "-nf", "-nc", "-c", *options],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    try:
        _wait_until_up(node, process)
        yield node
    finally:
        for link in node.links:
            link.close()
        process.kill()
        process.wait()


def _wait_until_up(node: MediaNode, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end and process.poll() is None:
        try:
            link = node.link()
        except OSError:
            time.sleep(0.1)
            continue
        while "RUNNING" not in link.send(line("api", "sofia status")):
            time.sleep(0.1)
        return
    raise AssertionError(f"FreeSWITCH did not start: {(node.folder / 'output').read_text()[-2000:]}")


def new_uuid() -> str:
    return str(uuid4())
