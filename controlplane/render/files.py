"""What rendering answers: files with digests. Writing them is someone else's business."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import sha256


@dataclass(frozen=True, slots=True)
class RenderedFile:
    """One file of a node's configuration: its path below the configuration folder, with slashes, and its text.

    `is_secret` files hold a password: nobody but their owner may read them, and the text stays out of logs.
    """

    path: str
    content: str = field(repr=False)
    is_secret: bool = False

    @property
    def digest(self) -> str:
        """SHA-256 of the bytes on disk (UTF-8), in hexadecimal."""
        return sha256(self.content.encode()).hexdigest()


def digest_of(files: Iterable[RenderedFile]) -> str:
    """One digest of a set of files, whatever their order: the same files have the same digest and no others do."""
    lines = sorted(f"{file.digest} {file.path}" for file in files)
    return sha256("\n".join(lines).encode()).hexdigest()
