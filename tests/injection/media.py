"""Sounds that the application serves, with values in what it says of them: it is kept, and sent back the next time."""

from __future__ import annotations

import io
import wave
from collections.abc import Callable, Iterator
from urllib.parse import quote

from tests.injection.application import Answer, Asked
from tests.injection.places import APP, Place, element, text_of

_HEADERS = {"etag": "ETag", "modified": "Last-Modified", "type": "Content-Type", "cache": "Cache-Control", "age": "Age"}


def media_places() -> Iterator[Place]:
    """Every header of a sound that is read; the sound is asked for twice, so that what was kept is used."""
    for kind, name in _HEADERS.items():
        yield Place(f"media {name}", _played_twice(kind))


def _played_twice(kind: str) -> Callable[[str], Answer]:
    def answer(text: str) -> Answer:
        url = f"{APP}/media/{kind}?value={quote(text, safe='', errors='replace')}"
        play = element("Play", {}, text_of(url))
        again = f"/again?play={quote(url, safe='')}"
        return Answer(f"<Response>{play}<Redirect>{text_of(again)}</Redirect></Response>".encode())

    return answer


def answer_media(asked: Asked) -> Answer:
    """A sound; its kind is in the path, what is said of it in the query."""
    name = _HEADERS.get(asked.path.split("/")[2])
    value = asked.parameters.get("value", "")
    if name is None:
        return Answer(beep(), "audio/wav")
    said = (("Cache-Control", "max-age=0"),) if name not in ("Cache-Control", "Content-Type") else ()
    if name == "Content-Type":
        return Answer(beep(), value, closes=True)
    return Answer(beep(), "audio/wav", headers=(*said, (name, value)), closes=True)


def beep() -> bytes:
    """A few hundredths of a second of silence, as a WAV file."""
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setparams((1, 2, 8000, 0, "NONE", "NONE"))
        writer.writeframes(bytes(640))
    return file.getvalue()
