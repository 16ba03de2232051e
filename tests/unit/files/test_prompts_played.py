"""Fetching what is played: once, as long as its server allows, and again when it changed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from controlplane.base.errors import Unavailable
from controlplane.files.errors import PromptUnavailable
from controlplane.files.prompts import Audio, Media
from controlplane.verbs.documents import Play
from tests.unit.files.prompt_bench import Bench, opened_bench
from tests.unit.files.sounds import pitch_of, tone, write_wav

URL = "https://media.example/welcome.wav"


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    async with opened_bench(tmp_path) as opened:
        yield opened


async def test_a_play_is_fetched_converted_and_placed(bench: Bench) -> None:
    ready = await bench.maker.prepare(Play(URL), bench.shelf)

    assert isinstance(ready, Audio)
    assert ready.duration_ms == 2000
    path = bench.path / "shelf" / ready.node_path.removeprefix("/shelf/prompts/")
    assert (pitch_of(path), path.name[:5]) == (500, "play-")
    assert bench.web.asked == [(URL, "", "")]
    assert bench.made() == [path.name]
    assert bench.maker.ready_now(Play(URL, loop=3), bench.shelf) == ready


async def test_a_hundred_calls_that_play_the_same_fetch_and_convert_once(bench: Bench) -> None:
    await asyncio.gather(*(bench.maker.prepare(Play(URL), bench.shelf) for _ in range(100)))

    assert (len(bench.web.asked), bench.workshop.converted) == (1, 1)


async def test_a_file_is_played_for_a_minute_without_asking_again(bench: Bench) -> None:
    ready = await bench.maker.prepare(Play(URL), bench.shelf)

    bench.clock.pass_s(59)
    assert bench.maker.ready_now(Play(URL), bench.shelf) == ready
    bench.clock.pass_s(2)
    assert bench.maker.ready_now(Play(URL), bench.shelf) is None
    assert await bench.maker.prepare(Play(URL), bench.shelf) == ready
    assert (len(bench.web.asked), bench.workshop.converted) == (2, 1)


async def test_a_file_is_played_as_long_as_its_server_allows(bench: Bench) -> None:
    bench.web.answer = Media("audio/wav", cache_control="max-age=300", age="100")
    await bench.maker.prepare(Play(URL), bench.shelf)

    bench.clock.pass_s(199)
    assert bench.maker.ready_now(Play(URL), bench.shelf) is not None
    bench.clock.pass_s(2)
    assert bench.maker.ready_now(Play(URL), bench.shelf) is None


async def test_a_file_that_did_not_change_is_not_fetched_again(bench: Bench) -> None:
    bench.web.answer = Media("audio/wav", etag='"1"', last_modified="Mon", cache_control="max-age=10")
    ready = await bench.maker.prepare(Play(URL), bench.shelf)
    bench.clock.pass_s(11)

    assert await bench.maker.prepare(Play(URL), bench.shelf) == ready
    assert bench.web.asked == [(URL, "", ""), (URL, '"1"', "Mon")]
    assert bench.maker.ready_now(Play(URL), bench.shelf) == ready


async def test_a_file_that_changed_is_played_anew_under_another_name(bench: Bench) -> None:
    bench.web.answer = Media("audio/wav", etag='"1"')
    first = await bench.maker.prepare(Play(URL), bench.shelf)
    bench.web.content = write_wav(bench.path / "web.wav", tone(1.0, 700)).read_bytes()
    bench.web.answer = Media("audio/wav", etag='"2"')
    bench.clock.pass_s(61)

    second = await bench.maker.prepare(Play(URL), bench.shelf)

    assert second.duration_ms == 1000
    assert isinstance(first, Audio)
    assert isinstance(second, Audio)
    assert second.node_path != first.node_path
    assert len(bench.made()) == 2


async def test_a_file_that_may_not_be_kept_is_asked_for_every_time(bench: Bench) -> None:
    bench.web.answer = Media("audio/wav", cache_control="no-store")
    ready = await bench.maker.prepare(Play(URL), bench.shelf)

    assert bench.maker.ready_now(Play(URL), bench.shelf) is None
    assert await bench.maker.prepare(Play(URL), bench.shelf) == ready
    assert (len(bench.web.asked), bench.workshop.converted) == (2, 1)


async def test_a_file_that_went_from_the_folder_is_fetched_whole_again(bench: Bench) -> None:
    bench.web.answer = Media("audio/wav", etag='"1"')
    await bench.maker.prepare(Play(URL), bench.shelf)
    for name in bench.made():
        (bench.folder.path / name).unlink()
    bench.clock.pass_s(700)

    assert isinstance(await bench.maker.prepare(Play(URL), bench.new_shelf("fresh")), Audio)
    assert bench.web.asked == [(URL, "", ""), (URL, "", "")]


async def test_a_server_that_fails_fails_the_prompt_for_a_second(bench: Bench) -> None:
    bench.web.failure = Unavailable("the server answered 503", code=11200)
    for _ in range(2):
        with pytest.raises(PromptUnavailable, match="answered 503") as caught:
            await bench.maker.prepare(Play(URL), bench.shelf)
        assert caught.value.code == 11200
    assert len(bench.web.asked) == 1

    bench.clock.pass_s(1.1)
    with pytest.raises(PromptUnavailable):
        await bench.maker.prepare(Play(URL), bench.shelf)
    assert len(bench.web.asked) == 2


async def test_a_file_that_is_no_audio_is_the_tenants_mistake(bench: Bench) -> None:
    bench.web.content = b"<html>not found</html>"

    with pytest.raises(PromptUnavailable, match="is called audio/wav and is none") as caught:
        await bench.maker.prepare(Play(URL), bench.shelf)

    assert caught.value.code == 13420
    assert bench.made() == []
