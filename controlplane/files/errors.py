"""What can be wrong with files."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar

from controlplane.base.errors import BadInput, NotFound, Unavailable

# The TwiML reference's error numbers (twilio.md 5.5).
INTERNAL, FETCH_FAILED, PLAY_TYPE, NOTHING_TO_SAY = 12400, 11200, 13420, 13520
_FULL = (errno.ENOSPC, errno.EDQUOT)


class UnusableAudio(BadInput):
    """The file is not audio that can be played."""

    slug: ClassVar[str] = "unusable-audio"

    def __init__(self, problem: str, code: int = PLAY_TYPE) -> None:
        """`problem` is for the tenant who serves the file; `code` the reference's error number."""
        self.problem, self.code = problem, code
        super().__init__(problem, code=code)


class PromptUnavailable(Unavailable):
    """A prompt could not be made."""

    slug: ClassVar[str] = "prompt-unavailable"

    def __init__(self, code: int, problem: str) -> None:
        """`code` is the reference's error number; `problem` one line for the tenant."""
        self.code, self.problem = code, problem
        super().__init__(problem, code=code)


class FilesUnavailable(Unavailable):
    """Files cannot be read or written right now."""

    slug: ClassVar[str] = "files-unavailable"


class NoRoom(FilesUnavailable):
    """There is no room for another file."""

    slug: ClassVar[str] = "no-room"


class ShelfUnavailable(FilesUnavailable):
    """A media node's files are out of reach."""

    slug: ClassVar[str] = "shelf-unavailable"


class StorageUnavailable(FilesUnavailable):
    """The storage of recordings is out of reach."""

    slug: ClassVar[str] = "storage-unavailable"


class RecordingAbsent(NotFound):
    """The media node has no such recording."""

    slug: ClassVar[str] = "recording-absent"


@contextmanager
def disk_trouble(what: str) -> Iterator[None]:
    """Failures of the file system as our errors: NoRoom for a full disk, else FilesUnavailable."""
    try:
        yield
    except OSError as error:
        kind = NoRoom if error.errno in _FULL else FilesUnavailable
        raise kind(f"{what}: {error.strerror}") from error
