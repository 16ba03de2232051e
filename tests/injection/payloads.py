"""The attempts: texts from payloads.yaml, alone and inside of what a value may be closed by."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

FILE, HOST = "@FILE@", "@HOST@"
_DATA = Path(__file__).with_name("payloads.yaml")


@dataclass(frozen=True, slots=True)
class Payload:
    """One attempt. `id` is its family, its place there and its carrier; `text` still has the words FILE and HOST."""

    id: str
    family: str
    tries: str
    text: str

    def aimed_at(self, file: str, host: str) -> str:
        """The text with the file that must not appear and the address that must not be reached."""
        return self.text.replace(HOST, host).replace(FILE, file)


def all_payloads() -> list[Payload]:
    """Every attempt, in an order that stays."""
    data: dict[str, Any] = yaml.safe_load(_DATA.read_text())
    return [*_written(data), *_repeated(data)]


def some_of_each(payloads: list[Payload], turn: int, count: int) -> list[Payload]:
    """`count` of the attempts, spread over all of them; with each `turn` others, so that many turns have all."""
    step = len(payloads) / count
    return [payloads[int(turn * 7 + place * step) % len(payloads)] for place in range(count)]


def _written(data: dict[str, Any]) -> Iterator[Payload]:
    for family, facts in data["families"].items():
        for place, text in enumerate(facts["texts"], 1):
            yield Payload(f"{family}-{place}", family, facts["tries"], text)
            if facts.get("carried"):
                for carrier, around in data["carriers"].items():
                    carried = around.replace("@@", text, 1)
                    yield Payload(f"{family}-{place}/{carrier}", family, facts["tries"], carried)


def _repeated(data: dict[str, Any]) -> Iterator[Payload]:
    for place, (piece, times) in enumerate(data["repeated"], 1):
        yield Payload(f"long-{place}", "long", "be longer than what it is copied into", piece * times)
