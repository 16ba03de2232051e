"""Secrets at rest: AES-256-GCM, bound to the row they belong to.

A sealed secret is 4 bytes that tell the key, 12 of nonce, then the ciphertext. `bound` (the row's id) must be the same
when it is opened, so that a secret copied into another row is of no use there.
"""

from __future__ import annotations

import base64
import binascii
import os
import secrets
from collections.abc import Sequence
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from tempfile import NamedTemporaryFile

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from controlplane.base.errors import CallplaneError

_KEY_BYTES, _NAME_BYTES, _NONCE_BYTES = 32, 4, 12


class SecretUnreadable(CallplaneError):
    """A stored secret cannot be read with the keys of this process."""

    slug = "secret-unreadable"


class BadKey(CallplaneError):
    """The secret key must be 32 bytes in base64."""

    slug = "bad-secret-key"


class Vault:
    """Seals with the first key, opens with any: to rotate, put the new key first."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        """`keys` are 32 bytes each, at least one; raises BadKey."""
        if not keys or any(len(key) != _KEY_BYTES for key in keys):
            raise BadKey
        self.current = _name(keys[0])  # what is sealed with the first key begins with this
        self._ciphers = {_name(key): AESGCM(key) for key in keys}

    def seal(self, secret: str, *, bound: str) -> bytes:
        """Encrypt a secret for the row `bound`."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed = self._ciphers[self.current].encrypt(nonce, secret.encode(), bound.encode())
        return self.current + nonce + sealed

    def open(self, sealed: bytes, *, bound: str) -> str:
        """Decrypt what was sealed for the row `bound`; raises SecretUnreadable."""
        name, rest = sealed[:_NAME_BYTES], sealed[_NAME_BYTES:]
        cipher = self._ciphers.get(name)
        if cipher is None:
            raise SecretUnreadable(bound=bound)
        try:
            return cipher.decrypt(rest[:_NONCE_BYTES], rest[_NONCE_BYTES:], bound.encode()).decode()
        except (InvalidTag, ValueError) as error:
            raise SecretUnreadable(bound=bound) from error


def parse_key(text: str) -> bytes:
    """Read a key as operators write it; raises BadKey."""
    try:
        key = base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise BadKey from error
    if len(key) != _KEY_BYTES:
        raise BadKey
    return key


def key_in(path: Path) -> bytes:
    """The key kept in a file, made where there is none; only its owner may read it. Raises BadKey."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        _make_key(path)
    return parse_key(path.read_text().strip())


def _make_key(path: Path) -> None:
    """Make a key unless somebody else does meanwhile: written beside its place, and put there whole."""
    with NamedTemporaryFile("w", dir=path.parent, prefix=f".{path.name}.") as file:
        file.write(base64.b64encode(secrets.token_bytes(_KEY_BYTES)).decode())
        file.flush()
        with suppress(FileExistsError):
            os.link(file.name, path)


def _name(key: bytes) -> bytes:
    return sha256(b"callplane vault" + key).digest()[:_NAME_BYTES]
