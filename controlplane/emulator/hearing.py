"""What a party hears and says, as a list of what and from when to when: audio without samples."""

from __future__ import annotations

from dataclasses import dataclass, replace

SILENCE = "silence"
RINGBACK = "ringback"
BEEP = "beep"  # the tone before a recording


@dataclass(frozen=True, slots=True)
class Heard:
    """One thing heard (or said), in milliseconds of the node's monotonic clock; `to_ms` is where it was cut or ended.

    `what` is a file's path, `tone:<script>`, `silence`, `ringback`, or `leg:<uuid>` for another party's voice.
    """

    from_ms: int
    to_ms: int
    what: str


class Hearing:
    """A running list of things heard, one at a time. `begun` names all that ever began, in order."""

    __slots__ = ("_since_ms", "_what", "begun", "items")

    def __init__(self) -> None:
        self.items: list[Heard] = []
        self.begun: list[str] = []
        self._what: str | None = None
        self._since_ms = 0

    @property
    def current(self) -> str | None:
        """What is heard now, None for nothing at all."""
        return self._what

    def begin(self, what: str | None, now_ms: int) -> None:
        """From now on this is heard; None for nothing."""
        if what == self._what:
            return
        if self._what is not None and now_ms > self._since_ms:
            self.items.append(Heard(self._since_ms, now_ms, self._what))
        self._what, self._since_ms = what, now_ms
        if what is not None:
            self.begun.append(what)

    def begin_anew(self, what: str, now_ms: int) -> None:
        """The same for a sound that is played from its beginning, perhaps right after itself."""
        self.begin(None, now_ms)
        self.begin(what, now_ms)

    def lay_over(self, what: str, from_ms: int, to_ms: int) -> None:
        """This is heard over whatever else is."""
        self.items.append(Heard(from_ms, to_ms, what))
        self.begun.append(what)

    def lift(self, what: str, now_ms: int) -> None:
        """What was laid over is heard no longer."""
        self.items = [
            replace(item, to_ms=min(item.to_ms, now_ms)) if item.what == what else item
            for item in self.items
            if item.what != what or item.from_ms < now_ms
        ]

    def until(self, now_ms: int) -> list[Heard]:
        """All things heard, the current one cut at `now_ms`."""
        if self._what is None or now_ms <= self._since_ms:
            return list(self.items)
        return [*self.items, Heard(self._since_ms, now_ms, self._what)]
