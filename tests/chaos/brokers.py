"""Message brokers for the worker, where a run wants one: Debian's Redis and RabbitMQ, on loopback."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from controlplane.cli.ports import free_ports
from controlplane.cli.processes import LineSink, port_answers
from tests.chaos.programs import Program

PACKAGES: Mapping[str, str] = {"redis": "redis-server", "rabbitmq": "rabbitmq-server"}  # Debian's, by kind
_RABBITMQ = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")  # the one on the PATH changes the user


def is_installed(kind: str) -> bool:
    """Say whether such a broker can be started here."""
    return _RABBITMQ.exists() if kind == "rabbitmq" else shutil.which("redis-server") is not None


@dataclass(frozen=True, slots=True)
class Broker:
    """One of them. `programs` are started in this order; the last one is the broker."""

    kind: str
    url: str
    programs: tuple[Program, ...]

    async def start(self) -> None:
        """Have it run; answers when it takes connections."""
        for program in self.programs:
            if not program.is_running:
                await program.start()

    def kill(self) -> None:
        """End it without a warning."""
        self.programs[-1].kill()

    @contextmanager
    def hanging(self) -> Iterator[None]:
        """Let it take connections and answer nothing, while the block runs."""
        self.programs[-1].signal_all(signal.SIGSTOP)
        try:
            yield
        finally:
            self.programs[-1].signal_all(signal.SIGCONT)

    async def stop(self) -> None:
        """End what was started for it."""
        for program in reversed(self.programs):
            await program.stop()


def new_broker(kind: str, folder: Path, sink: LineSink) -> Broker:
    """One that keeps its files in a new folder, and does not run yet."""
    folder.mkdir()
    return _new_rabbitmq(folder, sink) if kind == "rabbitmq" else _new_redis(folder, sink)


def _new_redis(folder: Path, sink: LineSink) -> Broker:
    [port] = free_ports(1)
    options = {"bind": "127.0.0.1", "port": str(port), "dir": str(folder), "save": "", "appendonly": "yes"}
    argv = ("redis-server", *(word for name, value in options.items() for word in (f"--{name}", value)))
    return Broker("redis", f"redis://127.0.0.1:{port}/0", (_listening("redis", argv, sink, port, {}),))


def _new_rabbitmq(folder: Path, sink: LineSink) -> Broker:
    port, distribution, names = free_ports(3)
    (folder / "plugins").write_text("[].")
    mapper = {"ERL_EPMD_PORT": str(names), "ERL_EPMD_ADDRESS": "127.0.0.1"}
    environment = {
        **mapper,
        "HOME": str(folder),
        "RABBITMQ_NODENAME": "chaos@localhost",
        "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
        "RABBITMQ_NODE_PORT": str(port),
        "RABBITMQ_DIST_PORT": str(distribution),
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
        "RABBITMQ_MNESIA_BASE": str(folder / "db"),
        "RABBITMQ_LOG_BASE": str(folder / "log"),
        "RABBITMQ_PID_FILE": str(folder / "pid"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
        "RABBITMQ_CONFIG_FILE": str(folder / "none"),
        "RABBITMQ_CONF_ENV_FILE": str(folder / "none"),
    }
    # Else RabbitMQ starts its name server itself, as a daemon that stays.
    epmd = _listening("epmd", ("epmd",), sink, names, mapper)
    rabbitmq = _listening("rabbitmq", (str(_RABBITMQ),), sink, port, environment)
    return Broker("rabbitmq", f"amqp://guest:guest@127.0.0.1:{port}//", (epmd, rabbitmq))


def _listening(name: str, argv: tuple[str, ...], sink: LineSink, port: int, environment: Mapping[str, str]) -> Program:
    return Program(name, argv, sink, environment, probe=port_answers("127.0.0.1", port))
