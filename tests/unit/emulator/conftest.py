"""A node on virtual time, a link to it, and sounds to play."""

from __future__ import annotations

import wave
from collections.abc import Callable
from pathlib import Path

import pytest

from controlplane.emulator.clock import VirtualClock
from controlplane.emulator.memory import MemoryNetwork
from controlplane.emulator.node import Node
from tests.unit.emulator.links import Link, open_link

MakeSound = Callable[[str, int], str]


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def node(clock: VirtualClock) -> Node:
    return Node(clock)


@pytest.fixture
async def link(node: Node) -> Link:
    return await open_link(MemoryNetwork(node))


@pytest.fixture
def make_sound(tmp_path: Path) -> MakeSound:
    """Make a silent sound file of so many milliseconds and answer its path."""

    def make(name: str, duration_ms: int) -> str:
        path = tmp_path / f"{name}.wav"
        with wave.open(str(path), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(8000)
            file.writeframes(bytes(duration_ms * 16))
        return str(path)

    return make
