"""A greenswitch outbound application as its documentation has it: answers, plays a file, hangs up.

Arguments: the port to listen on, the file. Prints a line when it listens.
"""

from __future__ import annotations

from gevent import monkey

monkey.patch_all()

import sys  # noqa: E402

import gevent  # noqa: E402
from greenswitch.esl import OutboundESLServer, OutboundSession  # noqa: E402


class Application:
    """One call."""

    file = ""

    def __init__(self, session: OutboundSession) -> None:
        self.session = session

    def run(self) -> None:
        """Control it to its end."""
        self.session.myevents()
        self.session.answer()
        self.session.playback(self.file)
        self.session.hangup()


def main(port: int, file: str) -> None:
    """Serve until killed."""
    Application.file = file
    server = OutboundESLServer("127.0.0.1", port, application=Application, max_connections=10_000)
    gevent.spawn_later(0.2, print, "listening", flush=True)
    server.listen()


main(int(sys.argv[1]), sys.argv[2])
