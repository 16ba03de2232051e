"""New ids and secrets: where the clock and the system's randomness come in."""

from __future__ import annotations

import secrets
import time

from controlplane.base.ids import mint


def new_id(prefix: str) -> str:
    """A new id of ours. A call's shard, its last four bits, is random with the rest."""
    return mint(prefix, now_ms(), secrets.token_bytes(10))


def now_ms() -> int:
    """Milliseconds since the epoch, by this machine's clock."""
    return time.time_ns() // 1_000_000


def new_token(prefix: str = "") -> str:
    """A secret that cannot be guessed: 256 bits in hexadecimal after its prefix."""
    return f"{prefix}{secrets.token_hex(32)}"
