"""Long-lived calls, each of which is given one value after another.

A lane asks for a document, gets one with a value in it, carries it out or refuses it, and asks for the next.

The lane's next request says what became of the value: with an ErrorCode it was refused, without one it was carried out.
What would take long (a prompt, a recording, somebody who does not answer) is broken off through the API by sending the
call to its next document, as soon as nothing more is said to the media node. A call that ends where its document does
not say so is a dead one.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Coroutine, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import count
from urllib.parse import quote
from uuid import UUID

from controlplane.base.ids import LegId, call_of_leg
from tests.injection.application import Answer, Asked
from tests.injection.media import answer_media
from tests.injection.outcomes import Attempt, Outcomes
from tests.injection.places import APP, element, text_of, twiml, with_addresses
from tests.injection.stage import Stage
from tests.injection.telephones import Line

QUIET_S, SILENT_S, STUCK_S = 0.1, 3.0, 40.0
CASES_A_CALL, IDLE_IN_A_ROW = 150, 50
TRIES, AGAIN_S = 40, 0.25
_TICK_S = 0.03
_ON = Answer(b"<Response><Redirect>/next</Redirect></Response>")
_REST = Answer(f"<Response><Play>{APP}/media/beep</Play><Redirect>/next</Redirect></Response>".encode())
_LEAVE = Answer(b"<Response><Hangup/></Response>")
_NOTHING = Answer(b"<Response/>")


@dataclass(slots=True, eq=False)
class Lane:
    """One call. `sid` is known when it first asks; `attempt` is what it is at."""

    caller: str
    phone: Line
    sid: str = ""
    attempt: Attempt | None = None
    served_s: float = 0.0
    broken_s: float = 0.0
    cases: int = 0
    idle: int = 0
    is_leaving: bool = False

    @property
    def leg(self) -> LegId:
        return LegId(str(UUID(self.sid[2:])))


@dataclass(slots=True)
class Lanes:
    """All of them. `run` is through when every attempt has an outcome."""

    stage: Stage
    outcomes: Outcomes
    most: int
    waiting: deque[Attempt] = field(default_factory=deque)
    _lanes: list[Lane] = field(default_factory=list)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _numbers: Iterator[int] = field(default_factory=lambda: count(1_000_000))

    async def run(self, attempts: Iterable[Attempt]) -> None:
        """Make these attempts."""
        self.waiting = deque(attempts)
        self.stage.answers.append(self.answer)
        for _ in range(min(self.most, len(self.waiting))):
            self._dial()
        while self._lanes:
            await asyncio.sleep(_TICK_S)
            for lane in list(self._lanes):
                self._look_after(lane)
        await asyncio.gather(*self._tasks)
        self.stage.answers.pop()

    # What the application answers

    def answer(self, asked: Asked) -> Answer:
        """Answer a request of the platform."""
        if asked.path.startswith("/media/"):
            return self._placed(answer_media(asked))
        if asked.path in ("/events", "/told", "/refer"):
            return Answer(status=204)
        lane = self._lane_of(asked)
        if asked.path == "/screen" or "ParentCallSid" in asked.parameters or lane is None:
            return _NOTHING
        if asked.path == "/again":
            play = asked.parameters.get("play", "")
            return self._placed(twiml(element("Play", {}, text_of(play))))
        if lane.attempt is not None and asked.parameters.get("broken", lane.attempt.name) != lane.attempt.name:
            # It went on by itself in that moment, and what it was given since was taken from it unperformed.
            return self._with_cookie(lane, self._placed(lane.attempt.answer(self.stage.canaries)))
        is_ending = lane.attempt is not None and lane.attempt.place.ends
        self._settle(lane, asked)
        # A fallback that gives no document either ends the call, and is meant to.
        is_fallback = "ErrorCode" in asked.parameters
        if is_ending and not is_fallback:  # it was broken off, but a slow node may still be about to end it
            lane.is_leaving = True
            return _LEAVE
        return self._with_cookie(lane, _ON if is_fallback else self._next(lane))

    def _lane_of(self, asked: Asked) -> Lane | None:
        """By the caller's number, or by the cookie where a redirected request does not say which call it is of."""
        sid, number = asked.parameters.get("CallSid", ""), asked.parameters.get("From", "")
        cookie = asked.headers.get("cookie", "")
        for lane in self._lanes:
            if lane.caller == number or (not sid and f"lane={lane.caller[1:]}." in cookie):
                lane.sid = lane.sid or sid
                return lane
        return None

    def _settle(self, lane: Lane, asked: Asked) -> None:
        attempt, lane.attempt = lane.attempt, None
        if attempt is None:
            return
        code = asked.parameters.get("ErrorCode")
        if code is None:
            self.outcomes.carried_out(attempt)
        else:
            self.outcomes.refused(attempt, code)
        lane.idle += 2  # documents that may have done nothing, with that of the fallback

    def _next(self, lane: Lane) -> Answer:
        lane.broken_s = 0.0
        if lane.cases >= CASES_A_CALL or not self.waiting:
            lane.is_leaving = True
            return _LEAVE
        if lane.idle >= IDLE_IN_A_ROW:
            lane.idle = 0
            return self._placed(_REST)
        lane.attempt = self.waiting.popleft()
        lane.cases += 1
        lane.served_s = asyncio.get_running_loop().time()
        return self._placed(lane.attempt.answer(self.stage.canaries))

    def _placed(self, answer: Answer) -> Answer:
        return place_addresses(answer, self.stage)

    def _with_cookie(self, lane: Lane, answer: Answer) -> Answer:
        cookie = ("Set-Cookie", f"lane={lane.caller[1:]}.; Path=/")
        return Answer(
            answer.body, answer.content_type, answer.status, answer.reason, (*answer.headers, cookie), answer.closes
        )

    # Calls

    def _dial(self) -> None:
        caller = f"+1555{next(self._numbers):07}"
        now_s = asyncio.get_running_loop().time()
        self._lanes.append(Lane(caller, self.stage.dial(caller), served_s=now_s))

    def _look_after(self, lane: Lane) -> None:
        if lane.phone.is_over:
            self._ended(lane)
            return
        now_s = asyncio.get_running_loop().time()
        if lane.broken_s:
            if now_s - lane.broken_s > STUCK_S:
                self.outcomes.problem(lane.attempt, "the call is stuck")
                self.stage.telephones.hang_up(lane.phone)
            return
        if lane.attempt is None:
            if now_s - lane.served_s > STUCK_S * 2:
                self.outcomes.problem(None, f"a call asks for nothing: SIP {lane.phone.status}")
                self.stage.telephones.hang_up(lane.phone)
            return
        word_s = self.stage.tap.last_word_s.get(lane.leg, 0.0)
        has_begun = word_s > lane.served_s and now_s - word_s > QUIET_S
        if has_begun or now_s - lane.served_s > SILENT_S:
            lane.broken_s = now_s
            self._start(self._break_off(lane))

    async def _break_off(self, lane: Lane) -> None:
        path = f"/api/v1/voice/calls/{call_of_leg(lane.leg)}/redirect"
        broken = quote(lane.attempt.name if lane.attempt is not None else "")
        flow_url = f"{self.stage.app_url}/next?broken={broken}"
        status, body = 404, b""
        for _ in range(TRIES):
            status, _, body = await self.stage.ask("POST", path, json={"flow_url": flow_url})
            if status not in (404, 503):
                break
            await asyncio.sleep(AGAIN_S)  # on a machine that has much to do the call may not be on record yet
        if status not in (202, 409):
            self.outcomes.problem(lane.attempt, f"the call cannot be redirected: {status} {body[:200]!r}")

    def _ended(self, lane: Lane) -> None:
        self._lanes.remove(lane)
        if lane.attempt is not None and lane.attempt.place.ends:
            self.outcomes.carried_out(lane.attempt)
        if lane.sid:
            self._start(self._read_timeline(lane))
        if self.waiting:
            self._dial()

    async def _read_timeline(self, lane: Lane) -> None:
        """What is told of the call is a line for each thing that happened, whatever the values were."""
        path = f"/api/v1/voice/calls/{call_of_leg(lane.leg)}/timeline"
        status, text = 0, b""
        for _ in range(TRIES):
            status, _, text = await self.stage.ask("GET", path, headers={"Accept": "text/plain"})
            if status == 200 and b"the call is over" in text:
                break
            await asyncio.sleep(AGAIN_S)  # the platform has to hear of it, and to record it
        as_json, _, _ = await self.stage.ask("GET", path)
        if not lane.is_leaving and (lane.attempt is None or not lane.attempt.place.ends):
            last = "\n    ".join(text.decode().splitlines()[-12:])
            self.outcomes.problem(lane.attempt, f"a dead call ({lane.phone.cause})\n    {last}")
        if (status, as_json) != (200, 200):
            self.outcomes.problem(None, f"no timeline: {status} {as_json}")
            return
        odd = [line for line in text.decode().splitlines() if not line[:20].startswith("20") or not line.isprintable()]
        if odd:
            self.stage.canaries.sing(f"a line of a timeline that is none: {odd[0][:200]!r}")

    def _start(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def place_addresses(answer: Answer, stage: Stage) -> Answer:
    """An answer with the addresses of a stage in it."""
    return with_addresses(answer, stage.app_url, stage.telephones.contact)
