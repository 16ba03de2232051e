"""A coverage-guided fuzzer in a page: what takes a branch that nothing took before is kept, and changed further.

Not atheris: its wheels are for Linux on x86-64 alone, 35 MB each, of another release for each Python (3.0.0 is the last
for 3.11), and what it finds depends on which one it was. This one is slower by input, and runs the same everywhere.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from tests.fuzz.coverage import Coverage, covering
from tests.fuzz.mutating import mutated

CORPUS = Path(__file__).parent / "corpus"


@dataclass(frozen=True, slots=True)
class Target:
    """What is fuzzed. `run` raises if anything is wrong with what came of its input; `packages` are those watched."""

    name: str
    run: Callable[[bytes], object]
    packages: tuple[str, ...]
    seeds: Callable[[], Iterable[bytes]]
    words: tuple[bytes, ...]

    def corpus(self) -> list[bytes]:
        """What was kept, and the seeds."""
        kept = [path.read_bytes() for path in sorted((CORPUS / self.name).glob("*"))]
        return [*dict.fromkeys([*kept, *self.seeds()])]

    def keep(self, data: bytes) -> Path:
        """Put an input into the corpus."""
        path = CORPUS / self.name / hashlib.sha256(data).hexdigest()[:16]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return path


class Found(AssertionError):
    """An input that something is wrong with."""

    def __init__(self, target: Target, data: bytes, error: BaseException) -> None:
        self.data = data
        super().__init__(f"{target.name}: {type(error).__name__}: {error}; input {data!r}")


@dataclass(slots=True)
class Session:
    """A run under way. `fresh` are the inputs that took new branches, oldest first."""

    target: Target
    coverage: Coverage
    random: Random
    corpus: list[bytes] = field(default_factory=list)
    fresh: list[bytes] = field(default_factory=list)
    runs: int = 0

    def try_one(self, data: bytes) -> bool:
        """Run one input; answers whether it took a new branch. Raises Found."""
        self.coverage.fresh.clear()
        self.runs += 1
        try:
            self.target.run(data)
        except Exception as error:
            raise Found(self.target, data, error) from error
        return bool(self.coverage.fresh)

    def go_on(self) -> None:
        """Try one more."""
        data = mutated(self.random, self.corpus, self.target.words)
        if self.try_one(data):
            self.corpus.append(data)
            self.fresh.append(data)


@contextmanager
def fuzzing(target: Target, seed: int) -> Iterator[Session]:
    """A session that has tried the corpus, while the block runs. The same seed does the same again."""
    with covering(*target.packages) as coverage:
        session = Session(target, coverage, Random(seed), target.corpus())
        for data in session.corpus:
            session.try_one(data)
        yield session


def fuzz_runs(target: Target, runs: int, *, seed: int = 0) -> Session:
    """Try so many inputs beyond the corpus."""
    with fuzzing(target, seed) as session:
        for _ in range(runs):
            session.go_on()
    return session


def fuzz_for(target: Target, seconds: float, *, seed: int) -> Session:
    """Try inputs for a while."""
    end_s = time.monotonic() + seconds
    with fuzzing(target, seed) as session:
        while time.monotonic() < end_s:
            session.go_on()
    return session
