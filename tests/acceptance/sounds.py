"""The sounds of a case as samples: what its documents say, what its application serves, what its people say."""

from __future__ import annotations

import asyncio
import hashlib
import io
import re
import wave
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import soundfile
import soxr

from controlplane.calls.plans import APPLICATION_ERROR
from controlplane.emulator.hearing import BEEP, Heard
from controlplane.emulator.parties import PartyLog
from controlplane.emulator.phones.recognition import KnownSound
from controlplane.emulator.phones.rtp import RATE_HZ, Samples
from controlplane.emulator.phones.sounds import beep, samples_of
from controlplane.settings import Settings
from controlplane.speech.speaker import Speaker, provider_named
from controlplane.verbs.documents import Say
from controlplane.verbs.errors import DocumentError
from controlplane.verbs.parsing import parse_document

BEEP_AT_THE_EMULATOR = "tone:%(300,100,1000)"
_NAME = re.compile(r"([\w-]+)-(\d+)ms\.(wav|mp3|ogg)\Z")
_TAG = re.compile(r"<[^>]*>")
_FORMATS = {"wav": ("WAV", "audio/wav"), "mp3": ("MP3", "audio/mpeg"), "ogg": ("OGG", "audio/ogg")}
_FILE_RATE_HZ = 24_000


def sound_of(name: str) -> Samples:
    """A sound that no other name has, in syllables as speech is; the same each time. The name is that of a file."""
    return _sound(name)


@lru_cache
def audio_file(name: str) -> tuple[bytes, str]:
    """A file `word-1500ms.mp3` as an application serves it, and its Content-Type."""
    kind, media_type = _FORMATS[name.rpartition(".")[2]]
    file = io.BytesIO()
    samples = soxr.resample(_sound(name).astype(np.float32) / 32768, RATE_HZ, _FILE_RATE_HZ)
    soundfile.write(file, samples, _FILE_RATE_HZ, format=kind)
    return file.getvalue(), media_type


@lru_cache
def _sound(name: str) -> Samples:
    parts = _NAME.match(name)
    assert parts is not None, f"{name} is not word-1500ms.wav"
    random = np.random.default_rng(int.from_bytes(hashlib.sha256(name.encode()).digest()[:8]))
    count = int(parts[2]) * RATE_HZ // 1000
    noise = np.convolve(random.normal(size=count), np.hanning(9) / 4, mode="same")
    syllables = np.abs(np.sin(np.arange(count) * random.uniform(8, 16) / RATE_HZ + random.uniform(0, 3)))
    samples: Samples = (noise * syllables * 6000).clip(-30_000, 30_000).astype(np.int16)
    return samples


@dataclass(frozen=True, slots=True)
class CaseSounds:
    """Every sound of a case by the name that its file has for it: words, or the path of a URL."""

    known: list[KnownSound] = field(default_factory=list)
    voices: Mapping[str, Samples] = field(default_factory=dict)
    _described: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def voice(self, text: str) -> Samples:
        return self.voices[text]

    def describe(self, path: str) -> tuple[str, ...]:
        """What a prompt's file says: told by its samples."""
        if path not in self._described:
            self._described[path] = self._names_of(path)
        return self._described[path]

    def _names_of(self, path: str) -> tuple[str, ...]:
        if path == BEEP_AT_THE_EMULATOR:
            return (BEEP,)
        if not Path(path).is_file():
            return ()
        samples = read_wav(Path(path))[:, 0]
        return tuple({one.name for one in self.known if is_same(one.samples, samples)})

    def name(self, logs: Sequence[PartyLog]) -> None:
        """Put names for the files and legs of the emulator in what parties heard, as long as the files are there."""
        for log in logs:
            log.heard = [named for one in log.heard for named in self._named(one, logs)]

    def _named(self, heard: Heard, logs: Sequence[PartyLog]) -> Iterator[Heard]:
        if heard.what == BEEP_AT_THE_EMULATOR:
            yield replace(heard, what=BEEP)
        elif heard.what.startswith("leg:"):
            said = next((log for log in logs if f"leg:{log.leg}" == heard.what), None)
            yield from self._said(heard, said) if said is not None else ()
        else:
            yield replace(heard, what=next(iter(self.describe(heard.what)), heard.what))

    def _said(self, heard: Heard, log: PartyLog) -> Iterator[Heard]:
        """What a party said, as far as another one heard it."""
        for note in log.notes:
            if note.what != "said":
                continue
            ended_ms = note.at_ms + len(self.voice(note.detail)) * 1000 // RATE_HZ
            from_ms, to_ms = max(note.at_ms, heard.from_ms), min(ended_ms, heard.to_ms)
            if from_ms < to_ms:
                yield Heard(from_ms, to_ms, note.detail)


def words_of(say: Say) -> str:
    """What a Say says, without markup."""
    return " ".join(_TAG.sub(" ", say.text).split()) if say.markup else say.text


def is_same(one: Samples, other: Samples) -> bool:
    """Say whether two recordings are of one sound, whatever coding did to them."""
    if abs(len(one) - len(other)) > RATE_HZ // 5:
        return False
    size = min(len(one), len(other))
    a, b = one[:size].astype(float), other[:size].astype(float)
    return bool(np.dot(a, b) >= 0.7 * np.sqrt(np.dot(a, a) * np.dot(b, b)))


def read_wav(source: Path | BinaryIO) -> Samples:
    """The samples of a WAV file: frames × channels."""
    with wave.open(str(source) if isinstance(source, Path) else source, "rb") as file:
        data = file.readframes(file.getnframes())
        return np.frombuffer(data, "<i2").reshape(-1, file.getnchannels())


async def sounds_of(pages: Iterable[Any], voices: Iterable[str]) -> CaseSounds:
    """The sounds of a case: everything that its pages say or serve, and what its people say."""
    speaker = Speaker(provider_named(Settings().tts))
    pages = list(pages)
    says = {words_of(say): replace(say, loop=1) for say in (*_says(pages), Say(APPLICATION_ERROR))}
    spoken = [Say(text, "man", "en-GB") for text in dict.fromkeys(voices)]
    rendered = await asyncio.gather(*(speaker.say(say) for say in [*says.values(), *spoken]))
    samples = [samples_of(wav) for wav in rendered]
    known = [KnownSound(name, one) for name, one in zip(says, samples, strict=False)]
    known += [KnownSound(name, sound_of(name)) for name in _audio(pages)]
    known.append(KnownSound(BEEP, beep()))
    heard = dict(zip([say.text for say in spoken], samples[len(says) :], strict=True))
    return CaseSounds([*known, *(KnownSound(text, one) for text, one in heard.items())], heard)


def _says(pages: Iterable[Any]) -> Iterator[Say]:
    """The Say verbs of all documents; what is broken on purpose says nothing."""
    for page in _each(pages):
        try:
            document = parse_document(
                str(page.get("body", "")).encode(), page.get("type", "text/xml"), source_url="http://app/"
            )
        except DocumentError:
            continue
        yield from _within(document)


def _within(value: object) -> Iterator[Say]:
    if isinstance(value, Say):
        yield value
    elif isinstance(value, tuple):
        for one in value:
            yield from _within(one)
    elif is_dataclass(value):
        for one in fields(value):
            yield from _within(getattr(value, one.name))


def _audio(pages: Iterable[Any]) -> Iterator[str]:
    return (page["audio"] for page in _each(pages) if "audio" in page)


def _each(pages: Iterable[Any]) -> Iterator[Mapping[str, Any]]:
    for page in pages:
        for one in page if isinstance(page, list) else [page]:
            yield one if isinstance(one, Mapping) else {"body": one}
