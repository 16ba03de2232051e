"""A caller and the leg that came in of it, on a FreeSWITCH of our own."""

from __future__ import annotations

import wave
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from controlplane.base.causes import Cause
from controlplane.esl import apis
from controlplane.esl.apps import App, execute
from controlplane.esl.commands import EslEventName
from controlplane.esl.dialstring import DialledLeg
from controlplane.esl.frames import EslEvent
from controlplane.esl.sip_uri import Endpoint, Hop, SipUri
from controlplane.esl.values import NodeFile
from controlplane.esl.variables import Setting, Variable
from tests.acceptance.media_node import Link, MediaNode, new_uuid

EVENTS = [name for name in EslEventName if name != EslEventName.HEARTBEAT]


@dataclass(slots=True)
class Call:
    """A caller (a leg that FreeSWITCH dialled to itself) and the leg that came in of it, which is parked."""

    node: MediaNode
    link: Link
    caller: str
    leg: str

    def run(self, app: App) -> EslEvent:
        """Run an application on the leg and wait until it is through."""
        token = f"t.{new_uuid()}"
        assert self.link.send(execute(self.leg, app, token)) == "+OK"
        return self.link.until("CHANNEL_EXECUTE_COMPLETE", Application_UUID=token)

    def start(self, app: App) -> str:
        """Run an application on the leg, and answer its token when it begins."""
        token = f"t.{new_uuid()}"
        assert self.link.send(execute(self.leg, app, token)) == "+OK"
        self.link.until("CHANNEL_EXECUTE", Application_UUID=token)
        return token

    def done(self, token: str) -> EslEvent:
        return self.link.until("CHANNEL_EXECUTE_COMPLETE", Application_UUID=token)

    def file(self, name: str) -> NodeFile:
        return NodeFile(str(self.node.folder / f"{name}-{self.leg}.wav"))


@contextmanager
def parked_call_on(node: MediaNode) -> Iterator[Call]:
    """Let somebody call in and be parked; both legs are ended at the end."""
    link = node.link(*EVENTS)
    caller = new_uuid()
    settings = (Setting(Variable.ORIGINATION_UUID, caller),)
    assert link.send(apis.originate(party(node, "parked", settings), (), "caller")).startswith("+OK")
    parked = link.until("CHANNEL_PARK", Caller_Destination_Number="parked", Call_Direction="inbound")
    call = Call(node, link, caller, parked.get("Unique-ID") or "")
    yield call
    link.send(apis.uuid_kill(call.leg, Cause.NORMAL_CLEARING))
    link.send(apis.uuid_kill(caller, Cause.NORMAL_CLEARING))


def party(
    node: MediaNode, name: str, settings: tuple[Setting, ...] = (), on_answer: tuple[App, ...] = ()
) -> DialledLeg:
    """Somebody who lives in the same node's dialplan."""
    endpoint = Endpoint("internal", SipUri(name, Hop("127.0.0.1", node.sip_port)))
    return DialledLeg(endpoint, settings, on_answer=on_answer)


def loudest(file: NodeFile) -> float:
    """The mean of the absolute samples, 0 to 1, in the loudest tenth of a second of a recording."""
    with wave.open(file.path) as recorded:
        data = recorded.readframes(recorded.getnframes())
    samples = [abs(int.from_bytes(data[i : i + 2], "little", signed=True)) for i in range(0, len(data), 2)]
    return max(sum(samples[i : i + 800]) / 800 / 32768 for i in range(0, len(samples), 800))
