"""Whether addresses can be reached, and ports taken: the network half of `callplane doctor`."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from urllib.parse import SplitResult, urlsplit

from controlplane.cli.checks import Check, State
from controlplane.settings import Settings

CONNECT_TIMEOUT_S = 3
_DEFAULT_PORTS = {"postgresql": 5432, "postgres": 5432, "redis": 6379, "rediss": 6379, "amqp": 5672, "amqps": 5671}


def metrics_ports(settings: Settings) -> dict[str, int]:
    """Where the processes that `up` starts serve their metrics, by name: each has a port of its own, 0 for none."""
    first = settings.metrics_port
    return {name: first and first + at for at, name in enumerate(("calls", "worker", "api", "emulator"))}


def check_ports(settings: Settings) -> Iterator[Check]:
    """The ports that `up` listens on: the API's (from the public URL) and the metrics'."""
    address = urlsplit(settings.public_url)
    yield _check_port("API", _port_of(address) or (443 if address.scheme == "https" else 80))
    for name, port in metrics_ports(settings).items():
        if port:
            yield _check_port(f"metrics ({name})", port)


def check_reachable(settings: Settings) -> Iterator[Check]:
    """Database, broker and media nodes, each only where it is configured. Passwords are not tried."""
    if settings.database_url is not None:
        yield _check_url("database", settings.database_url.get_secret_value(), "CALLPLANE_DATABASE_URL")
    if settings.broker_url is not None:
        yield _check_url("broker", settings.broker_url.get_secret_value(), "CALLPLANE_BROKER_URL")
    for item in filter(None, (item.strip() for item in settings.nodes.split(","))):
        yield _check_node(item)


def _check_port(name: str, port: int) -> Check:
    title = f"{name} port"
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except PermissionError:
            return Check(title, State.MISSING, f"{port} needs root", "choose a port from 1024 up")
        except OSError:
            return Check(title, State.MISSING, f"{port} is taken", "stop what has it, or choose another port")
    return Check(title, State.OK, f"{port} is free")


def _check_url(name: str, url: str, variable: str) -> Check:
    """Say whether something listens where a URL points. The URL itself is never shown: it may hold a password."""
    try:
        parts = urlsplit(url)
        port = parts.port or _DEFAULT_PORTS.get(parts.scheme)
    except ValueError:
        return Check(name, State.MISSING, "not a URL", f"correct {variable}")
    if not parts.hostname or not port:
        return Check(name, State.NOTE, "no host and port in the URL: not tried", f"see {variable}")
    return _check_address(name, parts.hostname, port, f"start it, or correct {variable}")


def _check_node(item: str) -> Check:
    label, _, address = item.rpartition("=")
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit():
        return Check("media node", State.MISSING, f"{item} is not name=host:port", "correct CALLPLANE_NODES")
    remedy = "start it, or correct CALLPLANE_NODES; its event socket must let this machine in"
    return _check_address(f"media node {label or address}", host.strip("[]"), int(port), remedy)


def _check_address(name: str, host: str, port: int, remedy: str) -> Check:
    shown = f"{host}:{port}"
    try:
        socket.create_connection((host, port), timeout=CONNECT_TIMEOUT_S).close()
    except OSError as error:
        return Check(name, State.MISSING, f"{shown} does not answer ({error.strerror or error})", remedy)
    return Check(name, State.OK, f"{shown} answers")


def _port_of(address: SplitResult) -> int | None:
    try:
        return address.port
    except ValueError:
        return None
