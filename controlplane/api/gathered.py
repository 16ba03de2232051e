"""What the API asks so often that requests share their transactions (store/gathering.py)."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import Request

from controlplane.services.api_keys import Holder, find_holders
from controlplane.services.calls import Call
from controlplane.services.place_call import Wanted, place_calls
from controlplane.services.whole_calls import Place, WholeCall, get_whole_calls
from controlplane.store.database import Database
from controlplane.store.gathering import Gathering


@dataclass(frozen=True, slots=True)
class Gathered:
    """Who asks, what became of a call, and calls to be placed."""

    holders: Gathering[bytes, Holder]
    calls: Gathering[Place, WholeCall]
    placings: Gathering[Wanted, Call]


def gather(db: Database) -> Gathered:
    """Make these for one process."""
    return Gathered(
        Gathering(db.autocommit, find_holders),
        Gathering(db.autocommit, get_whole_calls),
        Gathering(db.autocommit, place_calls),
    )


def gathered_of(request: Request) -> Gathered:
    """This API's."""
    gathered: Gathered = request.app.state.gathered
    return gathered
