"""Recorded events of a real FreeSWITCH with other ids in them: as big as real ones, and made in microseconds."""

from __future__ import annotations

import json
from collections.abc import Iterator
from urllib.parse import unquote

from tests.transcripts.recorded import streams

_REPLACED = (b"Caller-Destination-Number: ", b"variable_callplane_", b"Application-UUID: ", b"Application-Response: ")


class Templates:
    """One recorded event of each kind that is needed, without the headers that are written anew."""

    def __init__(self) -> None:
        self._park = _Template(b"CHANNEL_PARK")
        self._answer = _Template(b"CHANNEL_ANSWER")
        self._complete = _Template(b"CHANNEL_EXECUTE_COMPLETE")
        self._end = _Template(b"CHANNEL_HANGUP_COMPLETE")
        self._listed = _listed()

    def parked(self, uuid: str, dialled: str) -> bytes:
        """A leg came in by the door."""
        return self._park.frame(uuid, _door(dialled))

    def answered(self, uuid: str) -> bytes:
        """A leg was answered."""
        return self._answer.frame(uuid, "")

    def completed(self, uuid: str, token: str, sent: str) -> bytes:
        """The last application of a burst is through; nothing was pressed."""
        return self._complete.frame(uuid, f"Application-UUID: {token}\nvariable_callplane_sent: {sent}\n")

    def ended(self, uuid: str) -> bytes:
        """A leg is over."""
        return self._end.frame(uuid, "")

    def dump(self, uuid: str, dialled: str) -> str:
        """What `uuid_dump … json` says of a leg that is parked."""
        return json.dumps(self._park.values(uuid, _door(dialled)))

    def row(self, uuid: str, application: str, *, is_answered: bool) -> dict[str, str]:
        """What `show channels as json` says of a leg: most of it is nothing that anybody asked for."""
        what = _PLAYED if application != "park" else ""
        state = "ACTIVE" if is_answered else "RINGING"
        own = {"uuid": uuid, "application": application, "application_data": what, "callstate": state}
        return self._listed | own | {"direction": "inbound", "context": "door"}


_PLAYED = "file_string://" + "!".join(f"/var/lib/callplane/prompts/{n:064x}.wav" for n in range(4))


def _listed() -> dict[str, str]:
    """A row of a recorded list: that of a channel that came in."""
    answers = (raw.partition(b"\n\n")[2] for stream in streams() if stream.is_from_switch for raw in stream.frames)
    rows = next(json.loads(body)["rows"] for body in answers if body.startswith(b'{"row_count":2,"rows":['))
    row: dict[str, str] = next(row for row in rows if row["direction"] == "inbound")
    return row


def _door(dialled: str) -> str:
    return f"Caller-Destination-Number: {dialled.replace('+', '%2B')}\nvariable_callplane_door: inbound\n"


class _Template:
    def __init__(self, name: bytes) -> None:
        body = next(_bodies(name))
        uuid = body.partition(b"\nUnique-ID: ")[2].partition(b"\n")[0]
        lines = [line for line in body.strip().split(b"\n") if not line.startswith(_REPLACED)]
        self._parts = (b"\n".join(lines) + b"\n").split(uuid)

    def frame(self, uuid: str, more: str) -> bytes:
        body = uuid.encode().join(self._parts) + more.encode() + b"\n"
        return b"Content-Length: %d\nContent-Type: text/event-plain\n\n%b" % (len(body), body)

    def values(self, uuid: str, more: str) -> dict[str, str]:
        text = (uuid.encode().join(self._parts) + more.encode()).decode()
        return {name: unquote(value) for name, _, value in (line.partition(": ") for line in text.splitlines())}


def _bodies(name: bytes) -> Iterator[bytes]:
    for stream in streams():
        for raw in stream.frames if stream.is_from_switch else ():
            head, _, body = raw.partition(b"\n\n")
            if b"text/event-plain" in head and body.startswith(b"Event-Name: " + name + b"\n"):
                yield body
