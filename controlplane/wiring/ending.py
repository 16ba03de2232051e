"""The end of a process by a defect of its own: whoever supervises it starts another."""

from __future__ import annotations

import logging
import os

DEFECT = 70  # exit status, as in sysexits.h


def end_at_once(status: int) -> None:
    """Be gone as by a kill: the kernel closes what is open, and others go on with what we had."""
    logging.shutdown()
    os._exit(status)
