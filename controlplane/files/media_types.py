"""Which audio may be played, by what a server calls it and by its first bytes."""

from __future__ import annotations

from enum import Enum

from controlplane.files.errors import UnusableAudio


class Coding(Enum):
    """How a file has to be read."""

    CONTAINER = "it says itself what it is"
    ULAW = "µ-law of 8 kHz without a header"
    GSM = "GSM 06.10 without a header"


# The TwiML reference's list (twilio.md 1.4), what servers call the same things, and Ogg.
_MPEG = "audio/mpeg audio/mp3 audio/mpeg3 audio/x-mp3 audio/x-mpeg"
_CONTAINERS = (
    f"{_MPEG} audio/wav audio/wave audio/x-wav audio/vnd.wave audio/x-pn-wav audio/aiff audio/x-aiff audio/x-aifc"
    " audio/ogg audio/vorbis audio/opus application/ogg"
)
_ULAW = "audio/ulaw audio/x-ulaw audio/basic audio/pcmu audio/x-mulaw"
_GSM = "audio/gsm audio/x-gsm"
_CODINGS = {
    media_type: coding
    for coding, types in ((Coding.CONTAINER, _CONTAINERS), (Coding.ULAW, _ULAW), (Coding.GSM, _GSM))
    for media_type in types.split()
}
MEDIA_TYPES = frozenset(_CODINGS)


def coding_of(media_type: str, head: bytes) -> Coding:
    """How to read a file that is called `media_type` and begins with `head`; raises UnusableAudio.

    First bytes that say what they are win over the name, as servers guess names from endings. MPEG may begin with
    anything (tags, padding), so there the name is enough.
    """
    if media_type not in _CODINGS:
        raise UnusableAudio(f"{media_type[:60] or 'a file without a Content-Type'} cannot be played")
    if _says_what_it_is(head) or media_type in _MPEG.split():
        return Coding.CONTAINER
    if _CODINGS[media_type] is Coding.CONTAINER and not _may_be_mpeg(head):
        raise UnusableAudio(f"the file is called {media_type} and is none")
    return _CODINGS[media_type]


def _says_what_it_is(head: bytes) -> bool:
    kind, form = head[:4], head[8:12]
    return (
        (kind in (b"RIFF", b"RIFX") and form == b"WAVE")
        or (kind == b"FORM" and form in (b"AIFF", b"AIFC"))
        or kind in (b"OggS", b".snd")
        or kind[:3] == b"ID3"
    )


def _may_be_mpeg(head: bytes) -> bool:
    """Eleven ones begin a frame of MPEG audio; but silence of headerless µ-law begins so too."""
    return head[:1] == b"\xff" and head[1:2] >= b"\xe0"
