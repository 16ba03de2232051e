"""The certificate that the media nodes of a developer's machine show where DTLS is asked of them.

A FreeSWITCH that finds none makes two at its first start: RSA of 4096 bits, seconds of a core each, and at real-time
priority, so that other nodes on the machine, and the talks on them, stand still meanwhile (switch_core_media.c:14193,
switch_msrp.c:199, switch_core.c:1076). One is made ahead, once for a user, at the priority of everyone.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

from controlplane.cli.write_files import write_files
from controlplane.render import RenderedFile

# Shorter ones are made anew by FreeSWITCH (switch_core_cert.c:374).
_BITS = 4096
_DAYS = 36500
_KEPT = "media-node.pem"
_NAMES = ("dtls-srtp.pem", "wss.pem")


def lend_certificate(certs: Path) -> None:
    """Put the user's certificate where a node looks for its own, unless it has one.

    Where nothing can be kept for the user, nothing is lent: the node makes its own.
    """
    missing = [name for name in _NAMES if not (certs / name).exists()]
    if missing and (text := _kept()) is not None:
        write_files(certs, [RenderedFile(name, text, is_secret=True) for name in missing])


def _kept() -> str | None:
    try:
        folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "callplane")
        path = folder / _KEPT
        if not path.exists():
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_files(folder, [RenderedFile(_KEPT, _made(), is_secret=True)])
        return path.read_text("ascii")
    except (OSError, RuntimeError):  # no home, or none that can be written
        return None


def _made() -> str:
    """A key and a certificate that it has signed itself, as FreeSWITCH reads them (PEM, the key first)."""
    # Hardly ever needed, and slow to import.
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import rsa
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    key = rsa.generate_private_key(public_exponent=65537, key_size=_BITS)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "callplane media node")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=_DAYS))
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return (secret + certificate.public_bytes(Encoding.PEM)).decode("ascii")
