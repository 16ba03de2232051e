"""Where recordings are kept for good: a folder, or a bucket of an S3-compatible service, behind one seam."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

import obstore
from obstore.exceptions import BaseError, NotFoundError
from obstore.store import LocalStore, S3Store

from controlplane.base.errors import NotFound
from controlplane.files.errors import StorageUnavailable, disk_trouble
from controlplane.files.names import safe_name

if TYPE_CHECKING:  # obstore has these for type checkers only
    from obstore.store import ClientConfig, RetryConfig, S3Config

_CHUNK_BYTES = 256 << 10
_RETRY: RetryConfig = {"max_retries": 3, "retry_timeout": timedelta(seconds=20)}
_TIMES: ClientConfig = {"connect_timeout": timedelta(seconds=5), "timeout": timedelta(seconds=60)}


class Storage(Protocol):
    """Files by key: safe file names with slashes between. Everything raises StorageUnavailable."""

    async def put_file(self, key: str, path: Path) -> None:
        """Keep a copy of a file; one that was there is replaced. Whole or not at all."""
        ...

    async def get_file(self, key: str, path: Path) -> None:
        """Write a file into `path`, whole or not at all; raises NotFound."""
        ...

    def open_stream(self, key: str) -> AsyncIterator[bytes]:
        """A file in pieces, for answers to a download; raises NotFound with the first."""
        ...

    async def size(self, key: str) -> int:
        """How many bytes a file has; raises NotFound."""
        ...

    async def exists(self, key: str) -> bool:
        """Say whether there is such a file."""
        ...

    async def delete(self, key: str) -> None:
        """Remove a file; does nothing if there is none."""
        ...

    async def signed_url(self, key: str, expires_s: int) -> str | None:
        """A link by which anyone can download the file for a while, or None where the storage has no such links."""
        ...


@dataclass(frozen=True, slots=True)
class Bucket:
    """A bucket, or a part of one. `endpoint` None is Amazon's own; without keys those of the machine are used."""

    name: str
    prefix: str = ""
    endpoint: str | None = None
    region: str = "us-east-1"
    access_key: str | None = None
    secret_key: str | None = field(default=None, repr=False)


def parse_bucket(address: str) -> tuple[str, str] | None:
    """The name and prefix in `s3://name/prefix`, or None if it is no such address but a folder."""
    parts = urlsplit(address)
    if parts.scheme != "s3":
        return None
    if not parts.netloc:
        raise ValueError("an S3 address is s3://bucket or s3://bucket/prefix")
    return parts.netloc, parts.path.strip("/")


def storage_in_folder(folder: Path) -> Storage:
    """Keep files in a folder, which is made if it is not there."""
    return _ObjectStorage(LocalStore(folder, mkdir=True), None)


def storage_in_bucket(bucket: Bucket) -> Storage:
    """Keep files in a bucket."""
    config: S3Config = {"region": bucket.region}
    if bucket.endpoint is not None:
        config["endpoint"] = bucket.endpoint
    if bucket.access_key and bucket.secret_key:
        config |= {"access_key_id": bucket.access_key, "secret_access_key": bucket.secret_key}
    is_plain = (bucket.endpoint or "").startswith("http://")
    store = S3Store(
        bucket.name, prefix=bucket.prefix or None, config=config, retry_config=_RETRY,
        client_options=_TIMES | {"allow_http": is_plain},
    )  # fmt: skip
    return _ObjectStorage(store, store)


class _ObjectStorage:
    """See Storage."""

    def __init__(self, store: LocalStore | S3Store, signer: S3Store | None) -> None:
        self._store, self._signer = store, signer

    async def put_file(self, key: str, path: Path) -> None:
        with _our_errors():
            await obstore.put_async(self._store, _checked(key), path)

    async def get_file(self, key: str, path: Path) -> None:
        handle, partial = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                async for piece in self.open_stream(key):
                    with disk_trouble("a recording cannot be written"):
                        await asyncio.to_thread(file.write, piece)
            os.replace(partial, path)
        except BaseException:
            os.unlink(partial)
            raise

    async def open_stream(self, key: str) -> AsyncIterator[bytes]:
        with _our_errors():
            result = await obstore.get_async(self._store, _checked(key))
            async for piece in result.stream(min_chunk_size=_CHUNK_BYTES):
                yield bytes(piece)

    async def size(self, key: str) -> int:
        with _our_errors():
            return (await obstore.head_async(self._store, _checked(key)))["size"]

    async def exists(self, key: str) -> bool:
        try:
            await self.size(key)
        except NotFound:
            return False
        return True

    async def delete(self, key: str) -> None:
        try:
            with _our_errors():
                await obstore.delete_async(self._store, _checked(key))
        except NotFound:
            return

    async def signed_url(self, key: str, expires_s: int) -> str | None:
        if self._signer is None:
            return None
        with _our_errors():
            return await obstore.sign_async(self._signer, "GET", _checked(key), timedelta(seconds=expires_s))


def _checked(key: str) -> str:
    return "/".join(safe_name(part) for part in key.split("/"))


@contextmanager
def _our_errors() -> Iterator[None]:
    try:
        yield
    except (NotFoundError, FileNotFoundError) as error:
        raise NotFound("there is no such file") from error
    except (BaseError, OSError) as error:
        raise StorageUnavailable(f"the storage failed: {type(error).__name__}") from error
