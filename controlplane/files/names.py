"""Names of files. A prompt's name is made of what it sounds like: one name, one sound, wherever and whenever made."""

from __future__ import annotations

import hashlib
import re

from controlplane.base.errors import BadInput
from controlplane.verbs.documents import Play, Say

# A name is one component of a path everywhere it goes: no separator, no dot in front (hidden files, `..`), no option.
_SAFE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}\Z")


def prompt_name(prompt: Say | Play, *, made_by: str) -> str:
    """The file name of a prompt: safe characters, ends in `.wav`, at most 73 characters.

    `made_by` is what else the sound depends on: for a Say the engine's name, for a Play the validator of the file that
    the URL gave (a digest of its content or an entity tag). `loop` and `digits` do not change the sound.
    """
    parts: tuple[str, ...]
    match prompt:
        case Say():
            kind = "say"
            parts = (made_by, prompt.voice, prompt.language, prompt.text, "markup" if prompt.markup else "")
        case Play():
            kind, parts = "play", (made_by, prompt.url)
    # Lengths keep the parts apart. Not JSON, which costs six times as much, for every prompt of every call.
    told = "".join([f"{len(part)}:{part}" for part in parts])
    digest = hashlib.sha256(told.encode(errors="surrogatepass")).hexdigest()
    return f"{kind}-{digest}.wav"


def recording_name(recording: str) -> str:
    """The file name of a recording on its media node; raises BadInput for an id that is no name."""
    return safe_name(f"{recording}.wav")


def safe_name(name: str) -> str:
    """The name itself if it is a safe component of a path; else raises BadInput."""
    if not is_safe_name(name):
        raise BadInput("not a file name")
    return name


def is_safe_name(name: str) -> bool:
    """Say whether a name is letters, digits, `.`, `_` and `-` only, begins with neither `.` nor `-`, and is short."""
    return _SAFE.match(name) is not None
