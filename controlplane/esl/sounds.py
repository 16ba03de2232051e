"""What can be played to a leg: our files, silence, and tones of a fixed table; one after another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

from controlplane.esl.errors import UnsafeValue
from controlplane.esl.values import NodeFile, number

MOST_SOUNDS = 128  # of one file_string (mod_dptools.c, file_string_context)


@dataclass(frozen=True, slots=True)
class Silence:
    """Nothing, for 1 ms to an hour."""

    duration_ms: int

    def __post_init__(self) -> None:
        number(self.duration_ms, least=1, most=3_600_000)


class Cadence(Enum):
    """Ringing tones: milliseconds on and off, and frequencies in Hz, as FreeSWITCH writes tones.

    ITU-T E.180 Supplement 2; tones that a network modulates are written as the two frequencies that beat alike.
    """

    HZ_425_1_4 = "%(1000,4000,425)"
    HZ_425_1_3 = "%(1000,3000,425)"
    HZ_425_1_5 = "%(1000,5000,425)"
    AUSTRIA = "%(1000,5000,420)"
    AUSTRALIA = "%(400,200,400,425);%(400,2000,400,425)"
    HZ_400_1_3 = "%(1000,3000,400)"
    HZ_400_1_4 = "%(1000,4000,400)"
    CHINA = "%(1000,4000,450)"
    SPAIN = "%(1500,3000,425)"
    FRANCE = "%(1500,3500,440)"
    HUNGARY = "%(1250,3750,425)"
    INDIA = "%(400,200,375,425);%(400,2000,375,425)"
    JAPAN = "%(1000,2000,384,416)"
    MALAYSIA = "%(400,200,425);%(400,2000,425)"
    BRITAIN = "%(400,200,400,450);%(400,2000,400,450)"
    PHILIPPINES = "%(1000,4000,425,480)"
    RUSSIA = "%(800,3200,425)"
    SINGAPORE = "%(400,200,401,449);%(400,2000,401,449)"
    TAIWAN = "%(1000,2000,440,480)"
    AMERICA = "%(2000,4000,440,480)"
    AMERICA_OLD = "%(2000,4000,380,460)"
    SOUTH_AFRICA = "%(400,200,383,417);%(400,2000,383,417)"


_RINGING = {
    "at": Cadence.AUSTRIA, "au": Cadence.AUSTRALIA, "bg": Cadence.HZ_425_1_4, "br": Cadence.HZ_425_1_4,
    "be": Cadence.HZ_425_1_3, "ch": Cadence.HZ_425_1_4, "cl": Cadence.HZ_400_1_3, "cn": Cadence.CHINA,
    "cz": Cadence.HZ_425_1_4, "de": Cadence.HZ_425_1_4, "dk": Cadence.HZ_425_1_4, "ee": Cadence.HZ_425_1_4,
    "es": Cadence.SPAIN, "fi": Cadence.HZ_425_1_4, "fr": Cadence.FRANCE, "gr": Cadence.HZ_425_1_4,
    "hu": Cadence.HUNGARY, "il": Cadence.HZ_400_1_3, "in": Cadence.INDIA, "it": Cadence.HZ_425_1_4,
    "jp": Cadence.JAPAN, "lt": Cadence.HZ_425_1_4, "mx": Cadence.HZ_425_1_4, "my": Cadence.MALAYSIA,
    "nl": Cadence.HZ_425_1_4, "no": Cadence.HZ_425_1_4, "nz": Cadence.BRITAIN, "ph": Cadence.PHILIPPINES,
    "pl": Cadence.HZ_425_1_4, "pt": Cadence.HZ_425_1_5, "ru": Cadence.RUSSIA, "se": Cadence.HZ_425_1_5,
    "sg": Cadence.SINGAPORE, "th": Cadence.HZ_400_1_4, "tw": Cadence.TAIWAN, "uk": Cadence.BRITAIN,
    "us": Cadence.AMERICA, "us-old": Cadence.AMERICA_OLD, "ve": Cadence.HZ_425_1_4, "za": Cadence.SOUTH_AFRICA,
}  # fmt: skip


def ringing(country: str | None) -> Cadence:
    """How a phone that rings sounds in a country, by its code of the documents' list; None is "us".

    Raises UnsafeValue for others.
    """
    if (country or "us") not in _RINGING:
        raise UnsafeValue("Not a country whose ringing tone is known.")
    return _RINGING[country or "us"]


@dataclass(frozen=True, slots=True)
class RingBack:
    """A ringing tone without end."""

    cadence: Cadence


@dataclass(frozen=True, slots=True)
class Beep:
    """The tone that says a recording begins."""


Sound: TypeAlias = NodeFile | Silence | RingBack | Beep


def sound_path(sounds: Sequence[Sound]) -> str:
    """The name by which FreeSWITCH plays these sounds one after another; 1 to 128 of them."""
    if not 1 <= len(sounds) <= MOST_SOUNDS:
        raise UnsafeValue("Too many sounds at once, or none.", most=MOST_SOUNDS)
    paths = [_path(sound) for sound in sounds]
    return paths[0] if len(paths) == 1 else "file_string://" + "!".join(paths)


def _path(sound: Sound) -> str:
    match sound:
        case NodeFile(path):
            return path
        case Silence(duration_ms):
            return f"silence_stream://{duration_ms:d}"
        case RingBack(cadence):
            return f"tone_stream://{Cadence(cadence).value};loops=-1"
        case Beep():
            return "tone_stream://%(300,100,1000)"
