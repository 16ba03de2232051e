"""One link to the node: bytes in, bytes out (mod_event_socket.c, listener_run and read_packet).

The listener's thread sleeps in a poll of its socket, 20 ms at a time, and a queued event does not wake it: events leave
when the poll ends or when a byte comes in, whichever is first. While half a command is in the buffer none leave.
Commands are answered in their order. A listener whose peer does not read keeps events up to `queue_limit`; further ones
are lost, and past `lost_limit` in a row the link is closed.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from controlplane.emulator.apis import run_api
from controlplane.emulator.channel import Message
from controlplane.emulator.events import Event
from controlplane.emulator.rules import LinkRules
from controlplane.emulator.subscriptions import Subscription
from controlplane.esl.connection import SwitchConnection
from controlplane.esl.errors import RemoteEslError
from controlplane.esl.frames import CommandFrame
from controlplane.esl.writing import (
    encode_api_response,
    encode_auth_request,
    encode_command_reply,
    encode_disconnect_notice,
)

if TYPE_CHECKING:
    from controlplane.emulator.node import Node

_REJECTION = b"Content-Type: text/rude-rejection\nContent-Length: 24\n\nAccess Denied, go away.\n"
_KILLED = b"killed listener because of lost events\n"


class Listener:
    """One link. `write` takes bytes for the peer, `close` ends the transport when all of them are out."""

    def __init__(self, node: Node, rules: LinkRules, write: Callable[[bytes], None], close: Callable[[], None]) -> None:
        self._node, self._rules, self._write, self._close = node, rules, write, close
        self.subscription = Subscription()
        self._connection = SwitchConnection()
        self._commands: deque[CommandFrame] = deque()
        self._queue: deque[Event] = deque()
        self._lost = 0
        self._is_authed = self._is_blocked = self._is_busy = self._is_over = self._is_polling = self._is_working = False
        self._polled_ms = node.clock.monotonic_ms()

    # The transport's side

    def begin(self) -> None:
        """The peer connected."""
        self._node.attach(self)
        if self._rules.is_refusing:
            self._write(_REJECTION)
            self._finish()
            return
        self._write(encode_auth_request())

    def receive(self, data: bytes) -> None:
        """Bytes came in: carry out the commands that are now whole, then let events out."""
        if self._is_over:
            return
        try:
            self._commands.extend(self._connection.feed(data))
        except RemoteEslError:
            self._finish()
            return
        self._work()

    def block(self) -> None:
        """The peer does not read: nothing more can be written for now."""
        self._is_blocked = True

    def unblock(self) -> None:
        """The peer reads again."""
        self._is_blocked = False
        self._work()

    def lose(self) -> None:
        """The peer is gone. Its calls go on."""
        self._is_over = True
        self._queue.clear()
        self._node.detach(self)

    def cut(self) -> None:
        """End the link without a word."""
        self.lose()
        self._close()

    # The node's side

    def offer(self, event: Event) -> None:
        """An event was fired: keep it for the peer if it wants it."""
        if self._is_over or not self.subscription.wants(event):
            return
        if len(self._queue) >= self._rules.queue_limit:
            self._lost += 1
            if self._lost > self._rules.lost_limit:
                self._kill()
            return
        self._lost = 0
        self._queue.append(event)
        self._poll()

    def _poll(self) -> None:
        """Appoint the end of the running poll, once."""
        if self._is_polling or self._is_blocked:
            return
        self._is_polling = True
        now_ms, poll_ms = self._node.clock.monotonic_ms(), self._rules.poll_ms
        wait_ms = poll_ms - (now_ms - self._polled_ms) % poll_ms if poll_ms else 0
        self._node.clock.call_at_ms(now_ms + wait_ms, self._end_poll)

    def _end_poll(self) -> None:
        self._is_polling = False
        self._work()

    def _work(self) -> None:
        if self._is_working:
            return
        self._is_working = True
        try:
            self._do_work()
        finally:
            self._is_working = False

    def _do_work(self) -> None:
        while self._commands and not self._is_busy and not self._is_over:
            self._obey(self._commands.popleft())
        self._polled_ms = self._node.clock.monotonic_ms()
        if self._is_over or self._is_blocked or self._is_busy or self._connection.eof():
            return
        while self._queue and not self._is_blocked:
            event = self._queue.popleft()
            self._write(event.json() if self.subscription.format == "json" else event.plain())

    def _kill(self) -> None:
        self._write(b"Content-Type: text/disconnect-notice\nContent-Length: %d\n\n%b" % (len(_KILLED), _KILLED))
        self.cut()

    def _finish(self) -> None:
        self._write(encode_disconnect_notice())
        self.lose()
        self._close()

    # Commands

    def _obey(self, command: CommandFrame) -> None:
        verb, _, rest = command.line.partition(" ")
        verb = verb.lower()
        if verb.startswith(("exit", "...")):
            self._reply("+OK bye")
            self._finish()
        elif not self._is_authed:
            self._authenticate(verb, rest)
        elif verb == "api":
            self._run_api(rest)
        elif verb == "bgapi":
            self._run_job(command, rest)
        elif verb == "sendmsg":
            self._reply(self._send_message(command, rest.strip()))
        else:
            self._reply(self._subscribe(verb, rest) or "-ERR command not found")

    def _authenticate(self, verb: str, password: str) -> None:
        if verb != "auth":
            self._reply("-ERR command not found")
        elif password == self._rules.password:
            self._is_authed = True
            self._reply("+OK accepted")
        else:
            self._reply("-ERR invalid")
            self._finish()

    def _subscribe(self, verb: str, rest: str) -> str | None:
        """Commands are known by how they begin: `EVENTS PLAIN ALL` is `event`."""
        words = rest.split()
        if verb.startswith("event"):
            reply = self.subscription.subscribe(words)
        elif verb.startswith("nixevent"):
            reply = self.subscription.unsubscribe(words)
        elif verb.startswith("noevents"):
            self._queue.clear()
            reply = self.subscription.clear()
        elif verb == "filter":
            return self.subscription.filter(rest)
        elif verb.startswith(("linger", "nolinger")):
            return "-ERR not controlling a session"
        elif verb.startswith("nolog"):
            return "+OK no longer logging"
        elif verb.startswith("log"):
            return f"+OK log level {rest.strip()} [7]"
        else:
            return None
        self._node.subscriptions_changed()
        return reply

    def _run_api(self, rest: str) -> None:
        """The listener's thread carries `api` out itself: nothing else happens on this link meanwhile."""
        self._is_busy = True

        def done(answer: str) -> None:
            self._is_busy = False
            if not self._is_over:
                self._write(encode_api_response(answer))
                self._work()

        name, _, argument = rest.strip().partition(" ")
        run_api(self._node, name, argument, done)

    def _run_job(self, command: CommandFrame, rest: str) -> None:
        job = command.get("Job-UUID") or self._node.make_uuid()
        name, _, argument = rest.strip().partition(" ")
        self._reply(f"+OK Job-UUID: {job}", (("Job-UUID", job),))
        headers = [("Job-UUID", job), ("Job-Command", name), *([("Job-Command-Arg", argument)] if argument else [])]
        node = self._node

        def done(answer: str) -> None:
            node.fire("BACKGROUND_JOB", tuple(headers), answer)

        node.clock.call_at_ms(node.clock.monotonic_ms(), lambda: run_api(node, name, argument, done))

    def _send_message(self, command: CommandFrame, uuid: str) -> str:
        uuid = uuid or command.get("session-id") or ""
        channel = self._node.channels.get(uuid)
        if channel is None:
            return f"-ERR invalid session id [{uuid}]"
        if (command.get("call-command") or "").lower() == "hangup":
            cause = command.get("hangup-cause") or "NORMAL_CLEARING"
            return "+OK" if channel.send(Message(cause=cause)) else "-ERR memory error"
        data = command.get("execute-app-arg") or ""
        if not data and (command.get("content-type") or "").lower() == "text/plain":
            data = command.body
        message = Message(
            app=command.get("execute-app-name") or "", data=data, token=command.get("event-uuid"),
            is_locked=(command.get("event-lock") or "").lower() in ("true", "yes", "on", "1"),
            loops=int(command.get("loops") or 1),
        )  # fmt: skip
        return "+OK" if channel.send(message) else "-ERR memory error"

    def _reply(self, text: str, extra: tuple[tuple[str, str], ...] = ()) -> None:
        self._write(encode_command_reply(text, extra))
