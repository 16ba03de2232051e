"""What a channel says of itself: caller profile and variables, as headers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from controlplane.emulator.events import Block, Pairs, line_of


@dataclass(slots=True)
class Times:
    """When things happened to a channel, microseconds since the epoch, 0 for not yet."""

    profile_created: int = 0
    created: int = 0
    answered: int = 0
    progress: int = 0
    progress_media: int = 0
    hungup: int = 0
    transferred: int = 0
    bridged: int = 0


@dataclass(slots=True)
class Profile:
    """Who calls whom on a channel (switch_caller.c). Empty fields are not shown."""

    uuid: str
    direction: str
    channel_name: str
    destination: str
    cid_number: str = ""
    cid_name: str = ""
    orig_cid_number: str = ""
    orig_cid_name: str = ""
    callee_number: str = ""
    callee_name: str = ""
    username: str = ""
    ani: str = ""
    network_addr: str = "127.0.0.1"
    dialplan: str = "XML"
    source: str = "mod_sofia"
    context: str = "public"
    logical_direction: str = ""
    index: str = "1"
    times: Times = field(default_factory=Times)
    _blocks: dict[str, tuple[tuple[object, ...], Block]] = field(default_factory=dict)

    def block(self, prefix: str) -> Block:
        """The profile as headers, made again only when something in it changed."""
        times = self.times
        state = (
            times.answered, times.progress, times.progress_media, times.hungup, times.transferred, times.bridged,
            self.callee_number, self.callee_name,
        )  # fmt: skip
        known = self._blocks.get(prefix)
        if known is None or known[0] != state:
            pairs = self.pairs(prefix)
            known = self._blocks[prefix] = (state, Block(pairs))
        return known[1]

    def pairs(self, prefix: str) -> Pairs:
        """The profile as headers `<prefix>-…`, in FreeSWITCH's order."""
        named = (
            ("Username", self.username), ("Dialplan", self.dialplan),
            ("Caller-ID-Name", self.cid_name), ("Caller-ID-Number", self.cid_number),
            ("Orig-Caller-ID-Name", self.orig_cid_name), ("Orig-Caller-ID-Number", self.orig_cid_number),
            ("Callee-ID-Name", self.callee_name), ("Callee-ID-Number", self.callee_number),
            ("Network-Addr", self.network_addr), ("ANI", self.ani), ("Destination-Number", self.destination),
            ("Unique-ID", self.uuid), ("Source", self.source), ("Context", self.context),
            ("Channel-Name", self.channel_name), ("Profile-Index", self.index),
        )  # fmt: skip
        times = self.times
        stamps = (
            ("Profile-Created-Time", times.profile_created), ("Channel-Created-Time", times.created),
            ("Channel-Answered-Time", times.answered), ("Channel-Progress-Time", times.progress),
            ("Channel-Progress-Media-Time", times.progress_media), ("Channel-Hangup-Time", times.hungup),
            ("Channel-Transfer-Time", times.transferred), ("Channel-Resurrect-Time", 0),
            ("Channel-Bridged-Time", times.bridged), ("Channel-Last-Hold", 0), ("Channel-Hold-Accum", 0),
        )  # fmt: skip
        return (
            (f"{prefix}-Direction", self.direction),
            (f"{prefix}-Logical-Direction", self.logical_direction or self.direction),
            *((f"{prefix}-{name}", value) for name, value in named if value),
            *((f"{prefix}-{name}", str(value)) for name, value in stamps),
            (f"{prefix}-Screen-Bit", "true"),
            (f"{prefix}-Privacy-Hide-Name", "false"),
            (f"{prefix}-Privacy-Hide-Number", "false"),
        )


class Variables:
    """A channel's variables, and the line that each is in an event. What it has not is the node's (`defaults`)."""

    __slots__ = ("_block", "_defaults", "_lines", "_values")

    def __init__(self, defaults: Mapping[str, str] = MappingProxyType({})) -> None:
        self._defaults = defaults
        self._values: dict[str, str] = {}
        self._lines: dict[str, str] = {}
        self._block: Block | None = None

    def get(self, name: str) -> str | None:
        """The value, or None (switch_channel.c, switch_channel_get_variable_dup)."""
        value = self._values.get(name)
        return self._defaults.get(name) if value is None else value

    def set(self, name: str, value: str | None) -> None:
        """Set a variable, or with None or "" remove it. A changed variable moves to the end, as in FreeSWITCH."""
        self._block = None
        self._values.pop(name, None)
        self._lines.pop(name, None)
        if value:
            self._values[name] = value
            self._lines[name] = line_of("variable_" + name, value)

    def update(self, values: dict[str, str]) -> None:
        """Set several."""
        for name, value in values.items():
            self.set(name, value)

    def push(self, name: str, value: str) -> None:
        """Add a value to a variable that may have several (`ARRAY::a|:b`)."""
        before = self._values.get(name)
        if before is None:
            self.set(name, value)
        elif before.startswith("ARRAY::"):
            self.set(name, f"{before}|:{value}")
        else:
            self.set(name, f"ARRAY::{before}|:{value}")

    def is_true(self, name: str) -> bool:
        """Say whether the value is one of FreeSWITCH's words for yes (switch_true)."""
        value = (self.get(name) or "").lower()
        is_number = value.isdigit() and int(value) != 0
        return is_number or value in ("yes", "on", "true", "t", "enabled", "active", "allow")

    def items(self) -> list[tuple[str, str]]:
        """All of them."""
        return list(self._values.items())

    def block(self) -> Block:
        """The variables as headers."""
        if self._block is None:
            values = tuple(self._values.items())
            lines = "".join(self._lines.values()).encode()
            self._block = Block(lambda: tuple([("variable_" + name, value) for name, value in values]), lines)
        return self._block


def sip_variables(profile: Profile, session_id: int, call_id: str) -> dict[str, str]:
    """What mod_sofia sets on a channel when it begins, by and large: events should be as big as real ones."""
    is_inbound = profile.direction == "inbound"
    number, host = profile.cid_number, profile.network_addr
    values = {
        "direction": profile.direction, "is_outbound": "" if is_inbound else "true", "uuid": profile.uuid,
        "session_id": str(session_id), "video_media_flow": "disabled", "text_media_flow": "disabled",
        "channel_name": profile.channel_name, "sip_call_id": call_id, "sip_local_network_addr": host,
        "sofia_profile_name": "internal", "recovery_profile_name": "internal",
        "sofia_profile_url": f"sip:mod_sofia@{host}:5080", "max_forwards": "70" if is_inbound else "69",
    }  # fmt: skip
    if is_inbound:
        values |= _inbound_sip(number, host, profile.destination)
    values["call_uuid"] = profile.uuid
    return values


def far_end_variables(profile: Profile) -> dict[str, str]:
    """What mod_sofia knows of both ends of a leg that we dialled once it is answered, and not before (seen)."""
    caller, host = profile.orig_cid_number, profile.network_addr
    return {"sip_from_user": caller, "sip_from_host": host, "sip_to_user": profile.destination, "sip_to_host": host}


def _inbound_sip(number: str, host: str, dialled: str) -> dict[str, str]:
    codecs = "CORE_PCM_MODULE.PCMU@8000h@20i@64000b,CORE_PCM_MODULE.PCMA@8000h@20i@64000b"
    return {
        "sip_from_user": number, "sip_from_uri": f"{number}@{host}", "sip_from_host": host,
        "sip_network_ip": host, "sip_network_port": "5060", "sip_received_ip": host, "sip_received_port": "5060",
        "sip_via_protocol": "udp", "sip_from_user_stripped": number.lstrip("+"),
        "sip_full_via": f"SIP/2.0/UDP {host}:5060;rport=5060;branch=z9hG4bK10e729HDUajcB",
        "sip_full_from": f"<sip:{number}@{host}>;tag=ty4U44KXNtZ0p", "sip_full_to": f"<sip:{dialled}@{host}:5080>",
        "sip_allow": "INVITE, ACK, BYE, CANCEL, OPTIONS, MESSAGE, INFO, UPDATE, REGISTER, REFER, NOTIFY",
        "sip_req_user": dialled, "sip_req_port": "5080", "sip_req_uri": f"{dialled}@{host}:5080",
        "sip_req_host": host, "sip_to_user": dialled, "sip_to_port": "5080", "sip_to_uri": f"{dialled}@{host}:5080",
        "sip_to_host": host, "sip_contact_user": "mod_sofia", "sip_contact_port": "5060",
        "sip_contact_uri": f"mod_sofia@{host}:5060", "sip_contact_host": host, "rtp_use_codec_string": "PCMU,PCMA",
        "sip_via_host": host, "sip_via_port": "5060", "sip_via_rport": "5060",
        "switch_r_sdp": f"v=0\r\no=caller 1 2 IN IP4 {host}\r\ns=-\r\nc=IN IP4 {host}\r\nt=0 0\r\n"
        "m=audio 27310 RTP/AVP 0 8 101\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\n",
        "ep_codec_string": codecs, "endpoint_disposition": "DELAYED NEGOTIATION",
    }  # fmt: skip


MEDIA_VARIABLES = {
    "remote_video_media_flow": "inactive", "remote_text_media_flow": "inactive",
    "remote_audio_media_flow": "sendrecv", "audio_media_flow": "sendrecv", "rtp_audio_recv_pt": "0",
    "rtp_use_codec_name": "PCMU", "rtp_use_codec_rate": "8000", "rtp_use_codec_ptime": "20",
    "rtp_use_codec_channels": "1", "read_codec": "PCMU", "original_read_codec": "PCMU", "read_rate": "8000",
    "original_read_rate": "8000", "write_codec": "PCMU", "write_rate": "8000", "dtmf_type": "rfc2833",
    "local_media_ip": "127.0.0.1", "local_media_port": "23142", "advertised_media_ip": "127.0.0.1",
    "rtp_use_timer_name": "soft", "rtp_use_pt": "0", "rtp_2833_send_payload": "101",
    "rtp_2833_recv_payload": "101", "remote_media_ip": "127.0.0.1", "remote_media_port": "27310",
}  # fmt: skip
