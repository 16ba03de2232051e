"""One media node as its configuration needs to know it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network

LOOPBACK = ("127.0.0.0/8",)
SMALLEST_RTP_RANGE = 10
_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*\Z")
_PASSWORD = re.compile(r"[!-~]{1,128}\Z")
_DATABASE = re.compile(r"postgresql://[!-~]{1,400}\Z")
_FOLDER = re.compile(r"/[^\x00-\x1f\x7f]*\Z")


@dataclass(frozen=True, slots=True)
class NodeFolders:
    """Absolute folders as the node sees them.

    `log` also gets a merged copy of the whole configuration, password included (switch_xml.c writes
    freeswitch.xml.fsxml there): nobody else may read it.
    """

    conf: str
    log: str
    db: str
    run: str
    recordings: str
    prompts: str
    certs: str
    scratch: str

    @classmethod
    def below(cls, folder: str, *, recordings: str, prompts: str) -> NodeFolders:
        """The usual names below one folder."""
        own = {name: f"{folder}/{name}" for name in ("conf", "log", "db", "run", "certs", "scratch")}
        return cls(recordings=recordings, prompts=prompts, **own)


@dataclass(frozen=True, slots=True)
class MediaNode:
    """A FreeSWITCH that call servers drive over event-socket links.

    Addresses are IP addresses of the node; `*_allowed` are networks in CIDR notation that may connect.
    `session_cap` counts legs, not calls; `leg_rate_limit` is new legs per second. An unclaimed call ends after
    `door_watchdog_s` seconds. `call_records` is the absolute folder in which the node leaves a record of each leg
    that ended, `<uuid>.cdr.json` (mod_json_cdr; numbers are in it, and nothing of ours removes it); None: it leaves
    none.

    `core_database` (postgresql://…, a database that no other node uses; "" for a file of FreeSWITCH's own) is where
    answered legs are kept so that another node can go on with them. FreeSWITCH repeats the address in its log where it
    cannot connect: without a password in it (`?passfile=…`) none gets there.
    """

    name: str
    folders: NodeFolders
    esl_password: str = field(repr=False)
    esl_address: str = "127.0.0.1"
    esl_port: int = 8021
    esl_allowed: tuple[str, ...] = LOOPBACK
    sip_profile: str = "internal"
    sip_address: str = "127.0.0.1"
    sip_port: int = 5080
    sip_allowed: tuple[str, ...] = LOOPBACK
    rtp_address: str = "127.0.0.1"
    rtp_first_port: int = 16384
    rtp_last_port: int = 32767
    door_watchdog_s: int = 10
    session_cap: int = 2000
    leg_rate_limit: int = 200
    has_opus: bool = False
    call_records: str | None = None
    core_database: str = field(default="", repr=False)


def verify_media_node(node: MediaNode) -> list[str]:
    """Everything that is wrong with a node, one line each; nothing if it can be rendered and started."""
    return [*_name_problems(node), *_address_problems(node), *_number_problems(node), *_folder_problems(node)]


def _name_problems(node: MediaNode) -> Iterator[str]:
    for noun, name in (("name", node.name), ("sip_profile", node.sip_profile)):
        if not _NAME.match(name):
            yield f"{noun}: small letters and digits, single hyphens between"
    if not _PASSWORD.match(node.esl_password):
        yield "esl_password: 1 to 128 printable characters without spaces"
    if node.core_database and not _DATABASE.match(node.core_database):
        yield "core_database: postgresql://… and at most 400 printable characters without spaces"


def _address_problems(node: MediaNode) -> Iterator[str]:
    for noun in ("esl_address", "sip_address", "rtp_address"):
        if not _is(ip_address, getattr(node, noun)):
            yield f"{noun}: not an IP address"
    for noun in ("esl_allowed", "sip_allowed"):
        yield from (f"{noun}: {net} is no network" for net in getattr(node, noun) if not _is(ip_network, net))
        if not getattr(node, noun):
            yield f"{noun}: nobody could connect"


def _number_problems(node: MediaNode) -> Iterator[str]:
    ports = ("esl_port", "sip_port", "rtp_first_port", "rtp_last_port")
    yield from (f"{noun}: 1024 to 65535" for noun in ports if not 1024 <= getattr(node, noun) <= 65535)
    if node.rtp_last_port - node.rtp_first_port < SMALLEST_RTP_RANGE:
        yield f"rtp_last_port: at least {SMALLEST_RTP_RANGE} above rtp_first_port"
    if node.sip_address == node.rtp_address and node.rtp_first_port <= node.sip_port <= node.rtp_last_port:
        yield "sip_port: inside the RTP range"
    counts = ("door_watchdog_s", "session_cap", "leg_rate_limit")
    yield from (f"{noun}: at least 1" for noun in counts if getattr(node, noun) < 1)


def _folder_problems(node: MediaNode) -> Iterator[str]:
    for noun in ("conf", "log", "db", "run", "recordings", "prompts", "certs", "scratch"):
        if not _FOLDER.match(getattr(node.folders, noun)):
            yield f"folders.{noun}: not an absolute path"
    if node.call_records is not None and not _FOLDER.match(node.call_records):
        yield "call_records: not an absolute path"


def _is(parse: type | object, text: str) -> bool:
    try:
        parse(text)  # type: ignore[operator]
    except ValueError:
        return False
    return True
