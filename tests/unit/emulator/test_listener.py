"""A link: signing in, subscribing, filters, the order and delay of what comes, and readers that do not read."""

from __future__ import annotations

import pytest

from controlplane.emulator.clock import VirtualClock
from controlplane.emulator.memory import MemoryNetwork
from controlplane.emulator.node import Node
from controlplane.emulator.rules import LinkRules
from tests.unit.emulator.links import Link, open_link

CHANNEL = "0a000000-0000-4000-8000-00000000000"


async def strange_link(node: Node, rules: LinkRules | None = None) -> Link:
    """A link that has not signed in."""
    transport, link = await MemoryNetwork(node, rules).connect(Link)
    link.transport = transport
    await link.when(lambda: bool(link.frames))
    return link


async def test_a_link_is_asked_for_the_password_first(node: Node) -> None:
    link = await strange_link(node)
    assert [frame.content_type for frame in link.frames] == ["auth/request"]
    assert await link.ask("api status") == "-ERR command not found"
    assert await link.ask("auth ClueCon") == "+OK accepted"


async def test_a_wrong_password_ends_the_link(node: Node) -> None:
    link = await strange_link(node)
    assert await link.ask("auth wrong") == "-ERR invalid"
    await link.when(lambda: link.is_lost)
    assert link.frames[-1].content_type == "text/disconnect-notice"


async def test_a_node_that_refuses_says_so_rudely(node: Node) -> None:
    link = await strange_link(node, LinkRules(is_refusing=True))
    await link.when(lambda: link.is_lost)
    assert [(frame.content_type, frame.text) for frame in link.frames][:1] == [
        ("text/rude-rejection", "Access Denied, go away.\n")
    ]


async def test_exit_says_goodbye(link: Link) -> None:
    assert await link.ask("exit") == "+OK bye"
    await link.when(lambda: link.is_lost)
    assert link.frames[-1].text == "Disconnected, goodbye.\nSee you at ClueCon! http://www.cluecon.com/\n"


@pytest.mark.parametrize(
    ("command", "reply"),
    [
        ("bogus", "-ERR command not found"),
        ("event plain", "-ERR no keywords supplied"),
        ("event plain NO_SUCH_EVENT", "-ERR no keywords supplied"),
        ("event json CHANNEL_PARK", "+OK event listener enabled json"),
        ("nixevent CHANNEL_PARK", "+OK events nixed"),
        ("noevents", "+OK no longer listening for events"),
        ("filter Unique-ID /[0-7]$/", "+OK filter added. [Unique-ID]=[/[0-7]$/]"),
        ("filter delete Unique-ID", "+OK filter deleted. [Unique-ID][]"),
        ("filter Unique-ID", "-ERR invalid syntax"),
        ("api nosuchcommand", "-ERR nosuchcommand Command not found!\n"),
        ("api uuid_kill not-a-uuid", "-ERR No such channel!\n"),
        ("api uuid_exists not-a-uuid", "false"),
        ("sendmsg not-a-uuid\ncall-command: execute", "-ERR invalid session id [not-a-uuid]"),
    ],
)
async def test_commands_are_answered_as_freeswitch_answers_them(link: Link, command: str, reply: str) -> None:
    assert await link.ask(command) == reply


async def test_replies_come_in_the_order_of_the_commands(link: Link) -> None:
    for command in ("api create_uuid", "bogus", "api global_getvar hostname"):
        link.send(command)
    await link.when(lambda: len(link.replies) >= 5)
    assert [frame.content_type for frame in link.replies[2:]] == ["api/response", "command/reply", "api/response"]


async def test_only_what_is_subscribed_comes(node: Node) -> None:
    link = await open_link(MemoryNetwork(node), "CHANNEL_PARK CHANNEL_ANSWER")
    await link.ask("nixevent CHANNEL_ANSWER")
    channel = node.ring("+15550001111", "+15550002222")
    await link.until("CHANNEL_PARK")
    await link.run(channel.uuid, "answer")
    await node.clock.sleep(1)
    assert link.story() == ["CHANNEL_PARK"]


async def test_a_filter_by_the_end_of_the_uuid_lets_only_these_channels_through(node: Node) -> None:
    link = await open_link(MemoryNetwork(node), "CHANNEL_PARK BACKGROUND_JOB")
    await link.ask("filter Unique-ID /[0-7]$/")
    for end in "0a7f":
        node.ring("+15550001111", "+15550002222", uuid=CHANNEL + end)
    await link.ask("bgapi status")
    await node.clock.sleep(1)
    assert [event.get("Unique-ID") for event in link.events] == [CHANNEL + "0", CHANNEL + "7"]


async def test_an_excluding_filter_wins(node: Node) -> None:
    link = await open_link(MemoryNetwork(node), "CHANNEL_PARK")
    await link.ask("filter Event-Name CHANNEL_PARK")
    await link.ask(f"filter Unique-ID -{CHANNEL}1")
    for end in "12":
        node.ring("+15550001111", "+15550002222", uuid=CHANNEL + end)
    await node.clock.sleep(1)
    assert [event.get("Unique-ID") for event in link.events] == [CHANNEL + "2"]


async def test_an_event_waits_for_the_poll_and_a_byte_wakes_it(node: Node) -> None:
    link = await open_link(MemoryNetwork(node), "CHANNEL_PARK")
    began_ms = node.clock.monotonic_ms()
    node.ring("+15550001111", "+15550002222")
    await link.until("CHANNEL_PARK")
    waited_ms = node.clock.monotonic_ms() - began_ms
    assert waited_ms == 20
    woken = await open_link(MemoryNetwork(node), "CHANNEL_PARK")
    channel = node.ring("+15550001111", "+15550002222")
    began_ms = node.clock.monotonic_ms()
    assert woken.transport is not None
    node.clock.call_at_ms(began_ms + 1, lambda: woken.transport.write(b"\n"))  # type: ignore[union-attr]
    await woken.until("CHANNEL_PARK", Unique_ID=channel.uuid)
    assert node.clock.monotonic_ms() - began_ms == 1


async def test_no_event_comes_between_the_halves_of_a_command(node: Node) -> None:
    link = await open_link(MemoryNetwork(node), "CHANNEL_PARK")
    assert link.transport is not None
    link.transport.write(b"api sta")
    node.ring("+15550001111", "+15550002222")
    await node.clock.sleep(1)
    assert link.events == []
    link.transport.write(b"tus\n\n")
    await link.until("CHANNEL_PARK")
    assert link.frames[-1].content_type == "text/event-plain"


async def test_a_reader_that_does_not_read_loses_events_and_then_its_link() -> None:
    node = Node(VirtualClock())
    link = await open_link(MemoryNetwork(node, LinkRules(queue_limit=10, lost_limit=5)), "ALL")
    assert link.transport is not None
    link.transport.pause_reading()
    for _ in range(40):
        node.ring("+15550001111", "+15550002222")
        await node.clock.sleep(1)
    assert node.listeners == []
    link.transport.resume_reading()
    await link.when(lambda: link.is_lost)
    assert link.frames[-1].text == "killed listener because of lost events\n"
    assert len(node.channels) > 0


async def test_json_is_exact_where_plain_is_not(node: Node) -> None:
    names = []
    for kind in ("plain", "json"):
        link = await open_link(MemoryNetwork(node), "")
        await link.ask(f"event {kind} CHANNEL_PARK")
        node.ring("+15550001111", "+15550002222", caller_name="Bob%41 & Jim")
        names.append((await link.until("CHANNEL_PARK")).get("Caller-Caller-ID-Name"))
    assert names == ["BobA & Jim", "Bob%41 & Jim"]


async def test_a_restart_ends_links_and_channels_and_changes_the_core(node: Node) -> None:
    link = await open_link(MemoryNetwork(node))
    node.ring("+15550001111", "+15550002222")
    await link.until("CHANNEL_PARK")
    before = await link.ask("api global_getvar core_uuid")
    node.restart()
    await link.when(lambda: link.is_lost)
    again = await open_link(MemoryNetwork(node))
    assert await again.ask("api global_getvar core_uuid") not in ("", before)
    assert await again.ask("api show channels as json") == '{"row_count": 0}\n'


async def test_a_heartbeat_comes_every_twenty_seconds(node: Node) -> None:
    link = await open_link(MemoryNetwork(node), "HEARTBEAT")
    await link.until("HEARTBEAT")
    link.events.clear()
    await link.until("HEARTBEAT")
    assert node.clock.monotonic_ms() // 1000 == 40
    assert link.events[0].get("Session-Count") == "0"


async def test_show_channels_tells_who_is_there_in_columns_that_we_set(link: Link, node: Node) -> None:
    channel = node.ring("+15550001111", "+15550002222")
    await link.until("CHANNEL_PARK")
    await link.ask(f"api uuid_setvar_multi {channel.uuid} callplane_call=cs_1;presence_data=cs_1;accountcode=acc_1")
    rows = await link.ask("api show channels as json")
    for column in (
        '"presence_data":"cs_1"',
        '"accountcode":"acc_1"',
        f'"uuid":"{channel.uuid}"',
        '"application":"park"',
    ):
        assert column in rows
    assert await link.ask("api show channels count") == "\n1 total.\n"
    assert '"task_group":"' + channel.uuid in await link.ask("api show tasks as json")
    assert await link.ask(f"api uuid_getvar {channel.uuid} callplane_call") == "cs_1"
    assert await link.ask(f"api uuid_getvar {channel.uuid} nothing") == "_undef_"
    assert '"variable_callplane_call":"cs_1"' in await link.ask(f"api uuid_dump {channel.uuid} json")
