"""A record-routing Kamailio of a test's own, before media nodes and telephones on loopback."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from controlplane.cli.ports import free_port
from controlplane.render import MediaNode
from tests.chaos.programs import Program

_CONFIGURATION = Path(__file__).with_name("kamailio.cfg")
_ASKED = (
    "OPTIONS sip:127.0.0.1:{port} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:{own};branch=z9hG4bK1;rport\r\n"
    "From: <sip:probe@127.0.0.1>;tag=1\r\nTo: <sip:probe@127.0.0.1>\r\nCall-ID: probe\r\nCSeq: 1 OPTIONS\r\n"
    "Max-Forwards: 9\r\nContent-Length: 0\r\n\r\n"
)


def find_kamailio() -> Path | None:
    """The installed one."""
    found = shutil.which("kamailio") or shutil.which("kamailio", path="/usr/sbin")
    return Path(found) if found else None


class SipProxy:
    """Calls from outside go to the first node that answers, calls of nodes to the telephones."""

    def __init__(self, program: Path, folder: Path, nodes: Sequence[MediaNode], phones: str) -> None:
        self.port = free_port()
        folder.mkdir(parents=True, exist_ok=True)
        rows = [f"1 sip:{node.sip_address}:{node.sip_port} 0 {99 - place}\n" for place, node in enumerate(nodes)]
        (folder / "dispatcher.list").write_text("".join(rows))
        text = _CONFIGURATION.read_text()
        for name, value in (("PORT", str(self.port)), ("FOLDER", str(folder)), ("PHONES", phones)):
            text = text.replace(f"@{name}@", value)
        (folder / "kamailio.cfg").write_text(text)
        argv = (str(program), "-DD", "-E", "-f", str(folder / "kamailio.cfg"), "-Y", str(folder), "-m", "32", "-M", "8")
        self.program = Program("kamailio", argv, lambda _name, _line: None, probe=self._answers)

    @property
    def contact(self) -> str:
        """Where it is reached."""
        return f"127.0.0.1:{self.port}"

    async def _answers(self) -> bool:
        with socket.socket(type=socket.SOCK_DGRAM) as ours:
            ours.bind(("127.0.0.1", 0))
            ours.settimeout(0.1)
            ours.sendto(_ASKED.format(port=self.port, own=ours.getsockname()[1]).encode(), ("127.0.0.1", self.port))
            with suppress(OSError):
                return ours.recv(2048).startswith(b"SIP/2.0 200")
        return False
