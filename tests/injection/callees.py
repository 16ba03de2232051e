"""Whoever is dialled: looks at each INVITE, and answers or is busy by the number."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count

from controlplane.emulator.phones.sip_text import Request, user_in
from tests.injection.application import Answer
from tests.injection.canaries import Canaries
from tests.injection.places import PHONE, Place, element, twiml
from tests.injection.telephones import SDP, Reaction

_WORDS = (
    "via route record-route from to call-id cseq contact max-forwards user-agent allow supported allow-events"
    " session-expires min-se privacy content-type content-disposition content-length x-fs-support"
    " remote-party-id p-asserted-identity"
)
_HEADERS = frozenset(_WORDS.split())
_TENANTS_OWN = re.compile(
    r"(X-[A-Za-z0-9-]{1,60}|User-to-User|Remote-Party-ID|P-Preferred-Identity|P-Called-Party-ID)\Z"
)
_CONTROLS = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(slots=True)
class Callees:
    """Telephones that are called. `count` is how many calls came."""

    canaries: Canaries
    count: int = 0

    def take(self, invite: Request) -> Reaction:
        """What to answer: numbers that end with 2 talk, who was given a reaction has that, all others are busy."""
        self.count += 1
        for name, value in invite.headers:
            if name.lower() not in _HEADERS and not _TENANTS_OWN.match(name):
                self.canaries.sing(f"an INVITE with a header that nobody set: {name}: {value[:80]}")
            if name.startswith("X-Attempt"):
                self.canaries.sing(f"an INVITE with a caller's header: {name}: {value[:80]}")
            if _CONTROLS.search(value):
                self.canaries.sing(f"an INVITE with a line end inside of a header: {name}: {value[:80]!r}")
        user = user_in(invite.uri)
        return _waiting.pop(user, Reaction(200 if user.endswith("2") else 486))


# Where a callee's value can stand: it is dialled under a name of its own, by which it knows what to say.

_waiting: dict[str, Reaction] = {}
_names = count(1)
_SPOILT: dict[str, Callable[[str], Reaction]] = {
    "reason": lambda text: Reaction(486, text),
    "Reason": lambda text: Reaction(486, headers=(("Reason", f'Q.850;cause=17;text="{text}"'),)),
    "Warning": lambda text: Reaction(486, headers=(("Warning", f'399 x "{text}"'),)),
    "Contact of a redirect": lambda text: Reaction(302, headers=(("Contact", f"<sip:{text}@127.0.0.1:9>"),)),
    "whole Contact of a redirect": lambda text: Reaction(302, headers=(("Contact", text),)),
    "challenge": lambda text: Reaction(401, headers=(("WWW-Authenticate", f'Digest realm="{text}", nonce="{text}"'),)),
    "Server": lambda text: Reaction(200, headers=(("Server", text),)),
    "X-Stored": lambda text: Reaction(200, headers=(("X-Stored", text),)),
    "P-Asserted-Identity": lambda text: Reaction(200, headers=(("P-Asserted-Identity", f'"{text}" <sip:{text}@h>'),)),
    "Remote-Party-ID": lambda text: Reaction(200, headers=(("Remote-Party-ID", f'"{text}" <sip:{text}@h>'),)),
    "session name": lambda text: Reaction(200, body=SDP.replace("s=-", f"s={text}")),
    "codec": lambda text: Reaction(200, body=SDP.replace("PCMU/8000", f"PCMU/8000/{text}")),
    "attribute": lambda text: Reaction(200, body=f"{SDP}a=canary:{text}\r\na={text}\r\n"),
}


def callee_places() -> Iterator[Place]:
    """Every part of a callee's answer."""
    for name, make in _SPOILT.items():
        yield Place(f"callee {name}", _dialling(make))


def _dialling(make: Callable[[str], Reaction]) -> Callable[[str], Answer]:
    def answer(text: str) -> Answer:
        name = f"callee-{next(_names)}-1"
        _waiting[name] = make(one_line(text))
        sip = element("Sip", {}, f"sip:{name}@{PHONE}")
        return twiml(f'<Dial timeout="5" answerOnBridge="false">{sip}</Dial>')

    return answer


def one_line(text: str) -> str:
    """A text as SIP can carry it in one header: real line ends would end that."""
    return text.replace("\r", "%0D").replace("\n", "%0A").replace("\0", "%00")
