"""Rendered files onto a disk."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

from controlplane.render import RenderedFile


def write_files(folder: Path, files: Iterable[RenderedFile]) -> list[str]:
    """Put files below a folder, each whole or not at all; answers the paths that changed.

    A file that is there with the same text is left alone, so that its time tells when it changed. Secret files are
    readable by their owner only. What else lies in the folder is not touched.
    """
    return [file.path for file in files if _write(folder / file.path, file)]


def _write(path: Path, file: RenderedFile) -> bool:
    mode = 0o600 if file.is_secret else 0o644
    data = file.content.encode()
    if path.is_file() and path.read_bytes() == data and path.stat().st_mode & 0o777 == mode:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as stream:
            os.fchmod(stream.fileno(), mode)
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    return True
