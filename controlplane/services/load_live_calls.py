"""What a call server needs to go on with the calls of a shard it has taken."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from controlplane.base.ids import AccountId, CallId
from controlplane.calls.events import Entry
from controlplane.calls.facts import Facts
from controlplane.calls.journal import decode_event
from controlplane.store.database import Transaction
from controlplane.store.facts import read_facts
from controlplane.store.queries import query

_CALLS, _JOURNALS, _COUNTS = query("live_calls"), query("journals"), query("live_calls_of_apps")
_OVER = query("calls_over")

JOURNALS_AT_ONCE = 100  # calls; making rows of more would keep the event loop from everything else for too long


@dataclass(frozen=True, slots=True)
class JournalLine:
    """One entry as it is written; `digest` is of the commands that came of it."""

    call_id: CallId
    seq: int
    at_ms: int
    kind: str
    data: str
    digest: bytes

    def entry(self) -> Entry:
        """The entry; raises ValueError if this version cannot read it."""
        return Entry(self.seq, self.at_ms, decode_event(self.kind, self.data))

    def maybe_entry(self) -> Entry | None:
        """The entry, None if this version cannot read it."""
        with suppress(ValueError):
            return self.entry()
        return None


@dataclass(frozen=True, slots=True)
class LiveCall:
    """A call that is not over: without a verdict, or with B-legs of which nobody has told the end.

    Without a journal it was claimed from the queue and its server died before it wrote: `facts` are all there is, with
    who that was (None: an older version did not say) and when, both by the database. Inbound calls have no `facts`,
    their first entry tells.
    """

    call_id: CallId
    account_id: AccountId
    facts: Facts | None
    journal: tuple[JournalLine, ...] = ()
    moves: int = 0  # to other nodes or runs of them, as those before died
    has_verdict: bool = False
    claimed_by: str | None = None
    claimed_ago_s: float | None = None


@dataclass(frozen=True, slots=True)
class _Row:
    call_id: CallId
    account_id: AccountId
    node: str
    facts: str | None
    moves: int
    has_verdict: bool
    claimed_by: str | None
    claimed_ago_s: float | None


@dataclass(frozen=True, slots=True)
class _Over:
    call_id: CallId


@dataclass(frozen=True, slots=True)
class _Counted:
    app_id: str
    calls: int


async def load_live_calls(
    tx: Transaction, node: str, shards: Iterable[int], but: Sequence[CallId] = ()
) -> list[LiveCall]:
    """The calls of these shards of a node that are not over, `but` these, each with its whole journal."""
    rows = await tx.all(_Row, _CALLS, node=node, shards=sorted(shards), call_ids=list(but))
    return await _with_journals(tx, rows)


async def count_live_calls(tx: Transaction, apps: Iterable[str]) -> dict[str, int]:
    """How many calls that are not over each of these apps has; those that have none are left out."""
    return {one.app_id: one.calls for one in await tx.all(_Counted, _COUNTS, app_ids=list(apps))}


async def find_calls_over(tx: Transaction, calls: Iterable[CallId]) -> list[CallId]:
    """Those of these calls that have their verdict, of whichever account: it is their legs that were found."""
    return [one.call_id for one in await tx.all(_Over, _OVER, call_ids=list(calls))]


async def load_journal(tx: Transaction, call_id: CallId) -> list[JournalLine]:
    """The journal of any call, of whichever account: for the operator. Empty where there is none."""
    return await tx.all(JournalLine, _JOURNALS, call_ids=[call_id])


async def _with_journals(tx: Transaction, rows: list[_Row]) -> list[LiveCall]:
    lines: defaultdict[CallId, list[JournalLine]] = defaultdict(list)
    for start in range(0, len(rows), JOURNALS_AT_ONCE):
        some = [row.call_id for row in rows[start : start + JOURNALS_AT_ONCE]]
        for line in await tx.all(JournalLine, _JOURNALS, call_ids=some):
            lines[line.call_id].append(line)
    return [_live(row, lines[row.call_id]) for row in rows]


def _live(row: _Row, lines: list[JournalLine]) -> LiveCall:
    facts = None
    with suppress(ValueError):  # another version's words: one call's must not keep us from all others
        facts = None if row.facts is None else read_facts(row.facts, row.node)
    return LiveCall(
        row.call_id, row.account_id, facts, tuple(lines), row.moves, row.has_verdict, row.claimed_by, row.claimed_ago_s
    )  # fmt: skip
