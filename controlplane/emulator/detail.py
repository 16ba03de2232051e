"""The record that a node leaves of a leg that ended, in the shape of FreeSWITCH's mod_json_cdr.

What is here is where it is in a real record (switch_ivr.c, switch_ivr_generate_json_cdr); a real one has more (flags,
statistics of the audio, the dialplan's extension). All values are text, times microseconds since the epoch, "0" for
never. As there, a record is made before CHANNEL_HANGUP_COMPLETE is told (switch_core_state_machine.c:865).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from controlplane.emulator.channel import STATE_NUMBERS, Channel
from controlplane.emulator.profiles import Profile, Times

Json: TypeAlias = "str | dict[str, Json] | list[Json]"
Detail: TypeAlias = dict[str, Json]

# Takes the record of each leg of a node as it ends.
Recorder = Callable[[Detail], None]


def detail_of(channel: Channel) -> Detail:
    """The record of a channel that has ended and whose last variables are set."""
    detail: Detail = {
        "core-uuid": channel.node.core_uuid,
        "switchname": channel.node.name,
        "channel_data": {
            "state": channel.state,
            "direction": channel.profile.direction,
            "state_number": str(STATE_NUMBERS[channel.state]),
        },
        "variables": dict(channel.variables.items()),
    }
    if channel.app_log:
        detail["app_log"] = {"applications": [{"app_name": name, "app_data": data} for name, data in channel.app_log]}
    profile = channel.profile
    detail["callflow"] = [
        {"profile_index": profile.index, "caller_profile": _parties(profile), "times": _times(profile.times)}
    ]
    return detail


def write_details(folder: Path) -> Recorder:
    """A recorder that leaves each record as a file `<uuid>.cdr.json`, one line, in a folder that is there.

    Like mod_json_cdr it writes in place: a file is whole when it ends with a newline.
    """

    def write(detail: Detail) -> None:
        variables = detail["variables"]
        assert isinstance(variables, dict)
        text = json.dumps(detail, ensure_ascii=False, separators=(",", ":"))
        (folder / f"{variables['uuid']}.cdr.json").write_text(text + "\n", encoding="utf-8")

    return write


def _parties(profile: Profile) -> Json:
    return {
        "username": profile.username, "dialplan": profile.dialplan, "caller_id_name": profile.cid_name,
        "ani": profile.ani, "aniii": "", "caller_id_number": profile.cid_number, "network_addr": profile.network_addr,
        "rdnis": "", "destination_number": profile.destination, "uuid": profile.uuid, "source": profile.source,
        "context": profile.context, "chan_name": profile.channel_name,
    }  # fmt: skip


def _times(times: Times) -> Json:
    named = {
        "created": times.created, "profile_created": times.profile_created, "progress": times.progress,
        "progress_media": times.progress_media, "answered": times.answered, "bridged": times.bridged,
        "last_hold": 0, "hold_accum": 0, "hangup": times.hungup, "resurrect": 0, "transfer": times.transferred,
    }  # fmt: skip
    return {f"{name}_time": str(at_us) for name, at_us in named.items()}
