"""Inputs from other inputs: what a fuzzer does to bytes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random

MOST_BYTES = 8192
_ODD = (0, 1, 9, 10, 13, 32, 34, 36, 37, 39, 58, 60, 62, 64, 91, 92, 93, 123, 124, 125, 127, 128, 191, 192, 237, 255)
Mutation = Callable[[Random, bytearray, Sequence[bytes]], None]


def mutated(random: Random, corpus: Sequence[bytes], words: Sequence[bytes]) -> bytes:
    """One of the corpus, changed in a few places."""
    data = bytearray(random.choice(corpus))
    for _ in range(random.choice((1, 1, 2, 3, 5, 8))):
        random.choice(_MUTATIONS)(random, data, (*words, random.choice(corpus)))
    return bytes(data[:MOST_BYTES])


def _place(random: Random, data: bytearray) -> int:
    return random.randrange(len(data) + 1)


def _flip(random: Random, data: bytearray, words: Sequence[bytes]) -> None:
    if data:
        data[random.randrange(len(data))] ^= 1 << random.randrange(8)


def _odd(random: Random, data: bytearray, words: Sequence[bytes]) -> None:
    if data:
        data[random.randrange(len(data))] = random.choice(_ODD)


def _cut(random: Random, data: bytearray, words: Sequence[bytes]) -> None:
    start = _place(random, data)
    del data[start : start + random.choice((1, 1, 2, 4, 16, 256))]


def _insert(random: Random, data: bytearray, words: Sequence[bytes]) -> None:
    place = _place(random, data)
    data[place:place] = random.choice(words)[:MOST_BYTES]


def _replace(random: Random, data: bytearray, words: Sequence[bytes]) -> None:
    place, word = _place(random, data), random.choice(words)
    data[place : place + len(word)] = word


def _repeat(random: Random, data: bytearray, words: Sequence[bytes]) -> None:
    start = _place(random, data)
    piece = data[start : start + random.choice((1, 2, 8, 32))]
    data[start:start] = piece * random.choice((1, 2, 9, 100))


def _move(random: Random, data: bytearray, words: Sequence[bytes]) -> None:
    start, size = _place(random, data), random.choice((1, 4, 16, 64))
    piece = data[start : start + size]
    del data[start : start + size]
    place = _place(random, data)
    data[place:place] = piece


def _splice(random: Random, data: bytearray, words: Sequence[bytes]) -> None:
    other = words[-1]  # of the corpus
    data[_place(random, data) :] = other[random.randrange(len(other) + 1) :]


def _number(random: Random, data: bytearray, words: Sequence[bytes]) -> None:
    place = _place(random, data)
    data[place : place + random.randrange(3)] = str(
        random.choice((-1, 0, 1, 255, 65536, 2**31, 2**64, 10**20))
    ).encode()


_MUTATIONS: tuple[Mutation, ...] = (
    _flip, _odd, _cut, _insert, _insert, _replace, _repeat, _move, _splice, _number,
)  # fmt: skip
