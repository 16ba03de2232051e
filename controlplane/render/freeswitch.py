"""FreeSWITCH's configuration for a node whose calls are driven over event-socket links.

Every call is parked at one door (templates/freeswitch/door.xml.j2); nothing else is in the dialplan, no user can
register, and nothing that runs programs or fetches from the network is loaded.
"""

from __future__ import annotations

from controlplane.base.errors import BadInput
from controlplane.render.files import RenderedFile
from controlplane.render.media_node import MediaNode, verify_media_node
from controlplane.render.quoting import render_xml

# Applications and APIs that the engine uses come from these; what is not here cannot be called.
_MODULES = (
    "mod_logfile",
    "mod_event_socket",
    "mod_commands",  # originate, uuid_*, show, sched_*, global_getvar
    "mod_dptools",  # answer, playback, park, record_session, bridge, sched_hangup…
    "mod_conference",
    "mod_dialplan_xml",
    "mod_sndfile",
    "mod_native_file",
    "mod_tone_stream",
)
_LAST = "mod_sofia"  # when it takes calls, all of the others are there
_EARLY_MODULES = ("mod_pgsql",)  # before the core opens its database, which is before any other module
_CONFIGURATIONS = ("acl", "conference", "event_socket", "logfile", "modules", "sofia", "switch")
_SECRET = frozenset({"autoload/event_socket.conf.xml"})


def render_freeswitch(node: MediaNode) -> list[RenderedFile]:
    """Every file of the node's configuration folder, by path; raises BadInput listing what is wrong with the node."""
    problems = verify_media_node(node)
    if problems:
        raise BadInput(f"Media node {node.name!r} cannot be rendered: {'; '.join(problems)}")
    configurations = _configurations_of(node)
    values = {
        "node": node,
        "modules": _modules_of(node),
        "early_modules": _EARLY_MODULES,
        "codecs": "OPUS,PCMU,PCMA" if node.has_opus else "PCMU,PCMA",
        "configurations": configurations,
    }
    templates = {f"autoload/{name}.conf.xml": f"{name}.conf" for name in configurations}
    templates |= {"dialplan/door.xml": "door", "freeswitch.xml": "freeswitch"}
    secret = _SECRET | {"autoload/switch.conf.xml"} if node.core_database else _SECRET
    return [
        RenderedFile(path, render_xml(f"freeswitch/{name}.xml.j2", **values), is_secret=path in secret)
        for path, name in sorted(templates.items())
    ]


def freeswitch_arguments(node: MediaNode) -> list[str]:
    """The command line, without the program: in the foreground, no console, every folder our own.

    `-nonat`: no UPnP or NAT-PMP questions to whoever is the router. The core database stays (no `-nosql`), for
    `show channels` reads it.
    """
    folders = node.folders
    pairs = {
        "-conf": folders.conf,
        "-log": folders.log,
        "-db": folders.db,
        "-run": folders.run,
        "-recordings": folders.recordings,
        "-sounds": folders.prompts,
        "-certs": folders.certs,
        "-scripts": folders.scratch,
        "-htdocs": folders.scratch,
        "-grammar": folders.scratch,
        "-storage": folders.scratch,
        "-cache": folders.scratch,
        "-temp": folders.scratch,
    }
    return ["-nonat", "-nf", "-nc", *(word for pair in pairs.items() for word in pair)]


def _modules_of(node: MediaNode) -> tuple[str, ...]:
    opus = ("mod_opus",) if node.has_opus else ()
    records = ("mod_json_cdr",) if node.call_records is not None else ()
    return (*opus, *_MODULES, *records, _LAST)


def _configurations_of(node: MediaNode) -> tuple[str, ...]:
    records = () if node.call_records is None else ("json_cdr",)
    early = ("pre_load_modules",) if node.core_database else ()
    return tuple(sorted((*_CONFIGURATIONS, *records, *early)))
