"""Where a media node finds prompts and leaves recordings."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from controlplane.files.errors import RecordingAbsent, disk_trouble
from controlplane.files.folder import Folder
from controlplane.files.names import safe_name


@dataclass(frozen=True, slots=True)
class NodeFolders:
    """Folders as the media node sees them: paths without a slash at the end."""

    prompts: str
    recordings: str

    def prompt_path(self, name: str) -> str:
        """What the node plays; raises BadInput for a name that is none."""
        return f"{self.prompts}/{safe_name(name)}"

    def recording_path(self, name: str) -> str:
        """What the node records into; raises BadInput for a name that is none."""
        return f"{self.recordings}/{safe_name(name)}"


class Shelf(Protocol):
    """A media node's files. Names are safe file names (files/names.py), else BadInput."""

    @property
    def folders(self) -> NodeFolders:
        """The paths that the node is told."""
        ...

    async def place(self, name: str, source: Path) -> str:
        """Put a prompt there if it is not there already; answer its path on the node.

        Whole or not at all. It stays for an hour from the last time it was placed. Raises NoRoom, FilesUnavailable.
        """
        ...

    async def collect(self, name: str, work: Path, /) -> Path:
        """A finished recording to read: the node's own file, or a copy in the folder `work`.

        Raises RecordingAbsent, FilesUnavailable.
        """
        ...

    async def discard(self, name: str) -> None:
        """Remove a recording from the node; does nothing if it is gone. Raises FilesUnavailable."""
        ...


class DirectoryShelf:
    """Folders that we and the node both see: one machine, or a shared file system."""

    def __init__(self, prompts: Folder, recordings: Path, node: NodeFolders) -> None:
        """`prompts` and `recordings` are the folders as this process sees them, `node` as the node does."""
        self._prompts, self._recordings, self._node = prompts, recordings, node

    @property
    def folders(self) -> NodeFolders:
        """See Shelf."""
        return self._node

    async def place(self, name: str, source: Path) -> str:
        """See Shelf. A prompt that was made in this folder is there already."""
        if await asyncio.to_thread(self._prompts.maybe_find, name) is None:
            await asyncio.to_thread(self._prompts.copy, source, name)
        return self._node.prompt_path(name)

    async def collect(self, name: str, _work: Path, /) -> Path:
        """See Shelf; the file itself."""
        path = self._recordings / safe_name(name)
        if not await asyncio.to_thread(path.is_file):
            raise RecordingAbsent(None)
        return path

    async def discard(self, name: str) -> None:
        """See Shelf."""
        with disk_trouble("the recordings folder cannot be written"):
            await asyncio.to_thread((self._recordings / safe_name(name)).unlink, missing_ok=True)
