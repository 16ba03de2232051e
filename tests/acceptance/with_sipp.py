"""Cases whose callers are SIPps: RTP both ways, keys as RFC 4733 events."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path

from controlplane.cli.ports import free_port
from controlplane.emulator.parties import PartyLog
from controlplane.emulator.phones.cast import heard_in
from controlplane.emulator.phones.rtp import Samples
from controlplane.emulator.scenarios import Say
from controlplane.render import MediaNode
from tests.acceptance.cases import Case
from tests.acceptance.in_processes import Collect, Perform, Performed, Prepared
from tests.acceptance.sipp_caller import Ear, call, keys_packets, voice_packets, write_capture

KEYS = "159#"


def with_sipp(sipp: Path, node: MediaNode, folder: Path) -> Perform:
    """Every caller of a case is a SIPp with the scenario of the case's name; its script says what it has to say."""

    async def perform(prepared: Sequence[Prepared]) -> Collect:
        performed = {one.case.name: Performed([await _call(one)]) for one in prepared}

        async def collect() -> Mapping[str, Performed]:
            return performed

        return collect

    async def _call(one: Prepared) -> PartyLog:
        (caller,) = one.case.scenario.callers
        write_capture(folder / "keys.pcap", keys_packets(KEYS))
        write_capture(folder / "voice.pcap", voice_packets(voice_of(one.case, one)))
        ear = Ear(free_port())
        problem = await call(
            sipp, (node.sip_address, node.sip_port), one.case.name, folder,
            media_port=ear.port, service=caller.to_number, caller=caller.from_number,
        )  # fmt: skip
        await asyncio.to_thread(ear.close)
        heard = heard_in(ear.heard.samples(), one.sounds.known)
        return PartyLog(caller.from_number, problems=[problem] if problem else [], heard=heard)

    return perform


def voice_of(case: Case, prepared: Prepared) -> Samples:
    """What the caller says."""
    (step,) = case.scenario.callers[0].script
    assert isinstance(step, Say)
    return prepared.sounds.voice(step.text)
