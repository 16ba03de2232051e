"""What is rendered for the golden trees: a folder below this one for each name."""

from __future__ import annotations

from controlplane.render import MediaNode, NodeFolders, RenderedFile, render_freeswitch

_FOLDERS = NodeFolders.below("/var/lib/callplane/node", recordings="/srv/recordings", prompts="/srv/prompts")

ONE_MACHINE = MediaNode(name="local", folders=_FOLDERS, esl_password="not-a-secret")

BEHIND_AN_SBC = MediaNode(
    name="m1",
    folders=_FOLDERS,
    esl_password="<quoted> & \"hostile\" 'one'".replace(" ", "_"),
    esl_address="10.0.0.11",
    esl_allowed=("10.0.0.0/24", "fd00::/64"),
    sip_profile="edge",
    sip_address="10.0.0.11",
    sip_port=5060,
    sip_allowed=("10.0.1.5/32", "10.0.1.6/32"),
    rtp_address="10.0.0.11",
    rtp_first_port=20000,
    rtp_last_port=29999,
    door_watchdog_s=6,
    session_cap=5000,
    leg_rate_limit=300,
    has_opus=True,
    call_records="/srv/call-records",
)

RECOVERABLE = MediaNode(
    name="m2",
    folders=_FOLDERS,
    esl_password="not-a-secret",
    core_database="postgresql://m2:not-a-secret@10.0.0.9:5432/core_m2?sslmode=require&connect_timeout=5",
)


def golden_trees() -> dict[str, list[RenderedFile]]:
    """The files of each tree, by the folder they are kept in."""
    return {
        "freeswitch/one_machine": render_freeswitch(ONE_MACHINE),
        "freeswitch/behind_an_sbc": render_freeswitch(BEHIND_AN_SBC),
        "freeswitch/recoverable": render_freeswitch(RECOVERABLE),
    }
