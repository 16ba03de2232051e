"""Recording what goes on on a channel while other things run (switch_ivr_async.c, switch_ivr_record_session)."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from controlplane.emulator.wav import mix, track_of, write_wav

if TYPE_CHECKING:
    from controlplane.emulator.channel import Channel
    from controlplane.emulator.clock import Timer

# What FreeSWITCH says of a session recording that was stopped, whatever stopped it.
_COMPLETION = "success-maxtime"


class Recording:
    """A running record_session. Stereo has the leg's own voice in channel 1 and what it hears in channel 2.

    With RECORD_BRIDGE_REQ only conversations are recorded; what lies between them is not in the file.
    """

    def __init__(self, channel: Channel, path: str, limit_s: int = 0) -> None:
        self.channel, self.path = channel, path
        values, clock = channel.variables, channel.node.clock
        self._is_stereo = values.is_true("RECORD_STEREO")
        self._reads = not values.is_true("RECORD_WRITE_ONLY")
        self._writes = not values.is_true("RECORD_READ_ONLY")
        self._waits_for_bridge = values.is_true("RECORD_BRIDGE_REQ")
        self._spans: list[tuple[int, int]] = []
        self._since_ms: int | None = clock.monotonic_ms()
        if self._waits_for_bridge and channel.partner is None:
            self._since_ms = None
        self._limit: Timer | None = None
        if limit_s:
            self._limit = clock.call_at_ms(clock.monotonic_ms() + limit_s * 1000, self.stop)

    def conversation_began(self) -> None:
        """The leg was joined with another."""
        if self._since_ms is None:
            self._since_ms = self.channel.node.clock.monotonic_ms()

    def conversation_ended(self) -> None:
        """The leg was parted from the other."""
        if self._waits_for_bridge:
            self._end_span()

    def _end_span(self) -> None:
        if self._since_ms is not None:
            self._spans.append((self._since_ms, self.channel.node.clock.monotonic_ms()))
            self._since_ms = None

    def stop(self) -> None:
        """Write the file and tell."""
        channel = self.channel
        channel.recordings.pop(self.path, None)
        if self._limit is not None:
            self._limit.cancel()
        self._end_span()
        length_ms = self._write()
        values = {"record_seconds": length_ms // 1000, "record_ms": length_ms, "record_samples": length_ms * 8}
        channel.variables.update({name: str(value) for name, value in values.items()})
        channel.variables.set("record_completion_cause", _COMPLETION)
        channel.fire("RECORD_STOP", after=[("Record-File-Path", self.path), ("Record-Completion-Cause", _COMPLETION)])
        channel.fire("MEDIA_BUG_STOP", after=bug_headers("session_record", self.path))

    def _write(self) -> int:
        channel, now_ms = self.channel, self.channel.node.clock.monotonic_ms()
        said = channel.says.until(now_ms) if self._reads else []
        heard = channel.hears.until(now_ms) if self._writes else []
        own, other = (
            b"".join(track_of(items, from_ms, to_ms, channel.voice_of) for from_ms, to_ms in self._spans)
            for items in (said, heard)
        )
        size_bytes = write_wav(self.path, [own, other] if self._is_stereo else [mix(own, other)])
        channel.variables.set("record_file_size", str(size_bytes))
        return sum(to_ms - from_ms for from_ms, to_ms in self._spans)


def start_recording(channel: Channel, path: str, limit_s: int = 0) -> bool:
    """Begin to record into a file; False if there is no audio, or no such place to write."""
    if not channel.has_media or not _can_write(path):
        return False
    if path in channel.recordings:
        return True
    recording = channel.recordings[path] = Recording(channel, path, limit_s)
    channel.fire("RECORD_START", after=[("Record-File-Path", recording.path)])
    channel.fire("MEDIA_BUG_START", after=bug_headers("session_record", path))
    return True


def stop_recording(channel: Channel, path: str) -> bool:
    """End one recording, or with `all` every one; False if there is none of that name."""
    found = list(channel.recordings) if path == "all" else [path] if path in channel.recordings else []
    for name in found:
        channel.recordings[name].stop()
    return bool(found)


def bug_headers(function: str, target: str) -> list[tuple[str, str]]:
    """What the events of a media bug say (switch_core_media_bug.c)."""
    return [("Media-Bug-Function", function), ("Media-Bug-Target", target)]


def _can_write(path: str) -> bool:
    return os.access(os.path.dirname(path) or ".", os.W_OK)
