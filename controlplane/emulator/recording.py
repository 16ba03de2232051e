"""Recording what goes on on a channel while other things run (switch_ivr_async.c, switch_ivr_record_session)."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from controlplane.emulator.wav import mix, track_of, write_wav

if TYPE_CHECKING:
    from controlplane.emulator.channel import Channel
    from controlplane.emulator.clock import Timer


class Recording:
    """A running record_session. Stereo has the leg's own voice in channel 1 and what it hears in channel 2."""

    def __init__(self, channel: Channel, path: str, limit_s: int = 0) -> None:
        self.channel, self.path = channel, path
        self.began_ms = channel.node.clock.monotonic_ms()
        self.is_stereo = channel.variables.is_true("RECORD_STEREO")
        self.reads = not channel.variables.is_true("RECORD_WRITE_ONLY")
        self.writes = not channel.variables.is_true("RECORD_READ_ONLY")
        self._limit: Timer | None = None
        if limit_s:
            self._limit = channel.node.clock.call_at_ms(self.began_ms + limit_s * 1000, self.stop)

    def stop(self) -> None:
        """Write the file and tell."""
        channel = self.channel
        channel.recordings.pop(self.path, None)
        if self._limit is not None:
            self._limit.cancel()
        length_ms = self._write()
        values = {"record_seconds": length_ms // 1000, "record_ms": length_ms, "record_samples": length_ms * 8}
        channel.variables.update({name: str(value) for name, value in values.items()})
        headers = [("Record-File-Path", self.path)]
        channel.fire("RECORD_STOP", after=headers)
        channel.fire("MEDIA_BUG_STOP", after=bug_headers("session_record", self.path))

    def _write(self) -> int:
        channel, now_ms = self.channel, self.channel.node.clock.monotonic_ms()
        voices = channel.voice_of
        own = track_of(channel.says.until(now_ms) if self.reads else (), self.began_ms, now_ms, voices)
        heard = track_of(channel.hears.until(now_ms) if self.writes else (), self.began_ms, now_ms, voices)
        size_bytes = write_wav(self.path, [own, heard] if self.is_stereo else [mix(own, heard)])
        channel.variables.set("record_file_size", str(size_bytes))
        return now_ms - self.began_ms


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
