"""Whole calls whose application is the server from hell: each is told by its fallback, and ordinary calls go on beside.

One call server on the emulator, on a clock that jumps; servers and requests are real, and so are their deadlines, which
the URLs themselves shorten (`#tt=`). Everybody dials one number: the application tells callers apart by theirs.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from controlplane.emulator.scenarios import CallerPlan, ExpectEnd, Scenario
from controlplane.settings import Settings
from controlplane.verbs.documents import Link
from controlplane.wiring.simulation import simulating
from tests.acceptance.application import Application
from tests.acceptance.in_memory import ended_call
from tests.acceptance.outcomes import EndedCall
from tests.hell.handshakes import BARE
from tests.hell.running import Ports, hell
from tests.hell.table import TABLE, Behaviour

NUMBER, TOKEN = "+15550002222", "token-for-tests"
FALLBACK, ORDINARY, AFTER = "This is the fallback.", "This is an ordinary call.", "It goes on."
SHORT = "#tt=600&rt=600&ct=300"
ORDINARY_CALLS = 20
# Those of which a document may or may not come have no one way to end; a simulation knows no authority of ours, and
# asks the machine for names: it does not get as far as the second of two hosts.
BY_NAME = "redirects between two hosts"
SURE = {
    name: behaviour
    for name, behaviour in TABLE.items()
    if None not in behaviour.endings and behaviour.tls in ("", BARE) and not behaviour.is_kept and name != BY_NAME
}
CALLERS = {name: f"+1555100{number:04}" for number, name in enumerate(SURE)}


@dataclass(frozen=True, slots=True)
class Calls:
    """What came of all calls, by the caller's number; what each heard, and the errors that the fallback was told of."""

    ended: dict[str, EndedCall]
    heard: dict[str, list[str]]
    told: dict[str, int]


@pytest.fixture(scope="module")
def calls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Calls]:
    with hell(tmp_path_factory.mktemp("hell")) as ports:
        yield asyncio.run(_perform(ports))


async def _perform(ports: Ports) -> Calls:
    pages: dict[str, Any] = {
        "/": f"<Response><Say>{ORDINARY}</Say><Redirect>/after</Redirect></Response>",
        "/after": f"<Response><Say>{AFTER}</Say><Hangup/></Response>",
        "/fallback": f"<Response><Say>{FALLBACK}</Say><Hangup/></Response>",
    }
    for name, behaviour in SURE.items():
        url = _url(ports, name, behaviour).replace("&", "&amp;")
        pages[f"/?From=%2B{CALLERS[name][1:]}"] = f"<Response><Redirect>{url}</Redirect></Response>"
    application = Application(pages, TOKEN)
    others = [f"+1555200{number:04}" for number in range(ORDINARY_CALLS)]
    plans = [CallerPlan(caller, NUMBER, (ExpectEnd(600),)) for caller in [*CALLERS.values(), *others]]
    link, fallback = Link(f"{application.url}/"), Link(f"{application.url}/fallback")
    try:
        async with simulating(Settings(), link, token=TOKEN, fallback=fallback) as simulation:
            logs = await simulation.perform(Scenario(tuple(plans)))
            ended = [
                ended_call(entries, commands)
                for entries, commands in zip(
                    simulation.journal.entries.values(), simulation.journal.commands.values(), strict=True
                )
            ]
            heard = {log.party: [simulation.words(one.what) for one in log.heard] for log in logs}
    finally:
        application.close()
    asked = [request.parameters for request in application.log if request.path == "/fallback"]
    told = {one["From"]: int(one["ErrorCode"]) for one in asked}
    return Calls({call.from_number: call for call in ended}, heard, told)


def _url(ports: Ports, name: str, behaviour: Behaviour) -> str:
    return f"{behaviour.scheme}://127.0.0.1:{ports.of[name]}/voice{SHORT}"


@pytest.mark.parametrize("name", SURE)
def test_a_call_goes_on_with_its_fallback(name: str, calls: Calls) -> None:
    caller = CALLERS[name]
    call = calls.ended[caller]

    assert (call.status, call.reason) == ("completed", "normal-clearing")
    assert FALLBACK in calls.heard[caller]
    # Where the machine is slow, what is quick may be late for a deadline as short as this.
    assert calls.told[caller] in SURE[name].endings | {11205}


def test_ordinary_calls_beside_are_as_always(calls: Calls) -> None:
    others = {caller: call for caller, call in calls.ended.items() if caller not in CALLERS.values()}

    assert len(others) == ORDINARY_CALLS
    for caller, call in others.items():
        assert (call.status, call.reason, call.notes) == ("completed", "normal-clearing", ())
        assert calls.heard[caller] == [ORDINARY, AFTER]
        assert caller not in calls.told
