"""From the HTTP library's exceptions to the reference's error numbers."""

from __future__ import annotations

import socket
import ssl

import aiohttp

from controlplane.hooks.errors import Code, HookError
from controlplane.hooks.guard import AddressRefused
from controlplane.hooks.overrides import RetryOn

# OpenSSL's X509_V_ERR_*: x509_vfy.h
_NAME_MISMATCH = (62, 64)  # HOSTNAME_MISMATCH, IP_ADDRESS_MISMATCH
_OUT_OF_DATE = (9, 10)  # CERT_NOT_YET_VALID, CERT_HAS_EXPIRED


class Dropped(aiohttp.ClientError):
    """The connection ended before any of the answer came; `__cause__` says how."""


class TooMuch(aiohttp.ClientPayloadError):
    """The server said far more than its answer can need."""


def fault_of(error: Exception) -> HookError:
    """Say what an exception of aiohttp means to a tenant. Texts name no address, no path and no query."""
    match error:
        case Dropped():
            return HookError(Code.CONNECTION_FAILURE, "the server closed the connection without an answer")
        case aiohttp.ClientConnectorDNSError():
            return _lookup_fault(error.os_error)
        case aiohttp.ClientConnectorCertificateError():
            return _certificate_fault(error.certificate_error)
        case aiohttp.ClientConnectorSSLError():
            return HookError(Code.TLS_HANDSHAKE, f"TLS handshake failed: {_reason_of(error.os_error)}")
        case aiohttp.ConnectionTimeoutError():
            return HookError(Code.CONNECTION_FAILURE, "no connection in time")
        case aiohttp.ClientConnectorError():
            return _connect_fault(error.os_error)
        case aiohttp.ServerTimeoutError():
            return HookError(Code.CONNECTION_FAILURE, "the server was silent for too long")
        case aiohttp.ClientResponseError():
            return HookError(Code.PROTOCOL_VIOLATION, "the answer is not HTTP/1.1")
        case TooMuch():
            return HookError(Code.PROTOCOL_VIOLATION, "the server sent far more than the content of its answer")
        case aiohttp.ClientPayloadError():
            return HookError(Code.PROTOCOL_VIOLATION, "the body is not as long or not formed as the header says")
        case aiohttp.InvalidURL():
            return HookError(Code.BAD_HOST, "the URL's host is not a host name")
    return HookError(Code.CONNECTION_FAILURE, "the connection broke")


def retry_class_of(error: Exception) -> RetryOn | None:
    """Say which retry policy an exception falls under: one of the connection's, one of reading's, or none."""
    match error:
        case aiohttp.ClientConnectorDNSError():
            is_passing = isinstance(error.os_error, socket.gaierror) and error.os_error.errno == socket.EAI_AGAIN
            return RetryOn.CONNECT if is_passing else None
        case aiohttp.ClientConnectorCertificateError() | aiohttp.ClientConnectorSSLError():
            return None
        case aiohttp.ClientConnectorError():
            return None if isinstance(error.os_error, AddressRefused) else RetryOn.CONNECT
        case aiohttp.ConnectionTimeoutError():
            return RetryOn.CONNECT
        case aiohttp.ServerTimeoutError() | Dropped():
            return RetryOn.READ
    return None


def _lookup_fault(error: OSError) -> HookError:
    if isinstance(error, AddressRefused):
        return HookError(Code.BAD_HOST, str(error))
    return HookError(Code.BAD_HOST, "the host name does not resolve")


def _connect_fault(error: OSError) -> HookError:
    if isinstance(error, AddressRefused):
        return HookError(Code.BAD_HOST, str(error))
    if isinstance(error, ConnectionRefusedError):
        return HookError(Code.CONNECTION_FAILURE, "the server refused the connection")
    return HookError(Code.CONNECTION_FAILURE, "no connection to the server")


def _certificate_fault(error: Exception) -> HookError:
    number = getattr(error, "verify_code", None)
    problem = f"certificate refused: {getattr(error, 'verify_message', '') or 'not trusted'}"
    if number in _NAME_MISMATCH:
        return HookError(Code.CERTIFICATE_HOST, "certificate refused: it is for another host")
    return HookError(Code.CERTIFICATE_EXPIRED if number in _OUT_OF_DATE else Code.CERTIFICATE_CHAIN, problem)


def _reason_of(error: OSError) -> str:
    reason = error.reason if isinstance(error, ssl.SSLError) else None
    return reason.lower().replace("_", " ") if reason else "no common ground"
