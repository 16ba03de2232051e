"""Without a FreeSWITCH: documents with values in them, performed on paper down to the bytes that a node would get."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from controlplane.calls.commands import Burst, Command, FetchDocument, Originate
from controlplane.calls.events import BurstDone, DocumentArrived, LegAnswered
from controlplane.calls.runs import Collect, PlayPrompts
from controlplane.esl.commands import Command as EslCommand
from controlplane.esl.connection import SwitchConnection
from controlplane.esl.errors import UnsafeValue
from controlplane.esl.sip_uri import Hop
from controlplane.switch.prompts import sound_key
from controlplane.switch.writing import Writer
from controlplane.verbs.documents import Pause
from tests.fuzz.freeswitch_reading import read_dial
from tests.injection.application import Answer
from tests.injection.outcomes import Attempt
from tests.injection.payloads import all_payloads, some_of_each
from tests.injection.places import Place, with_addresses
from tests.injection.run import application_places
from tests.injection.wiretap import problem_of
from tests.unit.calls.conversation import APP_URL, Conversation

EACH = 5
WRITER = Writer("internal", Hop("127.0.0.1", 5090), "/recordings", allow_private=True)


class Placed:
    """Where every prompt lies."""

    path = "/prompts/a.wav"


def attempts() -> Iterator[Attempt]:
    payloads = all_payloads()
    for turn, place in enumerate(application_places()):
        yield from (Attempt(0, place, payload) for payload in some_of_each(payloads, turn, EACH))


def answer_of(place: Place, text: str) -> Answer:
    return with_addresses(place.answer(text), "http://app.example", "phone.example")


def said(attempt: Attempt) -> list[Command]:
    """What the machine asks for when the application answers with the value in its document."""
    call = Conversation()
    call.offer()
    answer = answer_of(attempt.place, attempt.payload.aimed_at("/tmp/1", "127.0.0.1:9"))
    asked = call.last(FetchDocument)
    call.feed(DocumentArrived(asked.token, APP_URL, answer.content_type, answer.body))
    call.feed(LegAnswered(call.facts.a_leg))
    bursts = [command for commands in call.commands for command in commands if isinstance(command, Burst)]
    if bursts:
        call.feed(BurstDone(call.facts.a_leg, bursts[-1].token))
    return [command for commands in call.commands for command in commands]


def written(command: Command) -> list[EslCommand]:
    """The same in the node's words; raises UnsafeValue."""
    match command:
        case Burst(_, _, runs):
            prompts = [prompt for run in runs if isinstance(run, PlayPrompts | Collect) for prompt in run.prompts]
            sounds = {sound_key(prompt): Placed() for prompt in prompts if not isinstance(prompt, Pause)}
            return WRITER.burst(command, runs, sounds, left=0)
        case Originate():
            return [WRITER.originate(command, Conversation().facts.call)]
        case _:
            return []


def written_if_safe(command: Command) -> list[EslCommand]:
    try:
        return written(command)
    except UnsafeValue:
        return []


def problems(attempt: Attempt) -> Iterator[str]:
    for command in said(attempt):
        for one in written_if_safe(command):
            connection = SwitchConnection()
            frames = connection.feed(one.data)
            if len(frames) != 1 or connection.eof():
                yield f"{attempt.name}: {len(frames)} commands for one"
            for frame in frames:
                if frame.get("execute-app-name") == "bridge":
                    read_dial(frame.body)
                if problem := problem_of(frame):
                    yield f"{attempt.name}: {problem}: {frame.line} {frame.body[:200]}"


def test_documents_with_attempts_in_them_make_commands_of_our_shapes_alone() -> None:
    assert [problem for attempt in attempts() for problem in problems(attempt)] == []


def test_the_wiretap_knows_what_is_ours() -> None:
    data = b"bgapi originate [leg_timeout=1,sip_h_X-A=1,sip_h_X-B='2 3']sofia/internal/sip:a@b &park()\n\n"
    [frame] = SwitchConnection().feed(data)
    assert not problem_of(frame)


@pytest.mark.parametrize(
    "data",
    [
        b"api system true\n\n",
        b"api status\r\n\n",
        b"api uptime\nX: 1\n\n",
        b"bgapi originate {x=1}sofia/internal/sip:a@b;fs_path=sip:c &park()\n\n",
        b"bgapi originate [sip_h_X-A=1,sip_h_Canary=1]sofia/internal/sip:a@b &park()\n\n",
        b"bgapi originate [sip_h_X-A=1,sip_auth_username=x,api_on_answer=y]sofia/internal/sip:a@b &park()\n\n",
        b"bgapi originate [leg_timeout=1,sip_h_X-A=1,leg_timeout=9]sofia/internal/sip:a@b &park()\n\n",
        b"api uuid_setvar_multi 01890a5d-ac96-774b-bcce-b302099a8057 ^^|callplane_sent=x|canary=1\n\n",
        b"sendmsg 01890a5d-ac96-774b-bcce-b302099a8057\ncall-command: execute\nexecute-app-name: set\n\n",
    ],
)
def test_the_wiretap_knows_what_is_none_of_ours(data: bytes) -> None:
    [frame] = SwitchConnection().feed(data)
    assert problem_of(frame)
