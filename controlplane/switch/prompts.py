"""What prompts sound like on a media node: files, silence, and how often."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Protocol

from controlplane.esl.sounds import MOST_SOUNDS, Silence, Sound
from controlplane.esl.values import NodeFile
from controlplane.verbs.documents import MAX_LOOPS, Pause, Play, Prompt, Say


class Placed(Protocol):
    """A prompt's file on a media node."""

    @property
    def path(self) -> str: ...


Sounds = Mapping[Say | Play, Placed | None]


def sounds_of(prompts: tuple[Prompt, ...], sounds: Sounds) -> list[Sound]:
    """The sounds of prompts, repeated as they ask; prompts that could not be made are left out."""
    made: list[Sound] = []
    for prompt in prompts:
        match prompt:
            case Pause(length_s):
                made.append(Silence(length_s * 1000))
            case Say() | Play():
                placed = sounds.get(sound_key(prompt))
                if placed is not None:
                    made += [NodeFile(placed.path)] * min(prompt.loop, MAX_LOOPS)
    return made


def sound_key(prompt: Say | Play) -> Say | Play:
    """What makes a prompt's sound: everything but how often it is played."""
    if isinstance(prompt, Say):
        return Say(prompt.text, prompt.voice, prompt.language, markup=prompt.markup)
    return Play(prompt.url)


def in_portions(sounds: list[Sound]) -> Iterator[list[Sound]]:
    """As many at a time as one playback takes."""
    for start in range(0, len(sounds), MOST_SOUNDS):
        yield sounds[start : start + MOST_SOUNDS]
