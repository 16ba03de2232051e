"""The virtual clock: moves when nothing else can, and only then."""

from __future__ import annotations

import asyncio

from controlplane.emulator.clock import RealClock, VirtualClock


async def test_sleepers_wake_in_the_order_of_their_times() -> None:
    clock, woken = VirtualClock(), []

    async def sleep(seconds: float) -> None:
        await clock.sleep(seconds)
        woken.append((seconds, clock.monotonic_ms()))

    await asyncio.gather(sleep(3600), sleep(0.02), sleep(5))
    assert woken == [(0.02, 20), (5, 5000), (3600, 3_600_000)]


async def test_time_stands_still_while_anything_else_is_ready_to_run() -> None:
    clock = VirtualClock()
    sleeper = asyncio.ensure_future(clock.sleep(1))
    for _ in range(1000):
        await asyncio.sleep(0)
        assert clock.monotonic_ms() == 0
    await sleeper
    assert clock.monotonic_ms() == 1000


async def test_a_hold_keeps_the_clock_from_moving() -> None:
    clock = VirtualClock()
    sleeper = asyncio.ensure_future(clock.sleep(1))
    with clock.hold():
        await asyncio.sleep(0.02)
        assert clock.monotonic_ms() == 0
    await sleeper
    assert clock.monotonic_ms() == 1000


async def test_bytes_on_a_socket_go_before_the_clock_moves() -> None:
    clock, seen = VirtualClock(), []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async for _line in reader:
            seen.append(clock.monotonic_ms())
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    _, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    for _ in range(3):
        writer.write(b"x\n")
        await clock.sleep(10)
    writer.close()
    await writer.wait_closed()
    server.close()
    await server.wait_closed()
    assert seen == [0, 10_000, 20_000]


async def test_a_cancelled_appointment_is_not_kept() -> None:
    clock, kept = VirtualClock(), []
    clock.call_at_ms(10, lambda: kept.append("a")).cancel()
    clock.call_at_ms(20, lambda: kept.append("b"))
    await clock.sleep(1)
    assert kept == ["b"]


async def test_an_appointment_that_fails_does_not_stop_the_clock() -> None:
    clock, told = VirtualClock(), []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: told.append(context["exception"]))

    def fail() -> None:
        raise ValueError("no")

    clock.call_at_ms(10, fail)
    await clock.sleep(1)
    assert [type(one) for one in told] == [ValueError]


async def test_the_real_clock_calls_back_in_real_time() -> None:
    clock = RealClock()
    done = asyncio.get_running_loop().create_future()
    began_ms = clock.monotonic_ms()
    clock.call_at_ms(began_ms + 20, lambda: done.set_result(clock.monotonic_ms()))
    assert await done - began_ms >= 19
