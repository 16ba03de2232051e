"""Log lines as they come out."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from controlplane.metrics import call_in_logs, configure_logging
from controlplane.metrics.logs import BadLogLevel

log = logging.getLogger("callplane.test")
Written = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def keep_logging() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    logging.captureWarnings(False)
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture
def written(keep_logging: None) -> Written:
    """Log at INFO into memory; answers the lines so far."""
    stream = io.StringIO()
    configure_logging("INFO", stream)
    return lambda: [json.loads(line) for line in stream.getvalue().splitlines()]


def only(written: Written) -> dict[str, Any]:
    (line,) = written()
    line.pop("time")
    return line


def test_the_event_is_the_message_and_facts_are_fields(written: Written) -> None:
    log.info("call_placed", extra={"trunk": "t1", "attempt": 2})
    assert only(written) == {
        "level": "info", "event": "call_placed", "logger": "callplane.test", "trunk": "t1", "attempt": 2,
    }  # fmt: skip


def test_time_is_utc_with_milliseconds(written: Written) -> None:
    log.info("now")
    assert written()[0]["time"][19] == "."
    assert written()[0]["time"].endswith("+00:00")


async def test_the_calls_id_comes_from_the_task_unless_it_is_given(written: Written) -> None:
    async def speak(call_id: str) -> None:
        with call_in_logs(call_id):
            await asyncio.sleep(0)
            log.info("spoke")

    await asyncio.gather(speak("cs_1"), speak("cs_2"))
    log.info("other", extra={"call": "cs_3"})
    log.info("none")
    assert [line.get("call") for line in written()] == ["cs_1", "cs_2", "cs_3", None]


def test_peoples_data_is_left_out_above_debug(written: Written) -> None:
    log.info("dialled", extra={"to": "+15550001111", "digits": "1234", "node": "m1"})
    assert only(written) == {"level": "info", "event": "dialled", "logger": "callplane.test", "node": "m1"}


def test_numbers_are_blotted_out_wherever_they_stand(written: Written) -> None:
    log.warning("GET /calls?to=%%2B15550001111 for %s", "+15550001111", extra={"facts": {"list": ["a +4930123456 b"]}})
    line = only(written)
    assert line["event"] == "GET /calls?to=+… for +…"
    assert line["facts"] == {"list": ["a +… b"]}


def test_numbers_are_blotted_out_of_tracebacks(written: Written) -> None:
    try:
        raise ValueError("+15550001111")
    except ValueError:
        log.exception("broke")
    assert "ValueError: +…" in only(written)["exc_info"]


def test_ids_and_times_are_no_numbers(written: Written) -> None:
    facts = {"leg": "b0a5c293-f685-4006-a92a-6062d2205988", "at_ms": 1795338890014, "offset": "+12345"}
    log.info("seen", extra=facts)
    assert {name: only(written)[name] for name in facts} == facts


def test_debug_tells_numbers_but_never_secrets(keep_logging: None) -> None:
    stream = io.StringIO()
    configure_logging("debug", stream)
    log.debug("asked", extra={"to": "+15550001111", "token": "hidden"})
    line = json.loads(stream.getvalue())
    assert line["to"] == "+15550001111"
    assert "hidden" not in stream.getvalue()


def test_a_newline_in_a_value_stays_one_line(written: Written) -> None:
    log.info("heard\nforged", extra={"name_given": "a\nb"})
    assert only(written)["event"] == "heard\nforged"


def test_what_json_does_not_know_is_written_as_text(written: Written) -> None:
    log.info("odd", extra={"thing": {1, 2}, "error": ValueError("x"), "kind": object})
    assert only(written)["thing"] == [1, 2]
    assert only(written)["error"] == "x"


def test_lines_below_the_level_and_access_logs_are_not_written(written: Written) -> None:
    log.debug("quiet")
    logging.getLogger("uvicorn.access").info("GET /")
    assert written() == []


def test_configuring_twice_writes_once(written: Written) -> None:
    again = io.StringIO()
    configure_logging("INFO", again)
    log.info("one")
    assert written() == []
    assert len(again.getvalue().splitlines()) == 1


def test_warnings_become_lines(written: Written) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        logging.captureWarnings(True)
        warnings.warn("old thing", DeprecationWarning, stacklevel=1)
    assert "old thing" in only(written)["event"]


def test_an_unknown_level_is_refused() -> None:
    with pytest.raises(BadLogLevel):
        configure_logging("LOUD")
