"""Sentences that FreeSWITCH writes for people."""

from __future__ import annotations

RELEASE = "1.10.12-release+git~20240802T210227Z~a88d069d6f~64bit"
VERSION = f"FreeSWITCH Version {RELEASE} (git a88d069 2024-08-02 21:02:27Z 64bit)\n"


def uptime_text(uptime_ms: int) -> str:
    """How long it has been up, in words."""
    seconds, milliseconds = divmod(uptime_ms, 1000)
    sizes = (("year", 31_536_000), ("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))
    parts = []
    for name, size in sizes:
        count, seconds = divmod(seconds, size)
        parts.append(_counted(count, name))
    return ", ".join([*parts, _counted(milliseconds, "millisecond"), _counted(0, "microsecond")])


def _counted(count: int, name: str) -> str:
    return f"{count} {name}{'' if count == 1 else 's'}"
