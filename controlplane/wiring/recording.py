"""The way to the journal: the database, and the disk while that is away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from controlplane.base.errors import BadInput
from controlplane.metrics.registry import Metrics
from controlplane.settings import Settings
from controlplane.store.detour import Detour
from controlplane.store.heirs import Heirs
from controlplane.store.journal import Recorder, RecorderState
from controlplane.store.spool import Spool, open_spool
from controlplane.store.vault import Vault

# A live call waits no longer for a commit before its entry goes to the disk.
PATIENCE_S = 0.5


@dataclass(frozen=True, slots=True)
class Recording:
    """What records, and who sees to it that nothing of this host stays on its disk."""

    recorder: Recorder
    heirs: Heirs


def spools_folder(settings: Settings) -> Path:
    """Where the processes of this host keep what waits for the database."""
    return settings.data / "spool"


@asynccontextmanager
async def recording(
    settings: Settings, url: str, server_id: str, vault: Vault, metrics: Metrics, on_broken: Callable[[], None]
) -> AsyncIterator[Recording]:
    """A recorder with a spool of its own, while the block runs. Raises BadInput if the data folder cannot hold it.

    `on_broken` is called when nothing is recorded any more, by a defect of ours.
    """

    def take(state: RecorderState) -> None:
        if state is RecorderState.BROKEN:
            on_broken()

    spool = await asyncio.to_thread(_open, settings, server_id, vault)
    metrics.watch_spool(entries=lambda: spool.entries, size_bytes=lambda: spool.size_bytes)
    detour = Detour(url, spool, metrics.spool_counted)
    recorder = Recorder(url, detour=detour, answer_timeout_s=PATIENCE_S, on_state=take)
    await recorder.start()
    try:
        yield Recording(recorder, Heirs(url, spool.folder.parent, spool.folder, vault, metrics.spool_counted))
    finally:
        await recorder.stop()
        await asyncio.to_thread(spool.close)


def _open(settings: Settings, server_id: str, vault: Vault) -> Spool:
    root = spools_folder(settings)
    try:
        return open_spool(root, server_id, vault, most_bytes=settings.spool_bytes)
    except OSError as error:
        raise BadInput(
            f"{root} cannot be written ({error.strerror}): set CALLPLANE_DATA to a folder that can; what calls do while"
            " PostgreSQL is away is kept there"
        ) from error
