"""How long a file that was fetched may be played without asking again (RFC 9111, a shared cache)."""

from __future__ import annotations

DEFAULT_FRESH_S = 60.0  # where the server says nothing
_LONGEST_S = 24 * 3600.0


def fresh_s(cache_control: str, age: str = "") -> float:
    """Seconds from its arrival for which an answer is fresh, 0 to a day.

    `cache_control` and `age` are the headers as they came, "" if they did not. A field that cannot be read is one that
    is not there (§4.2.1), but a `max-age` that is no number means: ask (§5.2.2.1 lets us take it as stale).
    """
    directives = _directives(cache_control)
    if directives.keys() & {"no-store", "no-cache", "private"}:
        return 0.0
    for name in ("s-maxage", "max-age"):
        if name in directives:
            lifetime_s = _seconds(directives[name])
            return min(max(lifetime_s - _seconds(age), 0.0), _LONGEST_S)
    return DEFAULT_FRESH_S


def _directives(cache_control: str) -> dict[str, str]:
    """Directives in lower case with their arguments; of a repeated one the first counts (§4.2.1)."""
    found: dict[str, str] = {}
    for directive in cache_control.split(","):
        name, _, argument = directive.partition("=")
        found.setdefault(name.strip().lower(), argument.strip().strip('"'))
    return found


def _seconds(text: str) -> float:
    digits = text.strip()
    return float(digits[:12]) if digits.isascii() and digits.isdigit() else 0.0
