"""How a harness is ended: whatever it started is ended by it, and what it had stopped goes on before."""

from __future__ import annotations

import signal


def end_as_by_ctrl_c() -> None:
    """Let SIGTERM do what Ctrl-C does, and Ctrl-C do it in a job of a shell's background, too, which ignores it."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.default_int_handler)
