"""Where a process finds what the settings leave open: folders below the data folder, keys, addresses of nodes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

from controlplane.base.errors import BadInput
from controlplane.esl.errors import UnsafeValue
from controlplane.esl.sip_uri import Hop, parse_hop
from controlplane.esl.values import NodeFile
from controlplane.settings import Settings
from controlplane.store.embedded import running_in
from controlplane.store.vault import Vault, key_in, parse_key

_LONGEST_NAME = "n" * 80  # of a file of ours


@dataclass(frozen=True, slots=True)
class NodeAddress:
    """A media node's event socket."""

    name: str
    host: str
    port: int


def nodes_of(settings: Settings) -> list[NodeAddress]:
    """The media nodes named in CALLPLANE_NODES; raises BadInput."""
    nodes = []
    for text in filter(None, (part.strip() for part in settings.nodes.split(","))):
        name, equals, address = text.partition("=")
        host, colon, port = address.rpartition(":")
        if not (name and equals and host and colon and port.isdecimal()):
            raise BadInput(f"CALLPLANE_NODES: {text!r} is not name=host:port")
        nodes.append(NodeAddress(name, host, int(port)))
    if len({node.name for node in nodes}) != len(nodes):
        raise BadInput("CALLPLANE_NODES names a node twice")
    return nodes


def gateway_of(settings: Settings) -> Hop | None:
    """Where calls to numbers go, None where nothing is set; raises UnsafeValue."""
    return parse_hop(settings.gateway) if settings.gateway else None


def vault_of(settings: Settings) -> Vault:
    """What encrypts secrets at rest."""
    return Vault(secret_keys_of(settings))


def secret_keys_of(settings: Settings) -> list[bytes]:
    """The platform's keys, the current one first; without one in the settings it is kept in the data folder."""
    if settings.secret_key is not None:
        return [parse_key(text.strip()) for text in settings.secret_key.get_secret_value().split(",")]
    return [key_in(settings.data / "secret.key")]


def database_url_of(settings: Settings) -> str:
    """The database's address; raises BadInput where none is set (`callplane up` brings one)."""
    if settings.database_url is None:
        raise BadInput("CALLPLANE_DATABASE_URL is not set: name a PostgreSQL, or use `callplane up`, which brings one")
    return settings.database_url.get_secret_value()


def prompts_folder(settings: Settings) -> Path:
    """Where prompts lie on this machine; raises BadInput if a media node could not be told of files there."""
    return _playable("CALLPLANE_PROMPTS", settings.prompts or settings.data / "prompts")


def recordings_folder(settings: Settings) -> Path:
    """Where media nodes record into, seen from this machine; raises BadInput as above."""
    return _playable("CALLPLANE_RECORDINGS", settings.recordings or settings.data / "recordings")


def _playable(variable: str, folder: Path) -> Path:
    """Every call would fail later, one by one, if FreeSWITCH could not be given the path of a file there."""
    folder = folder.absolute()
    try:
        NodeFile(f"{folder}/{_LONGEST_NAME}.wav")
    except UnsafeValue as error:
        raise BadInput(
            f"FreeSWITCH cannot be given files in {folder}: set CALLPLANE_DATA or {variable} to a folder whose path has"
            " nothing but letters of ASCII, digits and . _ - /, and is not long"
        ) from error
    return folder


def with_running_database(settings: Settings) -> Settings:
    """The same settings, with the embedded database of the data folder where none is named and one runs there."""
    if settings.database_url is not None:
        return settings
    running = running_in(settings.data / "postgresql")
    if running is None:
        return settings
    return settings.model_copy(update={"database_url": SecretStr(running.url)})
