"""Sending to a broker that may hang: from one thread of its own, and nobody waits for it for long.

The clients of brokers block, and not every wait of theirs has an end. What hangs here holds this thread and no other:
neither the loop nor its pool of threads, in which files are written and names looked up. While it hangs, whoever wants
to send is told at once.
"""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future
from dataclasses import dataclass, field
from queue import SimpleQueue
from time import monotonic

from controlplane.tasks.app import BrokerAway, CeleryApp, nudge

ANSWER_S = 2.0  # a broker that lives takes a millisecond


@dataclass(slots=True)
class Sender:
    """Sends nudges, one after the other. Ends with the process: nothing is lost that has not been sent."""

    app: CeleryApp
    answer_s: float = ANSWER_S
    _asked: SimpleQueue[tuple[str, Future[None]]] = field(default_factory=SimpleQueue)
    _thread: threading.Thread | None = None
    _since_s: float | None = None  # of what is being sent, on the monotonic clock

    async def send(self, name: str) -> None:
        """Say that there is work of a kind. Raises BrokerAway, `answer_s` from now at the latest."""
        since_s = self._since_s
        if since_s is not None and monotonic() - since_s >= self.answer_s:
            raise BrokerAway("The message broker hangs.")
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="nudges", daemon=True)
            self._thread.start()
        sent: Future[None] = Future()
        self._asked.put((name, sent))
        try:
            await asyncio.wait_for(asyncio.wrap_future(sent), self.answer_s)
        except TimeoutError:
            raise BrokerAway("The message broker hangs.") from None

    def _work(self) -> None:
        while True:
            name, sent = self._asked.get()
            if not sent.set_running_or_notify_cancel():
                continue  # nobody waited so long
            self._since_s = monotonic()
            try:
                nudge(self.app, name)
            except BrokerAway as error:
                sent.set_exception(error)
            else:
                sent.set_result(None)
            finally:
                self._since_s = None
