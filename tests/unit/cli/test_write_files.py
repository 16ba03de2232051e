"""Rendered files on a disk: whole, private where they are secret, untouched where nothing changed."""

from __future__ import annotations

from pathlib import Path

from controlplane.cli.write_files import write_files
from controlplane.render import RenderedFile

OPEN = RenderedFile("sub/open.xml", "öffentlich\n")
SECRET = RenderedFile("secret.xml", "password\n", is_secret=True)


def test_files_are_there_with_their_text_and_modes(tmp_path: Path) -> None:
    assert write_files(tmp_path, [OPEN, SECRET]) == ["sub/open.xml", "secret.xml"]
    assert (tmp_path / "sub/open.xml").read_text("utf-8") == "öffentlich\n"
    assert (tmp_path / "sub/open.xml").stat().st_mode & 0o777 == 0o644
    assert (tmp_path / "secret.xml").stat().st_mode & 0o777 == 0o600
    assert sorted(path.name for path in tmp_path.rglob("*") if path.is_file()) == ["open.xml", "secret.xml"]


def test_writing_the_same_again_changes_nothing(tmp_path: Path) -> None:
    write_files(tmp_path, [OPEN, SECRET])
    before = (tmp_path / "secret.xml").stat()
    assert write_files(tmp_path, [OPEN, SECRET]) == []
    after = (tmp_path / "secret.xml").stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


def test_only_what_changed_is_written(tmp_path: Path) -> None:
    write_files(tmp_path, [OPEN, SECRET])
    assert write_files(tmp_path, [RenderedFile("sub/open.xml", "anders\n"), SECRET]) == ["sub/open.xml"]


def test_a_secret_that_others_may_read_is_closed(tmp_path: Path) -> None:
    write_files(tmp_path, [SECRET])
    (tmp_path / "secret.xml").chmod(0o644)
    assert write_files(tmp_path, [SECRET]) == ["secret.xml"]
    assert (tmp_path / "secret.xml").stat().st_mode & 0o777 == 0o600
