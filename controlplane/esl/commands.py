"""Commands to a media node, and those that concern the link itself. Nothing else may be written to an event socket.

A command is one line, or one header block with one counted body, and ends at a blank line; so a newline that got into
a value would begin another command, and `${…}` would run one (both reproduced on a real 1.10.12). Values are checked
where they are made (values.py); every command is looked over once more here before it has bytes.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from controlplane.esl.errors import UnsafeValue
from controlplane.esl.values import token

# Control characters, separators of lines and paragraphs, half characters; and what FreeSWITCH expands.
_NEVER = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]|\\$")
_LONGEST_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Command:
    """One command. `name` says what it is, for logs and metrics, and holds nothing of its arguments.

    FreeSWITCH answers each with one frame, in order, except for a bare newline (`is_answered`).
    """

    name: str
    data: bytes = field(repr=False)
    is_answered: bool = True


class EslEventName(StrEnum):
    """Events that may be subscribed to."""

    BACKGROUND_JOB = "BACKGROUND_JOB"
    CHANNEL_ANSWER = "CHANNEL_ANSWER"
    CHANNEL_BRIDGE = "CHANNEL_BRIDGE"
    CHANNEL_CREATE = "CHANNEL_CREATE"
    CHANNEL_EXECUTE = "CHANNEL_EXECUTE"
    CHANNEL_EXECUTE_COMPLETE = "CHANNEL_EXECUTE_COMPLETE"
    CHANNEL_HANGUP = "CHANNEL_HANGUP"
    CHANNEL_HANGUP_COMPLETE = "CHANNEL_HANGUP_COMPLETE"
    CHANNEL_OUTGOING = "CHANNEL_OUTGOING"
    CHANNEL_PARK = "CHANNEL_PARK"
    CHANNEL_PROGRESS = "CHANNEL_PROGRESS"
    CHANNEL_PROGRESS_MEDIA = "CHANNEL_PROGRESS_MEDIA"
    CHANNEL_UNBRIDGE = "CHANNEL_UNBRIDGE"
    CHANNEL_UNPARK = "CHANNEL_UNPARK"
    DTMF = "DTMF"
    HEARTBEAT = "HEARTBEAT"
    MEDIA_BUG_START = "MEDIA_BUG_START"
    MEDIA_BUG_STOP = "MEDIA_BUG_STOP"
    PLAYBACK_START = "PLAYBACK_START"
    PLAYBACK_STOP = "PLAYBACK_STOP"
    RECORD_START = "RECORD_START"
    RECORD_STOP = "RECORD_STOP"


KICK = Command("kick", b"\n", is_answered=False)  # wakes FreeSWITCH's 20 ms poll of this link


def auth(password: str) -> Command:
    """Log in. The password is the operator's: printable ASCII without blanks, and without `${`."""
    if not re.match(r"(?!.*\$\{)[!-~]{1,256}\Z", password):
        raise UnsafeValue("Not a password of an event socket.")
    return Command("auth", f"auth {password}\n\n".encode())


def subscribe(events: Collection[EslEventName]) -> Command:
    """Ask for these events, in the plain format; further calls add to them."""
    return line("event", f"plain {_names(events)}")


def see_no_events() -> Command:
    """Ask for nothing any more, and forget what is queued."""
    return line("noevents", "")


def see_only_shards(shards: Iterable[int]) -> Command:
    """Let through events of channels of these shards (0 to 15), beside what other filters let through.

    Events without Unique-ID, such as BACKGROUND_JOB, do not pass unless another filter lets them.
    """
    return Command("filter", f"filter Unique-ID {_shard_pattern(shards)}\n\n".encode())


def see_shards_no_more(shards: Iterable[int]) -> Command:
    """Take a filter of `see_only_shards` back, given the very same shards; the last filter gone, everything passes."""
    return Command("filter", f"filter delete Unique-ID {_shard_pattern(shards)}\n\n".encode())


def see_no_application(name: str) -> Command:
    """Keep back what tells of an application of this name, whatever other filters let through."""
    return Command("filter", f"filter Application -{token(name)}\n\n".encode())


def see_no_step(event_token: str) -> Command:
    """Keep back what tells of applications that were executed under this token, whatever other filters let through.

    An exclusion is compared whole: after a minus FreeSWITCH takes no regular expression (mod_event_socket.c,
    event_handler).
    """
    return Command("filter", f"filter Application-UUID -{token(event_token)}\n\n".encode())


def see_only_jobs(prefix: str) -> Command:
    """Let through results of jobs whose Job-UUID begins so, beside what other filters let through."""
    return line("filter", f"Job-UUID /^{token(prefix).replace('.', '[.]')}/")


def leave() -> Command:
    """Close the link in good order."""
    return line("exit", "")


def line(name: str, argument: str, headers: Iterable[tuple[str, str]] = ()) -> Command:
    """One command of one line, with headers after it; for the functions of this package."""
    lines = [f"{name} {argument}" if argument else name, *(f"{header}: {value}" for header, value in headers)]
    return Command(f"{name} {argument.split(' ')[0]}" if name in ("api", "bgapi") else name, _block(lines))


def with_body(first: str, headers: Iterable[tuple[str, str]], body: str, *, name: str) -> Command:
    """One command with a counted body of plain text; for the functions of this package."""
    text = _checked(body).encode()
    counted = [("content-type", "text/plain"), ("content-length", str(len(text)))]
    lines = [first, *(f"{header}: {value}" for header, value in (*headers, *counted))]
    return Command(name, _block(lines) + text)


def _block(lines: Iterable[str]) -> bytes:
    return "".join(_checked(text) + "\n" for text in lines).encode() + b"\n"


def _checked(text: str) -> str:
    if _NEVER.search(text):
        raise UnsafeValue("A command holds characters that may not reach a media node.")
    if len(text) > _LONGEST_BYTES:
        raise UnsafeValue("A command is too long.", most_bytes=_LONGEST_BYTES)
    return text


def _names(events: Collection[EslEventName]) -> str:
    if not events:
        raise UnsafeValue("No events to ask for.")
    return " ".join(sorted(EslEventName(event).value for event in events))


def _shard_pattern(shards: Iterable[int]) -> str:
    wanted = sorted(set(shards))
    if not wanted or wanted[0] < 0 or wanted[-1] > 15:
        raise UnsafeValue("Shards are 0 to 15.")
    return f"/[{''.join(f'{shard:x}' for shard in wanted)}]$/"
