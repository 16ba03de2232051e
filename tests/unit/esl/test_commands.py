"""What stands on the wire for each command that concerns the link, and the last look at every command."""

from __future__ import annotations

import pytest

from controlplane.esl import commands
from controlplane.esl.commands import Command, EslEventName
from controlplane.esl.errors import UnsafeValue


@pytest.mark.parametrize(
    ("command", "data"),
    [
        (commands.auth("ClueCon"), b"auth ClueCon\n\n"),
        (commands.subscribe([EslEventName.DTMF, EslEventName.CHANNEL_PARK]), b"event plain CHANNEL_PARK DTMF\n\n"),
        (commands.see_no_events(), b"noevents\n\n"),
        (commands.see_only_shards([10, 0, 10]), b"filter Unique-ID /[0a]$/\n\n"),
        (commands.see_no_application("sched_hangup"), b"filter Application -sched_hangup\n\n"),
        (commands.see_no_step("step"), b"filter Application-UUID -step\n\n"),
        (commands.see_shards_no_more(range(16)), b"filter delete Unique-ID /[0123456789abcdef]$/\n\n"),
        (commands.see_only_jobs("srv.1-a"), b"filter Job-UUID /^srv[.]1-a/\n\n"),
        (commands.leave(), b"exit\n\n"),
        (commands.KICK, b"\n"),
    ],
)
def test_commands_of_a_link(command: Command, data: bytes) -> None:
    assert command.data == data


def test_only_the_bare_newline_gets_no_answer() -> None:
    assert not commands.KICK.is_answered
    assert commands.leave().is_answered


def test_a_command_shows_its_name_and_not_its_arguments() -> None:
    assert repr(commands.auth("secret")) == "Command(name='auth', is_answered=True)"
    assert commands.line("api", "uuid_kill x").name == "api uuid_kill"


@pytest.mark.parametrize("password", ["", "a b", "a\nb", "ä", "a${b", "a" * 257])
def test_passwords_are_one_word(password: str) -> None:
    with pytest.raises(UnsafeValue):
        commands.auth(password)


@pytest.mark.parametrize("shards", [[], [-1], [16]])
def test_shards_are_0_to_15(shards: list[int]) -> None:
    with pytest.raises(UnsafeValue):
        commands.see_only_shards(shards)


def test_nothing_to_subscribe_to_is_refused() -> None:
    with pytest.raises(UnsafeValue):
        commands.subscribe([])


@pytest.mark.parametrize("harm", ["\n", "\r", "\0", "\x1f", "\x7f", "\x9f", "\u2028", "\ud800", "${x}", "$${x}", "$"])
def test_the_last_look_finds_what_an_earlier_one_missed(harm: str) -> None:
    with pytest.raises(UnsafeValue):
        commands.line("api", f"status {harm}")
    with pytest.raises(UnsafeValue):
        commands.line("bgapi", "status", [("Job-UUID", harm)])
    with pytest.raises(UnsafeValue):
        commands.with_body("sendmsg x", [], harm, name="x")


def test_a_command_has_a_longest_length() -> None:
    with pytest.raises(UnsafeValue):
        commands.line("api", "a" * 65_536)
