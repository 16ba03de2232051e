"""Sound is touched by processes of its own. Real ones; some are given a job that no decoder survives."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import soundfile

from controlplane.files import workbench, workshop
from controlplane.files.errors import FilesUnavailable, UnusableAudio
from controlplane.files.pcm import open_pcm
from controlplane.files.voice_edits import Measured
from controlplane.files.workshop import Workshop
from tests.unit.files.sounds import pitch_of, silence, tone, write_wav

ROOT = Path(workbench.__file__).parents[2]


@pytest.fixture
async def shop() -> AsyncIterator[Workshop]:
    opened = Workshop()
    yield opened
    await opened.close()


@pytest.fixture
async def rough_shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Workshop]:
    """A workshop whose decoder dies, hangs, bloats or babbles when the media type says so."""
    package = tmp_path / "site" / "controlplane"
    (package / "files").mkdir(parents=True)
    for folder in (package, package / "files"):
        (folder / "__init__.py").write_text(f"__path__.append({str(ROOT / folder.relative_to(tmp_path / 'site'))!r})\n")
    (package / "files" / "workbench.py").write_text(f"""
import os, sys, time
from pathlib import Path
source = Path({str(ROOT / "controlplane/files/workbench.py")!r}).read_text()
exec(source.partition('if __name__ == "__main__":')[0])
def rough(source, target, media_type):
    print(os.getpid(), file=open(source + ".pid", "w"))
    match media_type:
        case "crash": os.abort()
        case "exit": os._exit(0)
        case "hang": time.sleep(600)
        case "spin":
            while True: pass
        case "bloat": return len(bytearray(4 << 30))
        case "babble": sys.stdout.write("x" * 1_000_000); sys.stdout.flush(); time.sleep(600)
        case "nonsense": sys.stdout.write("nonsense\\n"); sys.stdout.flush(); time.sleep(600)
    return 42
JOBS["convert"] = rough
main()
""")
    monkeypatch.setitem(workshop._ENVIRONMENT, "PYTHONPATH", str(tmp_path / "site"))
    opened = Workshop()
    yield opened
    await opened.close()


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


async def test_a_file_is_converted_in_another_process(shop: Workshop, tmp_path: Path) -> None:
    source, target = tmp_path / "in.mp3", tmp_path / "out.wav"
    soundfile.write(source, tone(2.0, 500, 44_100), 44_100, format="MP3")

    assert await shop.convert(source, target, "audio/mpeg") == open_pcm(target).duration_ms
    assert pitch_of(target) == 500


async def test_every_job_is_done(shop: Workshop, tmp_path: Path) -> None:
    a, b, c, d, e, f, g = (tmp_path / f"{name}.wav" for name in "abcdefg")
    write_wav(a, tone(1.0, 400), tone(1.0, 600))

    await shop.split(a, b, c)
    await shop.join(b, c, d)
    await shop.mix(a, e)
    await shop.make_mp3(a, f)

    assert (pitch_of(b), pitch_of(c), d.read_bytes() == a.read_bytes()) == (400, 600, True)
    assert (open_pcm(e).channels, soundfile.info(f).format) == (1, "MP3")
    assert await shop.measure(a) == Measured(1000, 2, 32_044, (0, 1000))
    assert await shop.measure(write_wav(g, silence(1.0))) == Measured(1000, 1, 16_044, None)
    assert await shop.trim(g, b) == 0


async def test_a_file_that_is_no_audio_is_the_tenants_mistake(shop: Workshop, tmp_path: Path) -> None:
    (tmp_path / "in").write_text("<html>")

    with pytest.raises(UnusableAudio) as caught:
        await shop.convert(tmp_path / "in", tmp_path / "out", "text/html")

    assert (caught.value.problem, caught.value.code) == ("text/html cannot be played", 13420)


async def test_a_disk_that_cannot_be_read_is_not(shop: Workshop, tmp_path: Path) -> None:
    with pytest.raises(FilesUnavailable, match="No such file"):
        await shop.convert(tmp_path / "missing", tmp_path / "out", "audio/wav")


@pytest.mark.parametrize(
    ("how", "problem"),
    [
        ("crash", "cannot be decoded"),
        ("exit", "cannot be decoded"),
        ("bloat", "takes too much memory"),
        ("babble", "cannot be decoded"),
        ("nonsense", "cannot be decoded"),
    ],
)
async def test_a_decoder_that_goes_wrong_harms_only_its_own_job(
    rough_shop: Workshop, tmp_path: Path, how: str, problem: str
) -> None:
    good, bad = (tmp_path / name for name in ("good", "bad"))

    results = await asyncio.gather(
        rough_shop.convert(bad, bad, how), rough_shop.convert(good, good, "fine"), return_exceptions=True
    )

    assert isinstance(results[0], UnusableAudio)
    assert problem in results[0].problem
    assert results[1] == 42
    assert await rough_shop.convert(good, good, "fine") == 42


async def test_a_decoder_that_hangs_is_given_up_after_its_time(
    rough_shop: Workshop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as shorter:
        shorter.setattr(rough_shop, "_time_s", 1)
        with pytest.raises(UnusableAudio, match="took longer than 1 s"):
            await rough_shop.convert(tmp_path / "a", tmp_path / "a", "hang")

    assert await rough_shop.convert(tmp_path / "a", tmp_path / "a", "fine") == 42


async def test_a_decoder_that_spins_is_ended_by_its_own_limit(
    rough_shop: Workshop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rough_shop, "_cpu_s", 1)

    with pytest.raises(UnusableAudio, match="cannot be decoded"):
        await rough_shop.convert(tmp_path / "a", tmp_path / "a", "spin")


async def test_a_job_that_is_canceled_ends_its_process(rough_shop: Workshop, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.pid")
    task = asyncio.create_task(rough_shop.convert(tmp_path / "a", tmp_path / "a", "hang"))
    pid = int(await asyncio.to_thread((tmp_path / "a.pid").read_text))

    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert not is_running(pid)


async def test_processes_are_used_again_and_end_with_the_workshop(rough_shop: Workshop, tmp_path: Path) -> None:
    pids = set()
    for _ in range(3):
        await rough_shop.convert(tmp_path / "a", tmp_path / "a", "fine")
        pids.add(int((tmp_path / "a.pid").read_text()))
    assert len(pids) == 1

    await rough_shop.close()

    assert not is_running(pids.pop())


async def test_a_process_that_died_while_idle_is_replaced(rough_shop: Workshop, tmp_path: Path) -> None:
    await rough_shop.convert(tmp_path / "a", tmp_path / "a", "fine")
    pid = int((tmp_path / "a.pid").read_text())
    os.kill(pid, 9)
    while is_running(pid):
        await asyncio.sleep(0)
    while rough_shop._idle[0].is_ready:
        await asyncio.sleep(0)

    assert await rough_shop.convert(tmp_path / "a", tmp_path / "a", "fine") == 42


async def test_a_process_is_replaced_after_many_jobs(
    rough_shop: Workshop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workshop, "_USES", 2)
    pids = []
    for _ in range(4):
        await rough_shop.convert(tmp_path / "a", tmp_path / "a", "fine")
        pids.append((tmp_path / "a.pid").read_text())

    assert [pids[0] == pids[1], pids[1] == pids[2], pids[2] == pids[3]] == [True, False, True]


async def test_no_more_processes_than_workers(tmp_path: Path) -> None:
    shop = Workshop(workers=1)
    source = write_wav(tmp_path / "a.wav", tone(0.1))

    await asyncio.gather(*(shop.convert(source, tmp_path / f"{n}.wav", "audio/wav") for n in range(5)))

    assert len(shop._idle) == 1
    await shop.close()


async def test_a_process_ends_when_its_parent_is_gone(tmp_path: Path) -> None:
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", f"""
import asyncio, os
from pathlib import Path
from controlplane.files.workshop import Workshop
async def main():
    shop = Workshop()
    await shop.measure(Path({str(write_wav(tmp_path / "a.wav", tone(0.1)))!r}))
    print(shop._idle[0]._process.pid, flush=True)
    os._exit(1)
asyncio.run(main())
""", stdout=asyncio.subprocess.PIPE, env={"PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    output, _ = await parent.communicate()

    while is_running(int(output)):
        await asyncio.sleep(0.01)
