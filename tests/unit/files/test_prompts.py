"""Making what is said into files on media nodes, and what is remembered of it."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from controlplane.base.errors import Unavailable
from controlplane.files.errors import PromptUnavailable
from controlplane.files.pcm import open_pcm
from controlplane.files.prompts import Audio, Silence
from controlplane.files.shelf import DirectoryShelf, NodeFolders
from controlplane.verbs.documents import Pause, Play, Say
from tests.unit.files.nodes import running_node
from tests.unit.files.prompt_bench import Bench, named, opened_bench


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    async with opened_bench(tmp_path) as opened:
        yield opened


async def test_a_say_is_spoken_and_placed_on_the_shelf(bench: Bench) -> None:
    say = Say("Hello")

    ready = await bench.maker.prepare(say, bench.shelf)

    assert ready == Audio(f"/shelf/prompts/{named(say)}", 500)
    assert open_pcm(bench.path / "shelf" / named(say)).duration_ms == 500
    assert bench.made() == [named(say)]


async def test_nothing_is_ready_before_it_was_made_and_everything_after(bench: Bench) -> None:
    say = Say("Hello")
    assert bench.maker.ready_now(say, bench.shelf) is None

    ready = await bench.maker.prepare(say, bench.shelf)

    assert bench.maker.ready_now(say, bench.shelf) == ready
    assert bench.maker.ready_now(replace(say, loop=5), bench.shelf) == ready
    assert bench.maker.ready_now(replace(say, language="de-DE"), bench.shelf) is None


async def test_a_pause_and_a_play_of_digits_need_no_file(bench: Bench) -> None:
    for prompt, ready in ((Pause(3), Silence(3000)), (Play("", digits="1w2"), Silence(0))):
        assert bench.maker.ready_now(prompt, bench.shelf) == ready
        assert await bench.maker.prepare(prompt, bench.shelf) == ready


async def test_a_hundred_calls_that_say_the_same_speak_once(bench: Bench) -> None:
    readies = await asyncio.gather(*(bench.maker.prepare(Say("Hello"), bench.shelf) for _ in range(100)))

    assert len(set(readies)) == 1
    assert bench.voice.said == ["Hello"]


async def test_two_nodes_get_the_prompt_of_one_rendering(bench: Bench) -> None:
    other = bench.new_shelf("other")

    readies = await asyncio.gather(*(bench.maker.prepare(Say("Hi"), shelf) for shelf in (bench.shelf, other)))

    assert [ready.node_path for ready in readies if isinstance(ready, Audio)] == [
        f"/shelf/prompts/{named(Say('Hi'))}",
        f"/other/prompts/{named(Say('Hi'))}",
    ]
    assert bench.voice.said == ["Hi"]
    assert (bench.path / "other" / named(Say("Hi"))).exists()


async def test_nodes_without_a_shared_folder_get_it_over_http(bench: Bench, tmp_path: Path) -> None:
    async with running_node(tmp_path / "one") as one, running_node(tmp_path / "two") as two:
        shelves = [one.remote_shelf(), two.remote_shelf()]

        readies = [await bench.maker.prepare(Say("Hi"), shelf) for shelf in shelves]

        paths = [Path(ready.node_path) for ready in readies if isinstance(ready, Audio)]
        assert [path.parent for path in paths] == [one.prompts, two.prompts]
        assert [open_pcm(path).duration_ms for path in paths] == [200, 200]
        for shelf in shelves:
            shelf.close()


async def test_a_maker_that_starts_again_finds_what_was_spoken_before(bench: Bench) -> None:
    ready = await bench.maker.prepare(Say("Hello"), bench.shelf)

    assert await bench.new_maker().prepare(Say("Hello"), bench.shelf) == ready
    assert bench.voice.said == ["Hello"]


async def test_one_folder_may_be_where_prompts_are_made_and_where_the_node_looks(bench: Bench) -> None:
    shelf = DirectoryShelf(bench.folder, bench.path / "recordings", NodeFolders("/p", "/r"))

    assert await bench.maker.prepare(Say("Hello"), shelf) == Audio(f"/p/{named(Say('Hello'))}", 500)
    assert bench.made() == [named(Say("Hello"))]


async def test_a_voice_that_fails_fails_the_prompt_for_a_second(bench: Bench) -> None:
    bench.voice.failure = Unavailable("too long to say", code=13521)
    for _ in range(3):
        with pytest.raises(PromptUnavailable, match="too long to say") as caught:
            await bench.maker.prepare(Say("Hello"), bench.shelf)
        assert (caught.value.code, caught.value.problem) == (13521, "too long to say")
    assert bench.voice.said == ["Hello"]

    bench.voice.failure = None
    bench.clock.pass_s(1.1)

    assert isinstance(await bench.maker.prepare(Say("Hello"), bench.shelf), Audio)


async def test_a_failure_of_ours_has_the_number_for_that(bench: Bench) -> None:
    bench.voice.failure = Unavailable("broken")

    with pytest.raises(PromptUnavailable) as caught:
        await bench.maker.prepare(Say("Hello"), bench.shelf)

    assert caught.value.code == 12400


async def test_what_a_shelf_has_is_believed_for_ten_minutes_only(bench: Bench) -> None:
    ready = await bench.maker.prepare(Say("Hello"), bench.shelf)
    shelved = bench.path / "shelf" / named(Say("Hello"))
    os.utime(shelved, times=(1.0, 1.0))

    bench.clock.pass_s(601)
    assert bench.maker.ready_now(Say("Hello"), bench.shelf) is None
    assert await bench.maker.prepare(Say("Hello"), bench.shelf) == ready
    assert time.time() - shelved.stat().st_mtime < 60


async def test_prompts_that_were_not_used_for_long_make_room(bench: Bench) -> None:
    for text in ("a" * 60, "b" * 60):
        await bench.maker.prepare(Say(text), bench.shelf)
        os.utime(bench.folder.path / named(Say(text)), times=(1.0 + len(bench.made()),) * 2)

    await bench.maker.prepare(Say("c" * 60), bench.shelf)

    assert bench.made() == sorted([named(Say("b" * 60)), named(Say("c" * 60))])


async def test_a_folder_full_of_prompts_in_use_refuses_more(bench: Bench) -> None:
    for text in ("a" * 60, "b" * 60):
        await bench.maker.prepare(Say(text), bench.shelf)

    with pytest.raises(PromptUnavailable, match="full of prompts in use") as caught:
        await bench.maker.prepare(Say("c" * 60), bench.shelf)

    assert caught.value.code == 12400


async def test_what_is_known_is_bounded(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("controlplane.files.prompts.MOST_KNOWN", 2)
    for text in ("a", "b"):
        await bench.maker.prepare(Say(text), bench.shelf)
    assert bench.maker.ready_now(Say("a"), bench.shelf) is not None

    await bench.maker.prepare(Say("c"), bench.shelf)

    known = [bench.maker.ready_now(Say(text), bench.shelf) is not None for text in "abc"]
    assert known == [True, False, True]


async def test_a_call_that_hangs_up_leaves_the_prompt_to_the_others(bench: Bench) -> None:
    first = asyncio.create_task(bench.maker.prepare(Say("Hello"), bench.shelf))
    second = asyncio.create_task(bench.maker.prepare(Say("Hello"), bench.shelf))
    await asyncio.sleep(0)
    first.cancel()

    assert await second == Audio(f"/shelf/prompts/{named(Say('Hello'))}", 500)


async def test_a_shelf_that_is_gone_fails_only_its_own_calls(bench: Bench) -> None:
    (bench.path / "gone").write_text("a file where the folder should be")

    results = await asyncio.gather(
        bench.maker.prepare(Say("Hello"), bench.new_shelf("gone")),
        bench.maker.prepare(Say("Hello"), bench.shelf),
        return_exceptions=True,
    )

    assert isinstance(results[0], PromptUnavailable)
    assert isinstance(results[1], Audio)
