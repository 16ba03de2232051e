"""Which records are not written any more: somebody else wrote their call's journal, or what they follow is missing.

What is submitted is numbered. A call is lost from a number on, not from the moment at which that is found out: what
came before is as good as it was, and what followed may wait anywhere.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from controlplane.base.ids import CallId
from controlplane.store.records import Record

_EVER = sys.maxsize


@dataclass(slots=True)
class Lost:
    """Calls, and the numbers from which and to which they are."""

    _numbers: dict[CallId, range] = field(default_factory=dict)

    def lose(self, calls: Iterable[CallId], number: int = 0) -> None:
        """Take no more of these calls from this number on, until `forget`."""
        for call in calls:
            before = self._numbers.get(call)
            start = number if before is None or before.stop <= number else min(before.start, number)
            self._numbers[call] = range(start, _EVER)

    def forget(self, call: CallId, number: int) -> None:
        """Take what comes of a call from this number on."""
        if call in self._numbers:
            self._numbers[call] = range(self._numbers[call].start, number)

    def of(self, number: int, records: Sequence[Record]) -> frozenset[CallId]:
        """The calls that these records, which came under this number, are lost for; none as a rule."""
        return frozenset(one.call for one in records if number in self._numbers.get(one.call, range(0)))
