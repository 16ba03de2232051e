"""What goes to one leg, in order: bursts, prepared prompt by prompt, questions what became of them, and interruptions.

A burst's parts go out as soon as the prompts in them lie on the node, each with a mark by which a next owner sees how
much of it reached the channel. After an interruption nothing is sent until the leg says that it is parked again:
FreeSWITCH interrupts at the channel's next frame and would cut what came before that.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from controlplane.base.clock import Clock
from controlplane.base.ids import LegId, Token
from controlplane.calls.commands import Burst, Interrupt
from controlplane.calls.events import PromptFailed
from controlplane.calls.runs import Collect, PlayPrompts, Run
from controlplane.callserver.ports import PromptFailedError, Prompts, Sound
from controlplane.switch.prompts import sound_key
from controlplane.verbs.documents import Pause, Play, Say

REPARK_TIMEOUT_S = 1.0

Sounds = dict[Say | Play, Sound | None]


@dataclass(slots=True)
class Line:
    """The way to one leg. `write` sends runs of a burst and is told how many more are to come; `ask` sends a probe.

    `fail` tells the machine of a prompt that is not to be had.
    """

    leg: LegId
    node: str
    clock: Clock
    prompts: Prompts
    write: Callable[[Burst, tuple[Run, ...], Sounds, int], None]
    ask: Callable[[Token], None]
    cut: Callable[[LegId, bool], None]
    fail: Callable[[PromptFailed], None]
    broke: Callable[[BaseException], None]
    waiting: deque[Burst | Token] = field(default_factory=deque)
    task: asyncio.Task[None] | None = None
    is_cut: bool = False
    timer: asyncio.Task[None] | None = None

    def send(self, burst: Burst) -> None:
        """Send a burst, at once where nothing has to be made for it."""
        self.waiting.append(burst)
        self._go_on()

    def take_back(self, token: Token) -> None:
        """Send nothing more of a burst.

        Links were lost, and with them perhaps what was sent of it: the leg is asked what it has, and is sent the rest.
        """
        self._stop_preparing()
        self.waiting = deque(one for one in self.waiting if not (isinstance(one, Burst) and one.token == token))

    def probe(self, token: Token) -> None:
        """Have the leg say when everything sent up to now is through."""
        self.waiting.append(token)
        self._go_on()

    def interrupt(self, command: Interrupt) -> None:
        """Stop what runs on the leg and what was to run there. Raises LinkLost."""
        self._stop_preparing()
        self.waiting.clear()
        # A recording ends by itself when it is broken; moving the channel under it would end the call
        # (mod_dptools.c, record_function). Everything else is left by moving the channel back to park.
        self.cut(self.leg, not command.is_recording)
        if not command.is_recording:
            self.wait_until_parked()

    def wait_until_parked(self) -> None:
        """Send nothing until the leg says that it is parked (or a while has passed)."""
        self.is_cut = True
        self._stop_waiting()  # after an interruption before: it would end the wait for this one too soon
        self.timer = asyncio.create_task(self._wait_no_longer())

    def parked(self) -> None:
        """The leg is parked again (or did not say so in time)."""
        if not self.is_cut:
            return
        self.is_cut = False
        self._stop_waiting()
        self._go_on()

    async def _wait_no_longer(self) -> None:
        await self.clock.sleep(REPARK_TIMEOUT_S)
        self.timer = None
        try:
            self.parked()
        except Exception as error:
            # Nobody awaits us: the call would wait for ever for what was to be sent.
            self.broke(error)

    def close(self) -> None:
        """The leg is gone or somebody else's."""
        self._stop_preparing()
        self.waiting.clear()
        self._stop_waiting()

    def _go_on(self) -> None:
        while self.waiting and self.task is None and not self.is_cut:
            burst = self.waiting.popleft()
            if not isinstance(burst, Burst):
                self.ask(burst)
                continue
            sounds: Sounds = {}
            if all(self._is_ready(prompt, sounds) for prompt in prompts_of(burst.runs)):
                self.write(burst, burst.runs, sounds, 0)
                continue
            self.task = asyncio.create_task(self._prepare(burst, sounds), name=f"prepare {burst.token}")
            self.task.add_done_callback(self._prepared)

    async def _prepare(self, burst: Burst, sounds: Sounds) -> None:
        made = 0
        for index, run in enumerate(burst.runs):
            for prompt in prompts_of((run,)):
                if self._is_ready(prompt, sounds):
                    continue
                if index > made:  # do not let what is ready wait for what is not
                    self.write(burst, burst.runs[made:index], sounds, len(burst.runs) - index)
                    made = index
                await self._make(burst, prompt, sounds)
        self.write(burst, burst.runs[made:], sounds, 0)

    async def _make(self, burst: Burst, prompt: Say | Play, sounds: Sounds) -> None:
        try:
            sounds[prompt] = await self.prompts.make_sound(self.node, prompt)
        except PromptFailedError as error:
            sounds[prompt] = None
            what = prompt.url if isinstance(prompt, Play) else "Say"
            self.fail(PromptFailed(burst.token, what, error.problem, error.code))

    def _is_ready(self, prompt: Say | Play, sounds: Sounds) -> bool:
        if prompt in sounds:
            return True
        sound = self.prompts.maybe_sound(self.node, prompt)
        if sound is not None:
            sounds[prompt] = sound
        return sound is not None

    def _prepared(self, task: asyncio.Task[None]) -> None:
        if self.task is not task:
            return  # stopped, and perhaps another prepares already
        self.task = None
        if (error := task.exception()) is not None:
            self.broke(error)
            return
        self._go_on()

    def _stop_waiting(self) -> None:
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None

    def _stop_preparing(self) -> None:
        if self.task is not None:
            self.task.cancel()
            self.task = None


def prompts_of(runs: tuple[Run, ...]) -> Iterator[Say | Play]:
    """The prompts that must lie on the node before these can run; one that only differs in `loop` is the same sound."""
    for run in runs:
        if isinstance(run, PlayPrompts | Collect):
            yield from (sound_key(prompt) for prompt in run.prompts if not isinstance(prompt, Pause))
