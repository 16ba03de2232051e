"""How late a link is: something cheap is asked again and again, and the time until the answer is the measure.

FreeSWITCH, once it sends events, sends a connection all that wait for it before it reads the next command, and answers
in turn (mod_event_socket.c, read_packet). So the answer to a ping comes behind the events that lay in its queue and in
the sockets when it was asked. That needs no two clocks that agree, and finds a link that is half open as well as one
that we do not read fast enough. Either is closed when it is too late: FreeSWITCH then gives its queue up, which it
would otherwise fill until the whole node stands still (ARCHITECTURE.md).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from controlplane.base.clock import Clock
from controlplane.esl import apis
from controlplane.esl.frames import Frame
from controlplane.switch.link import Link, LinkLost

PING_S = 0.25
# Of waking time: a process that slept has not looked. 20 looks are 5 s, half of what a parked call waits at the door.
MOST_LOOKS = 20
# The node keeps no events for a command link, and answers nothing there while it carries out a long command.
MOST_LOOKS_AT_COMMANDS = 80


@dataclass(slots=True)
class Pinger:
    """One link's."""

    link: Link
    clock: Clock
    most_looks: int = MOST_LOOKS
    _asked_s: float | None = None  # when the ping that is under way was asked
    _took_s: float = field(default=0.0)  # of the last one that was answered

    @property
    def delay_s(self) -> float:
        """How late the link is: the last answer took so long, or the next one is already longer on its way."""
        waiting_s = 0.0 if self._asked_s is None else self.clock.monotonic_s() - self._asked_s
        return max(self._took_s, waiting_s)

    async def run(self) -> None:
        """Ping until the link is over, or end it when it is too late."""
        looks = 0
        while self.link.is_up:
            if self._asked_s is None:
                looks = 0
                self._ask()
            elif looks >= self.most_looks:
                self.link.abort("no answer to pings")
            looks += 1
            await self.clock.sleep(PING_S)

    def _ask(self) -> None:
        self._asked_s = asked_s = self.clock.monotonic_s()

        def answered(frame: Frame | None) -> None:
            if frame is not None:
                self._took_s = self.clock.monotonic_s() - asked_s
            self._asked_s = None

        try:
            self.link.send(apis.ping(), answered)
        except LinkLost:
            return
