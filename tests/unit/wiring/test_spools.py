from __future__ import annotations

import base64
from pathlib import Path

from pydantic import SecretStr

from controlplane.base.ids import AccountId, CallId
from controlplane.settings import Settings
from controlplane.store.records import Record
from controlplane.store.spool import open_spool
from controlplane.store.vault import Vault
from controlplane.wiring.spools import AsideEntry, SpoolReport, WaitingSpool, look_at_spools

KEY = b"k" * 32


def record(seq: int) -> Record:
    return Record(AccountId("acc"), CallId("cs_1"), seq, 7, "LegEnded", "{}")


def test_an_operator_sees_what_waits_and_what_was_set_aside(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path, secret_key=SecretStr(base64.b64encode(KEY).decode()))
    assert look_at_spools(settings) == SpoolReport((), ())
    spool = open_spool(tmp_path / "spool", "one", Vault([KEY]), most_bytes=1 << 20)
    spool.set_aside([record(3)], [b"rubbish"])
    spool.emptied()
    spool.append([record(0), record(1)])
    assert look_at_spools(settings) == SpoolReport(
        (WaitingSpool("one", 2, spool.size_bytes, is_readable=True),),
        (
            AsideEntry("aside/one-1.entries", "cs_1", 3, "LegEnded", 7),
            AsideEntry("aside/one-1.entries", None, None, None, None),
        ),
    )
    spool.close()


def test_nothing_is_made_where_nothing_waits(tmp_path: Path) -> None:
    look_at_spools(Settings(data=tmp_path))
    assert list(tmp_path.iterdir()) == []
