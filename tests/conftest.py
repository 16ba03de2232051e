"""At the end of a run: what was not run on this machine, and what it would have needed."""

from __future__ import annotations

from collections import defaultdict

import pytest


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """One line a reason, instead of pytest's one line a test."""
    files: dict[str, list[str]] = defaultdict(list)
    for report in terminalreporter.getreports("skipped"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        files[reason.removeprefix("Skipped: ")].append(report.nodeid.partition("::")[0])
    if files:
        terminalreporter.section("not run on this machine")
    for reason, places in sorted(files.items()):
        terminalreporter.write_line(f"{len(places)} skipped: {reason} ({', '.join(sorted(set(places)))})")
