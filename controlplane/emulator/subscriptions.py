"""What one link wants to hear: `event`, `nixevent`, `noevents`, `filter` (mod_event_socket.c, parse_command)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from controlplane.emulator.events import Event

# switch_event.c, EVENT_NAMES.
EVENT_NAMES = frozenset({
    "CUSTOM", "CLONE", "CHANNEL_CREATE", "CHANNEL_DESTROY", "CHANNEL_STATE", "CHANNEL_CALLSTATE",
    "CHANNEL_ANSWER", "CHANNEL_HANGUP", "CHANNEL_HANGUP_COMPLETE", "CHANNEL_EXECUTE", "CHANNEL_EXECUTE_COMPLETE",
    "CHANNEL_HOLD", "CHANNEL_UNHOLD", "CHANNEL_BRIDGE", "CHANNEL_UNBRIDGE", "CHANNEL_PROGRESS",
    "CHANNEL_PROGRESS_MEDIA", "CHANNEL_OUTGOING", "CHANNEL_PARK", "CHANNEL_UNPARK", "CHANNEL_APPLICATION",
    "CHANNEL_ORIGINATE", "CHANNEL_UUID", "API", "LOG", "INBOUND_CHAN", "OUTBOUND_CHAN", "STARTUP", "SHUTDOWN",
    "PUBLISH", "UNPUBLISH", "TALK", "NOTALK", "SESSION_CRASH", "MODULE_LOAD", "MODULE_UNLOAD", "DTMF", "MESSAGE",
    "PRESENCE_IN", "NOTIFY_IN", "PRESENCE_OUT", "PRESENCE_PROBE", "MESSAGE_WAITING", "MESSAGE_QUERY", "ROSTER",
    "CODEC", "BACKGROUND_JOB", "DETECTED_SPEECH", "DETECTED_TONE", "PRIVATE_COMMAND", "HEARTBEAT", "TRAP",
    "ADD_SCHEDULE", "DEL_SCHEDULE", "EXE_SCHEDULE", "RE_SCHEDULE", "RELOADXML", "NOTIFY", "PHONE_FEATURE",
    "PHONE_FEATURE_SUBSCRIBE", "SEND_MESSAGE", "RECV_MESSAGE", "REQUEST_PARAMS", "CHANNEL_DATA", "GENERAL",
    "COMMAND", "SESSION_HEARTBEAT", "CLIENT_DISCONNECTED", "SERVER_DISCONNECTED", "SEND_INFO", "RECV_INFO",
    "RECV_RTCP_MESSAGE", "SEND_RTCP_MESSAGE", "CALL_SECURE", "NAT", "RECORD_START", "RECORD_STOP",
    "PLAYBACK_START", "PLAYBACK_STOP", "CALL_UPDATE", "FAILURE", "SOCKET_DATA", "MEDIA_BUG_START",
    "MEDIA_BUG_STOP", "CONFERENCE_DATA_QUERY", "CONFERENCE_DATA", "CALL_SETUP_REQ", "CALL_SETUP_RESULT",
    "CALL_DETAIL", "DEVICE_STATE", "TEXT", "SHUTDOWN_REQUESTED",
})  # fmt: skip

_FORMATS = ("plain", "json", "xml")


@dataclass(frozen=True, slots=True)
class Filter:
    """One `filter` line: `value` is compared whole, or is an expression after a slash; a minus turns it round."""

    header: str
    value: str

    def verdict(self, event: Event) -> bool | None:
        """True lets the event through, False keeps it back, None says nothing."""
        actual = event.get(self.header)
        if actual is None:
            return None
        wanted = self.value.lstrip("+- ")
        is_include = "-" not in self.value[: len(self.value) - len(wanted)]
        if self.value.startswith("/"):
            is_hit = _pattern(wanted).search(actual) is not None
        else:
            is_hit = actual.lower() == wanted.lower()
        return is_include if is_hit else None


def _pattern(text: str) -> re.Pattern[str]:
    """FreeSWITCH's way to write a regular expression: between slashes, flags after the second (switch_regex.c)."""
    inner, slash, flags = text[1:].rpartition("/")
    return re.compile(inner if slash else text[1:], re.IGNORECASE if "i" in flags and slash else 0)


@dataclass(slots=True)
class Subscription:
    """The events and filters of one link."""

    names: set[str] = field(default_factory=set)
    subclasses: set[str] = field(default_factory=set)
    filters: list[Filter] = field(default_factory=list)
    format: str = "plain"
    is_on: bool = False

    def subscribe(self, words: list[str]) -> str:
        """Carry out `event …` and answer what FreeSWITCH replies."""
        if words and words[0].lower() in _FORMATS:
            self.format = words.pop(0).lower()
        named, subclasses = _split(words)
        if not named:
            return "-ERR no keywords supplied"
        self.names |= EVENT_NAMES if "ALL" in named else named
        self.subclasses |= subclasses | ({"*"} if "ALL" in named else set())
        self.is_on = True
        return f"+OK event listener enabled {self.format}"

    def unsubscribe(self, words: list[str]) -> str:
        """Carry out `nixevent …`."""
        named, subclasses = _split(words)
        if not named:
            return "-ERR no keywords supplied"
        self.subclasses -= subclasses
        self.names -= EVENT_NAMES if "ALL" in named else named - {"CUSTOM"}
        self.is_on = True
        return "+OK events nixed"

    def clear(self) -> str:
        """Carry out `noevents`."""
        if not self.is_on:
            return "-ERR not listening for events"
        self.names.clear()
        self.subclasses.clear()
        self.is_on = False
        return "+OK no longer listening for events"

    def filter(self, words: str) -> str:
        """Carry out `filter …`: add one, or delete some."""
        header, _, value = words.strip().partition(" ")
        if header.lower() == "delete" and value:
            return self._delete_filters(value)
        if header.lower() == "add":
            header, _, value = value.partition(" ")
        if not value:
            return "-ERR invalid syntax"
        self.filters.append(Filter(header, value))
        return f"+OK filter added. [{header}]=[{value}]"

    def wants(self, event: Event) -> bool:
        """Say whether this event goes out. With filters, one that includes it must match and none that excludes it."""
        if not self.is_on or event.name not in self.names:
            return False
        if event.name == "CUSTOM" and event.subclass not in self.subclasses and "*" not in self.subclasses:
            return False
        if not self.filters:
            return True
        verdicts = [one.verdict(event) for one in self.filters]
        return True in verdicts and False not in verdicts

    def _delete_filters(self, words: str) -> str:
        header, _, value = words.partition(" ")
        if header.lower() == "all":
            self.filters.clear()
        else:
            self.filters = [
                one for one in self.filters if one.header.lower() != header.lower() or (value and one.value != value)
            ]
        return f"+OK filter deleted. [{header}][{value}]"


def _split(words: list[str]) -> tuple[set[str], set[str]]:
    """Names of events, and what follows CUSTOM: names of subclasses. Words that are no event are passed over."""
    upper = [word.upper() for word in words]
    cut = upper.index("CUSTOM") + 1 if "CUSTOM" in upper else len(words)
    return {word for word in upper[:cut] if word in EVENT_NAMES or word == "ALL"}, set(words[cut:])
