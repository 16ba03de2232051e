"""What becomes of a finished recording, and of one whose worker died in the middle."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import numpy as np
import pytest

from controlplane.files.errors import FilesUnavailable, ShelfUnavailable
from controlplane.files.recordings import Absent, Finished, Kept, Why, Work, decide, keep_recording
from controlplane.files.shelf import Shelf
from controlplane.files.storage import Storage, storage_in_folder
from controlplane.files.voice_edits import Measured
from controlplane.files.workshop import Workshop
from tests.unit.files.nodes import Node, plain_node, running_node
from tests.unit.files.sounds import samples_of, silence, tone, write_wav

KEY = "acc_01/rec_1.wav"
WHOLE = Finished("rec_1", KEY, is_trimmed=False)
TRIMMED = Finished("rec_1", KEY, is_trimmed=True)


class Dies(Exception):
    """The worker dies here."""


@pytest.fixture(params=["directory", "remote"])
async def node(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Node]:
    context = running_node if request.param == "remote" else plain_node
    async with context(tmp_path / "node") as opened:
        yield opened


@pytest.fixture
def shelf(node: Node) -> Iterator[Shelf]:
    with node.any_shelf() as opened:
        yield opened


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    return storage_in_folder(tmp_path / "kept")


@pytest.fixture
async def workshop() -> AsyncIterator[Workshop]:
    opened = Workshop(workers=1)
    yield opened
    await opened.close()


def voicemail(node: Node) -> Path:
    return write_wav(node.recordings / "rec_1.wav", np.concatenate([silence(1.0), tone(2.0), silence(5.0)]))


async def test_a_recording_is_kept_and_leaves_the_node(
    node: Node, shelf: Shelf, storage: Storage, workshop: Workshop, tmp_path: Path
) -> None:
    content = voicemail(node).read_bytes()

    assert await keep_recording(WHOLE, shelf, storage, workshop) == Kept(KEY, 8000, 1, len(content))
    assert (tmp_path / "kept" / KEY).read_bytes() == content
    assert os.listdir(node.recordings) == []


async def test_a_recording_that_its_node_did_not_finish_is_kept_as_players_can_read_it(
    node: Node, shelf: Shelf, storage: Storage, workshop: Workshop, tmp_path: Path
) -> None:
    path = voicemail(node)
    content = path.read_bytes()
    # As a real FreeSWITCH left it that was killed: a form of 8 bytes, and no data.
    path.write_bytes(content[:4] + b"\x08\0\0\0" + content[8:40] + bytes(4) + content[44:])

    assert await keep_recording(WHOLE, shelf, storage, workshop) == Kept(KEY, 8000, 1, len(content))
    assert (tmp_path / "kept" / KEY).read_bytes() == content
    assert os.listdir(node.recordings) == []


async def test_a_trimmed_recording_is_kept_without_its_silence(
    node: Node, shelf: Shelf, storage: Storage, workshop: Workshop, tmp_path: Path
) -> None:
    whole = samples_of(voicemail(node))

    kept = await keep_recording(TRIMMED, shelf, storage, workshop)

    assert kept == Kept(KEY, 2200, 1, 44 + 2200 * 16)
    assert np.array_equal(samples_of(tmp_path / "kept" / KEY), whole[900 * 8 : 3100 * 8])


async def test_two_channels_are_kept(node: Node, shelf: Shelf, storage: Storage, workshop: Workshop) -> None:
    write_wav(node.recordings / "rec_1.wav", tone(1.0), tone(1.0))

    assert await keep_recording(WHOLE, shelf, storage, workshop) == Kept(KEY, 1000, 2, 32_044)


async def test_a_recording_that_is_not_there_is_absent(shelf: Shelf, storage: Storage, workshop: Workshop) -> None:
    assert await keep_recording(WHOLE, shelf, storage, workshop) == Absent(Why.NO_FILE)


@pytest.mark.parametrize(("finished", "seconds", "why"), [(WHOLE, 0.0, Why.EMPTY), (TRIMMED, 5.0, Why.SILENT)])
async def test_a_recording_of_nothing_is_absent_and_leaves_the_node(
    node: Node, shelf: Shelf, storage: Storage, workshop: Workshop, finished: Finished, seconds: float, why: Why
) -> None:
    write_wav(node.recordings / "rec_1.wav", silence(seconds))

    assert await keep_recording(finished, shelf, storage, workshop) == Absent(why)
    assert os.listdir(node.recordings) == []
    assert await storage.exists(KEY) is False


async def test_a_file_that_is_no_recording_stays_for_people_to_look_at(
    node: Node, shelf: Shelf, storage: Storage, workshop: Workshop
) -> None:
    (node.recordings / "rec_1.wav").write_text("not a recording")

    assert await keep_recording(WHOLE, shelf, storage, workshop) == Absent(Why.UNREADABLE)
    assert os.listdir(node.recordings) == ["rec_1.wav"]


@pytest.mark.parametrize("step", ["collect", "measure", "trim", "put_file", "discard"])
async def test_whoever_comes_after_a_worker_that_died_ends_with_the_same(
    node: Node, shelf: Shelf, storage: Storage, workshop: Workshop, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    voicemail(node)
    part = next(part for part in (shelf, workshop, storage) if hasattr(part, step))

    async def die(*_: object) -> None:
        raise Dies

    with monkeypatch.context() as context:
        context.setattr(part, step, die)
        with pytest.raises(Dies):
            await keep_recording(TRIMMED, shelf, storage, workshop)

    assert await keep_recording(TRIMMED, shelf, storage, workshop) == Kept(KEY, 2200, 1, 44 + 2200 * 16)
    assert os.listdir(node.recordings) == []


async def test_a_worker_that_died_after_the_end_is_followed_by_the_same_answer(
    node: Node, shelf: Shelf, storage: Storage, workshop: Workshop
) -> None:
    voicemail(node)

    first = await keep_recording(TRIMMED, shelf, storage, workshop)

    assert await keep_recording(TRIMMED, shelf, storage, workshop) == first


async def test_a_node_that_is_gone_is_tried_again_later(tmp_path: Path, storage: Storage, workshop: Workshop) -> None:
    async with running_node(tmp_path / "gone") as node:
        shelf = node.remote_shelf(timeout_s=1.0)
    with pytest.raises(ShelfUnavailable):
        await keep_recording(WHOLE, shelf, storage, workshop)
    shelf.close()


async def test_a_folder_for_the_work_can_be_given_and_is_left_clean(
    node: Node, shelf: Shelf, storage: Storage, workshop: Workshop, tmp_path: Path
) -> None:
    voicemail(node)
    (tmp_path / "work").mkdir()

    kept = await keep_recording(TRIMMED, shelf, storage, workshop, work_in=tmp_path / "work")

    assert isinstance(kept, Kept)
    assert os.listdir(tmp_path / "work") == []


async def test_a_folder_for_the_work_that_is_not_there_is_our_trouble(
    node: Node, shelf: Shelf, storage: Storage, workshop: Workshop, tmp_path: Path
) -> None:
    voicemail(node)

    with pytest.raises(FilesUnavailable):
        await keep_recording(TRIMMED, shelf, storage, workshop, work_in=tmp_path / "missing")


@pytest.mark.parametrize(
    ("measured", "is_trimmed", "decision"),
    [
        (Measured(0, 1, 44, None), False, Why.EMPTY),
        (Measured(0, 1, 44, None), True, Why.EMPTY),
        (Measured(5000, 1, 80_044, None), False, Work.STORE),
        (Measured(5000, 1, 80_044, None, is_whole=False), False, Work.MEND),
        (Measured(0, 1, 44, None, is_whole=False), False, Why.EMPTY),
        (Measured(5000, 1, 80_044, None), True, Why.SILENT),
        (Measured(5000, 1, 80_044, (100, 900)), False, Work.STORE),
        (Measured(5000, 1, 80_044, (100, 900)), True, Work.TRIM),
    ],
)
def test_what_is_done_depends_on_what_is_heard(measured: Measured, is_trimmed: bool, decision: Work | Why) -> None:
    assert decide(measured, is_trimmed=is_trimmed) == decision


async def test_what_the_storage_has_of_it_and_nobody_can_read_is_given_up(
    node: Node, shelf: Shelf, storage: Storage, workshop: Workshop, tmp_path: Path
) -> None:
    """A worker that died in the middle, or a disk: nothing that is tried again would make it readable."""
    broken = tmp_path / "broken.wav"
    broken.write_bytes(b"RIFF and no more")
    await storage.put_file(KEY, broken)

    assert await keep_recording(WHOLE, shelf, storage, workshop) == Absent(Why.UNREADABLE)
