"""Records of a spool held against journals that change meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from psycopg import AsyncConnection

from controlplane.store.replaying import replay_spool
from controlplane.store.spool import open_spool
from controlplane.store.writing import write_records
from tests.postgres.sample import VAULT, call_in_shard, entry, offered, rows


class Interrupted(AsyncConnection[Any]):
    """A connection on which others get ahead of the second thing that it reads."""

    get_ahead: Callable[[], object]
    asked = 0

    def cursor(self, *args: Any, **kwargs: Any) -> Any:
        self.asked += 1
        if self.asked == 3:
            self.get_ahead()
        return super().cursor(*args, **kwargs)


async def test_what_was_cut_off_and_is_committed_all_the_same_is_no_conflict(url: str, tmp_path: Path) -> None:
    call = call_in_shard(1)
    records = [offered(call), *(entry(call, seq) for seq in (1, 2))]
    spool = open_spool(tmp_path, "one", VAULT, most_bytes=1 << 20)
    spool.append(records)
    cut_off = await AsyncConnection.connect(url)
    await cut_off.execute("SELECT 1")  # so that what is written now is committed later
    await write_records(cut_off, records[:2])
    connection = await Interrupted.connect(url, autocommit=True)
    connection.get_ahead = partial(cut_off.pgconn.exec_, b"COMMIT")

    lost = await replay_spool(connection, spool, lambda _what, _number: None)

    assert lost == frozenset()
    assert rows(url, "SELECT seq FROM journal ORDER BY seq") == [{"seq": 0}, {"seq": 1}, {"seq": 2}]
    await connection.close()
    await cut_off.close()
    spool.close()
