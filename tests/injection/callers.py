"""Where a caller's value can stand: every part of an INVITE, and what comes later (later.py), one a call.

Callers can put a line end into a name or number only in a written form (`%0A`), as a real one ends the header; what
comes of that on the media node, in what the tenant is told and in the INVITE to somebody who is dialled next is the
matter here.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from uuid import UUID

from controlplane.base.ids import LegId, call_of_leg
from controlplane.emulator.phones.sip_text import Headers
from tests.injection.application import Answer, Asked
from tests.injection.callees import one_line
from tests.injection.lanes import place_addresses
from tests.injection.later import LATER_PLACES
from tests.injection.outcomes import Outcomes
from tests.injection.payloads import Payload
from tests.injection.places import PHONE
from tests.injection.stage import NUMBER, Stage
from tests.injection.telephones import SDP, Address, Line, Telephones

ANSWERED_WITHIN_S, OVER_WITHIN_S = 4.0, 30.0
AT_ONCE, LOOK_S = 24, 0.5
_FIRST = Answer(
    f'<Response><Dial timeout="5"><Sip>sip:bob@{PHONE}</Sip></Dial><Redirect>/last</Redirect></Response>'.encode()
)
_LAST = Answer(b"<Response><Hangup/></Response>")
_ME = "sip:+15550002000@127.0.0.1"

# What of an INVITE is another than usual; `more…` are further headers.
Changed = dict[str, str]
CALLER_PLACES: dict[str, Callable[[str], Changed]] = {
    "From user": lambda text: {"From": f"<sip:{text}@127.0.0.1>"},
    "From name": lambda text: {"From": f'"{text}" <{_ME}>'},
    "From name, escaped": lambda text: {"From": f'"{_escaped(text)}" <{_ME}>'},
    "From name without quotes": lambda text: {"From": f"{text} <{_ME}>"},
    "From host": lambda text: {"From": f"<sip:+15550002000@{text}>"},
    "From parameter of address": lambda text: {"From": f"<{_ME};x={text}>"},
    "From parameter": lambda text: {"From": f"<{_ME}>;x={text}"},
    "To user": lambda text: {"To": f"<sip:{text}@127.0.0.1>"},
    "To name": lambda text: {"To": f'"{text}" <sip:{NUMBER}@127.0.0.1>'},
    "request user": lambda text: {"uri user": text},
    "request parameter": lambda text: {"uri more": f";x={text}"},
    "request header": lambda text: {"uri more": f"?x={text}"},
    "Contact user": lambda text: {"Contact": f"<sip:{text}@@CONTACT@>"},
    "Contact parameter": lambda text: {"Contact": f"<sip:phone@@CONTACT@;x={text}>"},
    "Via host": lambda text: {"Via": f"SIP/2.0/UDP {text};branch=z9hG4bK@ID@;rport"},
    "Via parameter": lambda text: {"Via": f"SIP/2.0/UDP @CONTACT@;branch=z9hG4bK@ID@;rport;x={text}"},
    "Call-ID": lambda text: {"Call-ID": text},
    "X-Stored": lambda text: {"more X-Stored": text},
    "X- name": lambda text: {f"more X-{text}": "1"},
    "header name": lambda text: {f"more {text}": "1"},
    "User-to-User": lambda text: {"more User-to-User": text},
    "P-Asserted-Identity": lambda text: {"more P-Asserted-Identity": f'"{text}" <sip:{text}@127.0.0.1>'},
    "Remote-Party-ID": lambda text: {"more Remote-Party-ID": f'"{text}" <sip:{text}@127.0.0.1>;party=calling'},
    "P-Preferred-Identity": lambda text: {"more P-Preferred-Identity": f'"{text}" <sip:{text}@127.0.0.1>'},
    "Privacy": lambda text: {"more Privacy": text},
    "Identity": lambda text: {"more Identity": f"{text};info=<{text}>;alg={text};ppt={text}"},
    "Session-Expires": lambda text: {"more Session-Expires": text},
    "Session-Expires refresher": lambda text: {"more Session-Expires": f"1800;refresher={text}"},
    "Supported": lambda text: {"more Supported": text},
    "Diversion": lambda text: {"more Diversion": f'"{text}" <sip:{text}@127.0.0.1>;reason={text}'},
    "History-Info": lambda text: {"more History-Info": f"<sip:{text}@127.0.0.1>;index=1"},
    "User-Agent": lambda text: {"more User-Agent": text},
    "Subject": lambda text: {"more Subject": text},
    "Reason": lambda text: {"more Reason": f'Q.850;cause=16;text="{text}"'},
    "Call-Info": lambda text: {"more Call-Info": f"<{text}>;purpose=icon"},
    "Alert-Info": lambda text: {"more Alert-Info": f"<{text}>"},
    "Replaces": lambda text: {"more Replaces": f"{text};to-tag=1;from-tag=1"},
    "Referred-By": lambda text: {"more Referred-By": f"<sip:{text}@127.0.0.1>"},
    "Proxy-Authorization": lambda text: {"more Proxy-Authorization": f'Digest username="{text}", realm="{text}"'},
    "Route": lambda text: {"more Route": f"<sip:127.0.0.1;lr;x={text}>"},
    "Date": lambda text: {"more Date": text},
    "session name": lambda text: {"body": SDP.replace("s=-", f"s={text}")},
    "codec": lambda text: {"body": SDP.replace("PCMU/8000", f"PCMU/8000/{text}")},
    "attribute": lambda text: {"body": f"{SDP}a=canary:{text}\r\na={text}\r\n"},
}


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


def invite(telephones: Telephones, peer: Address, place: str, text: str, own: Headers = ()) -> Line:
    """Call with a text of one line in a place of the INVITE, and `own` headers in any case."""
    changed = CALLER_PLACES[place](text)
    uri = f"sip:{changed.get('uri user', NUMBER)}@{peer[0]}:{peer[1]}{changed.get('uri more', '')}"
    instead = {
        name: value.replace("@CONTACT@", telephones.contact).replace("@ID@", secrets.token_hex(8))
        for name, value in changed.items()
        if " " not in name
    }
    more = [(name[5:], value) for name, value in changed.items() if name.startswith("more ")]
    # A header whose name begins with a blank goes on with the one before it.
    return telephones.dial(NUMBER, peer, (*own, *more), **{"uri": uri, **instead})


@dataclass(slots=True)
class Call:
    """One attempt by a caller. `number` names its canary's file; `asked` counts what the application was asked."""

    number: int
    place: str
    payload: Payload
    asked: int = 0
    sid: str = ""

    @property
    def name(self) -> str:
        return self.place if self.place in LATER_PLACES else f"INVITE {self.place}"


@dataclass(slots=True)
class Callers:
    """Makes calls, some at once, each of which must be taken or refused."""

    stage: Stage
    outcomes: Outcomes
    _calls: dict[str, Call] = field(default_factory=dict)

    async def run(self, calls: Iterable[Call]) -> None:
        """Make these calls."""
        self.stage.answers.append(self.answer)
        waiting = iter(calls)

        async def one_after_another() -> None:
            for call in waiting:
                await self._make(call)

        await asyncio.gather(*(one_after_another() for _ in range(AT_ONCE)))
        self.stage.answers.pop()

    def answer(self, asked: Asked) -> Answer:
        """Answer what the platform asks: dial somebody under the caller's name, then hang up."""
        if asked.path not in ("/next", "/last", "/fallback"):
            return Answer(status=204)
        call = self._calls.get(asked.parameters.get("SipHeader_X-Attempt", ""))
        if call is not None:
            call.asked += 1
            call.sid = asked.parameters.get("CallSid", "")
            if "ErrorCode" in asked.parameters:
                self.outcomes.problems.append(f"{call.name}: {call.payload.id}: {asked.parameters}")
        return place_addresses(_FIRST, self.stage) if asked.path == "/next" else _LAST

    async def _make(self, call: Call) -> None:
        self._calls[str(call.number)] = call
        line = self._dial(call)
        if not await _ends(line, ANSWERED_WITHIN_S) and line.status == 0 and not call.asked:
            self._told(call, "refused unheard")  # what cannot be read cannot be answered (RFC 3261 §8.2.6)
            self.stage.telephones.forget(line)
            return
        until_s = asyncio.get_running_loop().time() + OVER_WITHIN_S
        while not line.is_over and not await self._is_over(call):
            if asyncio.get_running_loop().time() > until_s:
                self._fails(call, f"a call that does not end: SIP {line.status}, asked {call.asked} times")
                self.stage.telephones.hang_up(line)
                return
            await _ends(line, LOOK_S)
        self._judge(call, line)
        self.stage.telephones.hang_up(line)

    async def _is_over(self, call: Call) -> bool:
        """Ask the API whether the platform is through with a call whose Contact, for one, leads nowhere."""
        if not call.sid:
            return False
        leg = LegId(str(UUID(call.sid[2:])))
        _, _, body = await self.stage.ask("GET", f"/api/v1/voice/calls/{call_of_leg(leg)}")
        return b'"status":"completed"' in body

    def _judge(self, call: Call, line: Line) -> None:
        if line.answered is None and line.status >= 300:
            self._told(call, f"refused SIP {line.status}")
        elif call.asked and line.answered is None and call.place == "Call-ID":
            self._told(call, "carried out unheard")  # the node wrote it otherwise: its answers were for no call of ours
        elif line.answered is not None and self._was_ended(call):
            self._told(call, "carried out")
        elif call.asked < 2 or line.answered is None:
            self._fails(call, f"a dead call: SIP {line.status}, {line.cause}, asked {call.asked} times")
        else:
            self._told(call, "carried out")

    def _dial(self, call: Call) -> Line:
        text = one_line(call.payload.aimed_at(self.stage.canaries.file(call.number), self.stage.canaries.host))
        own = (("X-Attempt", str(call.number)), ("X-Between", "1"))
        telephones = self.stage.telephones
        if call.place in LATER_PLACES:
            later = LATER_PLACES[call.place](text)
            line = telephones.dial(NUMBER, self.stage.sip_peer, own)
            line.on_answer = lambda line: telephones.say(line, later.method, later.headers, later.body)
            return line
        return invite(telephones, self.stage.sip_peer, call.place, text, own)

    def _was_ended(self, call: Call) -> bool:
        return call.place.startswith("BYE ")

    def _told(self, call: Call, outcome: str) -> None:
        self.outcomes.note(call.name, call.payload.id, outcome)

    def _fails(self, call: Call, what: str) -> None:
        self.outcomes.note(call.name, call.payload.id, "problems")
        self.outcomes.problems.append(f"{call.name} <- {call.payload.id}: {what}")


async def _ends(line: Line, within_s: float) -> bool:
    try:
        await asyncio.wait_for(line.over.wait(), within_s)
    except TimeoutError:
        return False
    return True
