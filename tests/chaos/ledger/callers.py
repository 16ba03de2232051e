"""The callers' own log: one line a SIP dialog, by people outside, who know nothing of what went on inside."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tests.chaos.ledger.ids import number_of
from tests.chaos.ledger.reading import CannotLook, lines_of, seconds_or_none, text_or_none, whole_or_none


@dataclass(frozen=True, slots=True)
class Dialog:
    """One INVITE and what became of it. `is_caller`: somebody dials in; else a telephone that is dialled.

    Times are seconds of the epoch, None for never; `ended_by` is us (the person), platform or None.
    """

    sip_call_id: str | None
    is_caller: bool
    from_number: str
    to_number: str
    invited_at_s: float
    answered_at_s: float | None
    ended_at_s: float | None
    final_status: int | None
    ended_by: str | None
    node: str | None
    ringing_at_s: float | None = None

    @property
    def number(self) -> str:
        """The person's own number, by which the dialog is known: every one of a run has another."""
        return self.from_number if self.is_caller else self.to_number

    def __str__(self) -> str:
        return f"{'the caller' if self.is_caller else 'the telephone'} {self.number}"


def read_dialogs(folder: Path) -> tuple[Dialog, ...]:
    """callers.jsonl; raises CannotLook if it is not there, or a line has not what it must have."""
    if not (folder / "callers.jsonl").exists():
        raise CannotLook(f"{folder / 'callers.jsonl'} is not there")
    try:
        return tuple(
            Dialog(
                text_or_none(line.get("sip_call_id")),
                line["role"] == "caller",
                number_of(str(line["from"])),
                number_of(str(line["to"])),
                float(line["invited_at"]),
                seconds_or_none(line.get("answered_at")),
                seconds_or_none(line.get("ended_at")),
                whole_or_none(line.get("final_status")),
                text_or_none(line.get("ended_by")),
                text_or_none(line.get("node")),
                seconds_or_none(line.get("ringing_at")),
            )
            for line in lines_of(folder / "callers.jsonl")
        )
    except (KeyError, TypeError, ValueError) as error:
        raise CannotLook(f"{folder / 'callers.jsonl'}: {error!r}") from error
