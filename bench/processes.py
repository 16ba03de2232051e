"""What a process costs, as the kernel counts it (proc(5)): CPU time, memory, descriptors, threads."""

from __future__ import annotations

import os
from pathlib import Path

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")


def cpu_s_of(pid: int) -> float:
    """CPU time that a process and the children it waited for have taken, in seconds (stat: fields 14 to 17)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(int(field) for field in fields[11:15]) / _TICKS_PER_S


def cpu_s_of_database(postmaster: int) -> float:
    """The same of a PostgreSQL: its backends, those that are there and those that ended."""
    return sum(cpu_s_of(pid) for pid in (postmaster, *children_of(postmaster)))


def children_of(pid: int) -> list[int]:
    """The processes that a process started and that live."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue  # ended while we looked
        if int(fields[1]) == pid:
            found.append(int(stat.parent.name))
    return found


def memory_bytes_of(pid: int) -> int:
    """Memory that a process has in use (statm: resident pages)."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def descriptors_of(pid: int) -> int:
    """How many files and sockets it has open."""
    return len(os.listdir(f"/proc/{pid}/fd"))


def threads_of(pid: int) -> int:
    """How many threads it has."""
    return len(os.listdir(f"/proc/{pid}/task"))
