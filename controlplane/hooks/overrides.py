"""What a tenant may say about a request in the fragment of its URL: `https://…/voice#ct=2000&rc=2&rp=5xx,ct`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import unquote_plus

from controlplane.hooks.errors import Code, HookError


class RetryOn(StrEnum):
    """What a request is tried again after."""

    CONNECT = "ct"
    READ = "rt"
    STATUS_4XX = "4xx"
    STATUS_5XX = "5xx"


@dataclass(frozen=True, slots=True)
class Overrides:
    """Timeouts in milliseconds, retries, and what for; None where the URL does not say.

    `sends_sni` False asks for a TLS handshake without a server name.
    """

    connect_ms: int | None = None
    read_ms: int | None = None
    total_ms: int | None = None
    retries: int | None = None
    retry_on: frozenset[RetryOn] = frozenset({RetryOn.CONNECT})
    sends_sni: bool = True


_RANGES = {"ct": (100, 10_000), "rt": (100, 15_000), "tt": (100, 15_000), "rc": (0, 5)}
_EDGES = frozenset({"ashburn", "dublin", "frankfurt", "sao-paulo", "singapore", "sydney", "tokyo", "umatilla"})
_EDGE_SHAPE = re.compile(r"[a-z]+(?:-[a-z]+)*\Z", re.ASCII)
_NUMBER = re.compile(r"\d{1,6}\Z", re.ASCII)
NONE = Overrides()


def parse_overrides(fragment: str) -> Overrides:
    """Read a fragment (without its #); raises HookError 11240 to 11243.

    Pairs with other keys, and a fragment that holds no pairs, mean nothing to us. Of a repeated key the last counts.
    Edges are checked and have no effect: requests leave from where the platform runs.
    """
    if "=" not in fragment:
        return NONE
    pairs = dict(_pairs_of(fragment))
    numbers = {key: _number_of(key, pairs[key]) for key in _RANGES if key in pairs}
    if "e" in pairs:
        _check_edges(pairs["e"].split(","))
    return Overrides(
        connect_ms=numbers.get("ct"),
        read_ms=numbers.get("rt"),
        total_ms=numbers.get("tt"),
        retries=numbers.get("rc"),
        retry_on=_policy_of(pairs["rp"]) if "rp" in pairs else NONE.retry_on,
        sends_sni=_sni_of(pairs.get("sni", "y")),
    )


def _pairs_of(fragment: str) -> list[tuple[str, str]]:
    pairs = [pair.partition("=") for pair in fragment.split("&")]
    return [(unquote_plus(key), unquote_plus(value)) for key, equals, value in pairs if equals]


def _number_of(key: str, value: str) -> int:
    lowest, highest = _RANGES[key]
    if not _NUMBER.match(value) or not lowest <= int(value) <= highest:
        raise HookError(Code.OVERRIDE_INVALID, f"#{key} is not a number from {lowest} to {highest}")
    return int(value)


def _policy_of(value: str) -> frozenset[RetryOn]:
    words = value.split(",")
    if "all" in words:
        words = [word for word in words if word != "all"] + list(RetryOn)
    try:
        return frozenset(RetryOn(word) for word in words)
    except ValueError as error:
        raise HookError(Code.OVERRIDE_INVALID, "#rp is not a list of 4xx, 5xx, ct, rt, all") from error


def _sni_of(value: str) -> bool:
    if value not in ("y", "n"):
        raise HookError(Code.OVERRIDE_INVALID, "#sni is neither y nor n")
    return value == "y"


def _check_edges(names: list[str]) -> None:
    for name in names:
        if not _EDGE_SHAPE.match(name):
            raise HookError(Code.EDGE_INVALID, "#e is not a list of edge names")
        if name.endswith("-ix"):
            raise HookError(Code.INTERCONNECT_REFUSED, "#e names a private interconnect")
        if name not in _EDGES:
            raise HookError(Code.EDGE_UNSUPPORTED, "#e names an edge that is not known here")
