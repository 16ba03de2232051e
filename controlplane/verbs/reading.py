"""What reading a document needs in every dialect: limits, warnings, and what becomes of a value that is unfit."""

from __future__ import annotations

from enum import Enum
from typing import Protocol

from controlplane.verbs.documents import Warn
from controlplane.verbs.errors import DocumentError

MAX_DEPTH = 16
MAX_VERBS = 1000
MAX_WARNINGS = 100

UNKNOWN = 12200
TOO_LARGE = 11750  # in bytes, or by another limit of ours


class Outcome(Enum):
    """What TwiML does about a value it cannot use. JSON is strict: there each of them is a fault."""

    DEFAULT = "a warning, and the default is taken"
    SKIP = "a warning, and the verb or target is left out"
    FAULT = "the document is refused"


class Amiss(Exception):
    """A value of a verb is missing, unfit, or does not go with the others; `field` is its Row.field, "" for none."""

    def __init__(self, field: str, problem: str, code: int, outcome: Outcome = Outcome.SKIP) -> None:
        self.field, self.problem, self.code, self.outcome = field, problem, code, outcome
        super().__init__(problem)


class Reader(Protocol):
    """What a builder of verbs tells the dialect that is reading, and may ask it."""

    @property
    def has_url(self) -> bool:
        """Whether the document has a URL, so that relative ones mean something."""
        ...

    def unfit(self, field: str, problem: str, code: int) -> None:
        """Say that a value is not taken: a warning in TwiML, a fault in JSON (raises DocumentError)."""
        ...

    def note(self, field: str, problem: str, code: int) -> None:
        """Say that something was odd: a warning in every dialect."""
        ...


class Notes:
    """The warnings of one document (the first MAX_WARNINGS of them) and the count of its verbs."""

    __slots__ = ("_verbs", "warnings")

    def __init__(self) -> None:
        self.warnings: list[Warn] = []
        self._verbs = 0

    def warn(self, path: str, problem: str, code: int, line: int | None = None) -> None:
        """Take down a warning; beyond the last there is one that says that there are more."""
        if len(self.warnings) < MAX_WARNINGS:
            self.warnings.append(Warn(path, problem, code, line))
        elif len(self.warnings) == MAX_WARNINGS:
            self.warnings.append(Warn(path, "and more, which are not listed", UNKNOWN, line))

    @property
    def is_full(self) -> bool:
        """Whether further warnings would not be taken down."""
        return len(self.warnings) > MAX_WARNINGS

    def is_over(self, verbs: int) -> bool:
        """Count further verbs and say whether the document has more than it may."""
        self._verbs += verbs
        return self._verbs > MAX_VERBS


def too_many_verbs(path: str) -> DocumentError:
    """The fault of a document with too many verbs."""
    return DocumentError(path, f"has more than {MAX_VERBS} verbs", TOO_LARGE)


def short(name: str) -> str:
    """A name that a tenant chose, as a path may hold it: nothing that a terminal would act on or nobody can keep."""
    if not name.isprintable():
        name = ascii(name)[1:-1]
    return name if len(name) <= 60 else name[:59] + "…"
