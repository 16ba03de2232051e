"""Answers that say no more than that it is done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Done:
    """It is done."""

    message: str
    success: Literal[True] = True
