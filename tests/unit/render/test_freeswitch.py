"""The rendered configuration as XML: what it says, apart from how it looks (that is the golden trees' business)."""

from __future__ import annotations

from dataclasses import replace

from lxml import etree

from controlplane.render import MediaNode, NodeFolders, RenderedFile, freeswitch_arguments, render_freeswitch

NODE = MediaNode(
    name="m1",
    folders=NodeFolders.below("/node", recordings="/srv/recordings", prompts="/srv/prompts"),
    esl_password="a\"b'c<d>&e",
    door_watchdog_s=7,
)


def tree_of(path: str, node: MediaNode = NODE) -> etree._Element:
    return etree.fromstring(next(file.content for file in render_freeswitch(node) if file.path == path).encode())


def params(path: str, node: MediaNode = NODE) -> dict[str, str]:
    return {str(e.get("name")): str(e.get("value")) for e in tree_of(path, node).iter("param")}


def test_every_file_is_well_formed_xml() -> None:
    for file in render_freeswitch(NODE):
        etree.fromstring(file.content.encode())


def test_every_file_but_the_first_is_included_by_the_first() -> None:
    included = {e.get("data") for e in tree_of("freeswitch.xml").iter("X-PRE-PROCESS") if e.get("cmd") == "include"}
    assert included == {file.path for file in render_freeswitch(NODE)} - {"freeswitch.xml"}


def test_the_same_node_renders_to_the_same_bytes() -> None:
    assert render_freeswitch(NODE) == render_freeswitch(replace(NODE))


def test_the_password_is_only_in_the_secret_file_and_whole() -> None:
    secret = [file.path for file in render_freeswitch(NODE) if file.is_secret]
    assert secret == ["autoload/event_socket.conf.xml"]
    assert params("autoload/event_socket.conf.xml")["password"] == NODE.esl_password
    assert not any("a&quot;b" in file.content for file in render_freeswitch(NODE) if not file.is_secret)


def test_a_core_database_is_named_in_a_secret_file_and_its_module_comes_first() -> None:
    node = replace(NODE, core_database="postgresql://m1:a&b@db/core")
    secret = [file.path for file in render_freeswitch(node) if file.is_secret]
    assert secret == ["autoload/event_socket.conf.xml", "autoload/switch.conf.xml"]
    assert params("autoload/switch.conf.xml", node)["core-db-dsn"] == node.core_database
    assert params("autoload/sofia.conf.xml", node)["track-calls"] == "true"
    early = [e.get("module") for e in tree_of("autoload/pre_load_modules.conf.xml", node).iter("load")]
    assert early == ["mod_pgsql"]


def test_without_a_core_database_nothing_of_one_is_configured() -> None:
    assert "core-db-dsn" not in params("autoload/switch.conf.xml")
    assert "track-calls" not in params("autoload/sofia.conf.xml")
    assert "autoload/pre_load_modules.conf.xml" not in {file.path for file in render_freeswitch(NODE)}


def test_every_call_goes_to_the_door_with_its_watchdog() -> None:
    assert params("autoload/sofia.conf.xml")["context"] == "door"
    door = tree_of("dialplan/door.xml")
    assert [(e.get("application"), e.get("data")) for e in door.iter("action")] == [
        ("set", "callplane_door=inbound"),
        ("sched_hangup", "+7 RECOVERY_ON_TIMER_EXPIRE"),
        ("park", None),
    ]
    assert [dict(e.attrib) for e in door.iter("condition")] == [{}]


def test_nothing_can_start_a_program_or_run_an_api_out_of_an_argument() -> None:
    set_first = [e.get("data") for e in tree_of("freeswitch.xml").iter("X-PRE-PROCESS") if e.get("cmd") == "set"]
    assert set_first == ["disable_system_api_commands=true", "disable_system_app_commands=true"]
    assert params("autoload/switch.conf.xml")["api-expansion"] == "false"


def test_sip_is_loaded_last_and_opus_only_where_it_is_there() -> None:
    modules = [e.get("module") for e in tree_of("autoload/modules.conf.xml").iter("load")]
    with_opus = [
        e.get("module") for e in tree_of("autoload/modules.conf.xml", replace(NODE, has_opus=True)).iter("load")
    ]
    assert modules[-1] == "mod_sofia"
    assert with_opus == ["mod_opus", *modules]
    assert params("autoload/sofia.conf.xml", replace(NODE, has_opus=True))["inbound-codec-prefs"] == "OPUS,PCMU,PCMA"


def test_the_command_line_keeps_to_the_nodes_folders_and_keeps_the_core_database() -> None:
    arguments = freeswitch_arguments(NODE)
    assert arguments[:3] == ["-nonat", "-nf", "-nc"]
    assert "-nosql" not in arguments
    folders = dict(zip(arguments[3::2], arguments[4::2], strict=True))
    assert folders["-conf"] == "/node/conf"
    assert folders["-sounds"] == "/srv/prompts"
    assert {value for value in folders.values() if not value.startswith(("/node/", "/srv/"))} == set()


def test_a_rendered_file_is_a_value() -> None:
    assert RenderedFile("a", "b") == RenderedFile("a", "b")
