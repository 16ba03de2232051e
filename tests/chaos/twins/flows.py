"""What calls are in the middle of when their media node is killed: documents, and what the people do.

Everybody has a number of their own; the telephone that is dialled for a caller has the same with another prefix.
"""

from __future__ import annotations

import io
import wave
from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np

from controlplane.emulator.phones.rtp import RATE_HZ, Samples
from tests.chaos.flows import CALLED_BACK, callee_of

# ring: the caller was answered and hears that another telephone rings; early: it was not.
NUMBERS = {
    "prompt": "+15551120001", "talk": "+15551120002", "ring": "+15551120003", "early": "+15551120004",
    "record": "+15551120005",
}  # fmt: skip
UP = {"prompt": 1, "talk": 2, "ring": 1, "early": 0, "record": 1}  # telephones that are in an answered call
MIX = ("prompt", "talk", "prompt", "talk", "ring", "prompt", "talk", "record", "prompt", "early")
# What who was answered asks for until the end; nobody asks for anything after a prompt or a recording that they leave.
ASKS = {
    "prompt": ["/app/prompt"], "talk": ["/app/talk", "/app/after"], "ring": ["/app/ring", "/app/after"],
    "record": ["/app/record"],
}  # fmt: skip
LONGEST_S = 90
_LEVEL = 8000


@cache
def tone(hz: int, seconds: int = LONGEST_S) -> Samples:
    """A voice that never pauses: whatever is silent in what is heard of it was lost."""
    samples: Samples = (_LEVEL * np.sin(np.arange(RATE_HZ * seconds) * 2 * np.pi * hz / RATE_HZ)).astype(np.int16)
    return samples


def plan(flow: str, caller: str, at_s: float) -> dict[str, Any]:
    """What is to become of a call, as a line of plans.jsonl has it: its node's death is not to be the end of it."""
    rings = callee_of(caller) if flow == "talk" else None
    told = {"number": caller, "role": "caller", "at": at_s, "asks": ASKS[flow], "rings": rings}
    return told | {"is_recorded": flow == "record", "calls_back": [*CALLED_BACK] if rings else []}


def wav_of(samples: Samples) -> bytes:
    """A WAV file."""
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setparams((1, 2, RATE_HZ, 0, "NONE", ""))
        writer.writeframes(samples.tobytes())
    return file.getvalue()


FILES = {"/tone.wav": wav_of(tone(440))}


def page(url: str, path: str, parameters: Mapping[str, str]) -> str | None:
    """The documents; `url` is the application's own."""
    caller = parameters.get("From", "")
    match path:
        case "/app/prompt":
            return f"<Response><Play>{url}/tone.wav</Play></Response>"
        case "/app/talk" | "/app/ring" | "/app/early":
            more = " answerOnBridge='true'" if path.endswith("early") else ""
            told = f"statusCallback='/events/leg' statusCallbackEvent='{' '.join(CALLED_BACK)}'"
            number = f"<Number {told}>{callee_of(caller)}</Number>"
            return f"<Response><Dial timeout='300' action='/app/after'{more}>{number}</Dial></Response>"
        case "/app/record":
            return "<Response><Record maxLength='120' timeout='100' playBeep='false' action='/app/after'/></Response>"
        case "/app/after":
            return "<Response><Say>Good bye.</Say></Response>"
        case _:
            return None
