"""TLS towards tenants: certificates are always verified, by the system's authorities and the operator's own."""

from __future__ import annotations

import ssl
from ipaddress import ip_address
from pathlib import Path
from typing import Any

_HOSTNAME_MISMATCH = 62  # X509_V_ERR_HOSTNAME_MISMATCH


def verifying_context(authorities: Path | None) -> ssl.SSLContext:
    """The context of ordinary connections. `authorities` is a PEM file of more authorities to trust."""
    context = ssl.create_default_context()
    return _finished(context, authorities)


def silent_context(authorities: Path | None) -> ssl.SSLContext:
    """A context that names no server in its hello (`#sni=n`) and verifies the name in the certificate all the same."""
    context = _SilentContext(ssl.PROTOCOL_TLS_CLIENT)
    # OpenSSL ties its own name check to sending the name, so `_SilentObject` does it.
    context.check_hostname = False
    context.verify_mode = ssl.CERT_REQUIRED
    context.sslobject_class = _SilentObject
    context.load_default_certs()
    return _finished(context, authorities)


def _finished(context: ssl.SSLContext, authorities: Path | None) -> ssl.SSLContext:
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    if authorities is not None:
        context.load_verify_locations(cafile=authorities)
    return context


class _SilentObject(ssl.SSLObject):
    expected_host = ""

    def do_handshake(self) -> None:
        super().do_handshake()
        certificate = self.getpeercert() or {}
        if not _names_host(certificate, self.expected_host):
            error = ssl.SSLCertVerificationError(1, "certificate is for another host")
            error.verify_code, error.verify_message = _HOSTNAME_MISMATCH, "Hostname mismatch"
            raise error


class _SilentContext(ssl.SSLContext):
    def wrap_bio(
        self,
        incoming: ssl.MemoryBIO,
        outgoing: ssl.MemoryBIO,
        server_side: bool = False,  # noqa: FBT001 - the library's own signature
        server_hostname: str | bytes | None = None,
        session: ssl.SSLSession | None = None,
    ) -> ssl.SSLObject:
        wrapped = super().wrap_bio(incoming, outgoing, server_side, None, session)
        assert isinstance(wrapped, _SilentObject)
        wrapped.expected_host = str(server_hostname)
        return wrapped


def _names_host(certificate: Any, host: str) -> bool:
    """RFC 9525: the subjectAltName decides; a wildcard stands for one whole label, and not below a top-level domain."""
    names: tuple[tuple[str, str], ...] = certificate.get("subjectAltName", ())
    try:
        address = ip_address(host)
    except ValueError:
        wanted = host.lower().removesuffix(".")
        parent = wanted.partition(".")[2]
        patterns = {name.lower() for kind, name in names if kind == "DNS"}
        return wanted in patterns or ("." in parent and f"*.{parent}" in patterns)
    return any(kind == "IP Address" and ip_address(name) == address for kind, name in names)
