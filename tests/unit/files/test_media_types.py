"""Which audio may be played."""

from __future__ import annotations

import pytest

from controlplane.files.errors import UnusableAudio
from controlplane.files.media_types import MEDIA_TYPES, Coding, coding_of

WAV, AIFF, AU, OGG = b"RIFF\0\0\0\0WAVE", b"FORM\0\0\0\0AIFC", b".snd\0\0\0\x18", b"OggS\0"


def test_the_reference_list_is_accepted() -> None:
    subtypes = "mpeg wav wave x-wav aiff x-aifc x-aiff x-gsm gsm ulaw"

    assert {f"audio/{subtype}" for subtype in subtypes.split()} <= MEDIA_TYPES


@pytest.mark.parametrize(
    ("media_type", "head", "coding"),
    [
        ("audio/x-wav", WAV, Coding.CONTAINER),
        ("audio/aiff", AIFF, Coding.CONTAINER),
        ("audio/ogg", OGG, Coding.CONTAINER),
        ("audio/mpeg", b"ID3\4", Coding.CONTAINER),
        ("audio/mpeg", b"\0\0\0\0", Coding.CONTAINER),
        ("audio/wav", b"\xff\xfb\x90\x00", Coding.CONTAINER),
        ("audio/wav", AIFF, Coding.CONTAINER),
        ("audio/basic", AU, Coding.CONTAINER),
        ("audio/basic", b"\xff\xff\xff\xff", Coding.ULAW),
        ("audio/ulaw", b"", Coding.ULAW),
        ("audio/ulaw", WAV, Coding.CONTAINER),
        ("audio/x-gsm", b"\xd0\x20", Coding.GSM),
    ],
)
def test_first_bytes_win_over_the_name(media_type: str, head: bytes, coding: Coding) -> None:
    assert coding_of(media_type, head) is coding


@pytest.mark.parametrize(
    ("media_type", "head", "problem"),
    [
        ("text/html", b"<html>", "text/html cannot be played"),
        ("", WAV, "a file without a Content-Type cannot be played"),
        ("video/mp4", WAV, "video/mp4 cannot be played"),
        ("audio/wav", b"<html>", "the file is called audio/wav and is none"),
        ("audio/ogg", b"", "the file is called audio/ogg and is none"),
    ],
)
def test_other_files_are_refused(media_type: str, head: bytes, problem: str) -> None:
    with pytest.raises(UnusableAudio, match=problem) as caught:
        coding_of(media_type, head)

    assert caught.value.code == 13420
