"""The certificate that media nodes of one user share."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509 import load_pem_x509_certificate

from controlplane.cli import certificates
from controlplane.cli.certificates import lend_certificate

NAMES = ("dtls-srtp.pem", "wss.pem")


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where what is kept for the user lies."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "callplane"


def a_folder(path: Path) -> Path:
    path.mkdir()
    return path


@pytest.fixture
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys too short for FreeSWITCH, but made at once."""
    monkeypatch.setattr(certificates, "_BITS", 1024)


def test_what_freeswitch_would_make_itself_is_there_before_it_looks(cache: Path, tmp_path: Path) -> None:
    certs = a_folder(tmp_path / "certs")
    lend_certificate(certs)
    first, second = ((certs / name).read_bytes() for name in NAMES)
    key, certificate = load_pem_private_key(first, None), load_pem_x509_certificate(first)
    assert first == second
    assert isinstance(key, RSAPrivateKey)
    assert key.key_size == 4096
    assert certificate.public_key() == key.public_key()
    certificate.verify_directly_issued_by(certificate)
    assert certificate.not_valid_before_utc < datetime.now(UTC)
    assert certificate.not_valid_after_utc > datetime.now(UTC) + timedelta(days=365)
    assert {path.stat().st_mode & 0o777 for path in [*certs.iterdir(), *cache.iterdir()]} == {0o600}


@pytest.mark.usefixtures("cache", "quickly")
def test_the_nodes_of_a_user_share_one(tmp_path: Path) -> None:
    folders = [a_folder(tmp_path / name) for name in ("first", "second")]
    for certs in folders:
        lend_certificate(certs)
    assert len({(certs / name).read_text() for certs in folders for name in NAMES}) == 1


@pytest.mark.usefixtures("cache", "quickly")
def test_a_nodes_own_stays(tmp_path: Path) -> None:
    certs = a_folder(tmp_path / "certs")
    (certs / "wss.pem").write_text("its own")
    lend_certificate(certs)
    assert (certs / "wss.pem").read_text() == "its own"
    assert (certs / "dtls-srtp.pem").exists()


def test_without_a_place_to_keep_one_the_node_makes_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    certs = a_folder(tmp_path / "certs")
    lend_certificate(certs)
    assert list(certs.iterdir()) == []
