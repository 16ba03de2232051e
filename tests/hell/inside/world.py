"""A network of our own, in which every address there is leads to this machine and to nothing else.

In it a listener on all addresses is a canary for whatever a URL may point to: loopback in all spellings, private
networks, link-local, metadata services, addresses that carry others. Names are what our own name server says. Made of
Linux namespaces, for which one has to be root (network_namespaces(7), ip-route(8) `local`).
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

PUBLIC = "93.184.215.14"  # any address that is on the public internet, outside
METADATA = ("169.254.169.254", "fd00:ec2::254")
_SET_UP = """
ip link set lo up
ip addr add {public}/32 dev lo
ip addr add 169.254.169.254/32 dev lo
ip -6 addr add fd00:ec2::254/128 dev lo
ip route add local default dev lo
ip -6 route add local default dev lo
mount --bind {folder}/resolv.conf /etc/resolv.conf
mount --bind {folder}/hosts /etc/hosts
exec "$@"
"""


@cache
def why_not() -> str | None:
    """Why there can be no such world on this machine, or None."""
    if os.geteuid() != 0:
        return "a network of our own needs root"
    missing = [name for name in ("unshare", "ip", "mount") if shutil.which(name) is None]
    if missing:
        return f"a network of our own needs {', '.join(missing)} (Debian: util-linux, iproute2)"
    tried = subprocess.run(["unshare", "--net", "--mount", "ip", "link", "set", "lo", "up"], capture_output=True)
    return None if tried.returncode == 0 else "a network of our own needs Linux namespaces"


def run_there(folder: Path, module: str, *arguments: str, timeout_s: float) -> str:
    """Run a module of ours in such a world, with proxies in its environment that nobody may use; answers its output."""
    (folder / "resolv.conf").write_text("nameserver 127.0.0.1\noptions timeout:1 attempts:1\n")
    (folder / "hosts").write_text("127.0.0.1 localhost\n::1 localhost\n")
    script = "set -e" + _SET_UP.format(public=PUBLIC, folder=folder)
    command = ["unshare", "--net", "--mount", "sh", "-c", script, "sh", sys.executable, "-m", module, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=timeout_s)
    assert done.returncode == 0, f"{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
    return done.stdout
