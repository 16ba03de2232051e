"""What is wrong with a node is said, all of it at once."""

from __future__ import annotations

from dataclasses import replace

import pytest

from controlplane.base.errors import BadInput
from controlplane.render import MediaNode, NodeFolders, render_freeswitch, verify_media_node

NODE = MediaNode(
    name="m1",
    folders=NodeFolders.below("/var/lib/callplane/node", recordings="/srv/recordings", prompts="/srv/prompts"),
    esl_password="secret",
)


def test_a_node_with_the_defaults_is_fine() -> None:
    assert verify_media_node(NODE) == []


@pytest.mark.parametrize(
    ("node", "problem"),
    [
        (replace(NODE, name="M 1"), "name: small letters and digits, single hyphens between"),
        (replace(NODE, name="a--b"), "name: small letters and digits, single hyphens between"),
        (replace(NODE, sip_profile="-->"), "sip_profile: small letters and digits, single hyphens between"),
        (replace(NODE, esl_password=""), "esl_password: 1 to 128 printable characters without spaces"),
        (replace(NODE, esl_password="a\n\napi x"), "esl_password: 1 to 128 printable characters without spaces"),
        (replace(NODE, esl_address="localhost"), "esl_address: not an IP address"),
        (replace(NODE, sip_allowed=("10.0.0.1/8",)), "sip_allowed: 10.0.0.1/8 is no network"),
        (replace(NODE, esl_allowed=()), "esl_allowed: nobody could connect"),
        (replace(NODE, sip_port=80), "sip_port: 1024 to 65535"),
        (replace(NODE, rtp_last_port=16385), "rtp_last_port: at least 10 above rtp_first_port"),
        (replace(NODE, sip_port=20000), "sip_port: inside the RTP range"),
        (replace(NODE, door_watchdog_s=0), "door_watchdog_s: at least 1"),
        (replace(NODE, folders=replace(NODE.folders, log="log")), "folders.log: not an absolute path"),
        (replace(NODE, call_records="records"), "call_records: not an absolute path"),
        (
            replace(NODE, core_database="m1.db"),
            "core_database: postgresql://… and at most 400 printable characters without spaces",
        ),
        (
            replace(NODE, core_database="postgresql://a b"),
            "core_database: postgresql://… and at most 400 printable characters without spaces",
        ),
    ],
)
def test_each_mistake_has_its_line(node: MediaNode, problem: str) -> None:
    assert verify_media_node(node) == [problem]


def test_a_node_with_mistakes_is_not_rendered_and_all_of_them_are_told() -> None:
    with pytest.raises(BadInput, match="sip_port: 1024 to 65535; session_cap: at least 1"):
        render_freeswitch(replace(NODE, sip_port=1, session_cap=0))


def test_the_password_is_not_in_the_repr() -> None:
    assert "secret" not in repr(replace(NODE, core_database="postgresql://m1:secret@db/core"))
