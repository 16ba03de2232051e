"""A run that never was, in which nothing was lost: rows by the engine's own writer, logs made up to agree with them.

    +15550000001 is answered, and Dial rings +15559000001     +15550000003 is refused while nobody was there
    +15550000002 finds it busy                                +15550000004 talks on m2, which dies
    the API dials +15559000002, which answers

Tests change one thing in it and look whether the ledger says so.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, LiteralString

import psycopg

from controlplane.base.ids import CallId, leg_of_call, sid_of
from controlplane.hooks.messages import EventContent
from controlplane.services.apps import AppDraft, create_app
from controlplane.services.deliver import record_attempt, take_due_deliveries
from controlplane.services.schedule import Attempt
from controlplane.store.database import Database
from controlplane.store.journal import Recorder
from controlplane.tasks.deliveries import content_of
from controlplane.verbs.documents import Link
from tests.postgres.ledger.cast import (
    BEGAN_S,
    BUSY,
    CALLED_BACK,
    DID,
    DIED_S,
    HOOK,
    LOST,
    NEVER,
    PLACED,
    REFUSED,
    RUNG,
    SHOWN,
    TALKS,
)
from tests.postgres.ledger.journals import Writer, b_leg_of, busy, lost, placed, talking
from tests.postgres.ledger.log_lines import dialog, placement, plan, record
from tests.postgres.sample import VAULT, call_in_shard, new_account


@dataclass(slots=True)
class Scene:
    """The sources, to be changed before `write`. `calls` and `legs` are known by the person's number."""

    folder: Path
    connection: psycopg.Connection[Any]
    calls: dict[str, CallId] = field(default_factory=dict)
    run: dict[str, Any] = field(default_factory=dict)
    dialogs: dict[str, dict[str, Any]] = field(default_factory=dict)
    records: dict[str, dict[str, Any]] = field(default_factory=dict)
    webhooks: list[dict[str, Any]] = field(default_factory=list)
    placements: list[dict[str, Any]] = field(default_factory=list)
    plans: dict[str, dict[str, Any]] = field(default_factory=dict)
    commands: list[dict[str, Any]] = field(default_factory=list)

    def sql(self, statement: LiteralString, **values: object) -> None:
        """Change something in the database, for this test only."""
        self.connection.execute(statement, values)

    def uuid(self, number: str) -> str:
        """The A-leg of this person's call."""
        return leg_of_call(self.calls[number])

    def events(self, number: str) -> list[dict[str, Any]]:
        """The requests that told events of this person's call, to be changed in place."""
        call = self.calls[number]
        return [line for line in self.webhooks if line["path"] == "/events" and line["body"]["call_id"] == call]

    def callbacks(self) -> list[dict[str, Any]]:
        """The requests that were status callbacks."""
        return [line for line in self.webhooks if line["path"] == "/events/status"]

    def write(self) -> None:
        """Put the logs where the ledger looks."""
        (self.folder / "run.json").write_text(json.dumps(self.run))
        _write_lines(self.folder / "callers.jsonl", [*self.dialogs.values()])
        _write_lines(self.folder / "webhooks.jsonl", self.webhooks)
        _write_lines(self.folder / "placements.jsonl", self.placements)
        _write_lines(self.folder / "plans.jsonl", [*self.plans.values()])
        _write_lines(self.folder / "commands.jsonl", self.commands)
        for name, told in self.records.items():
            folder = self.folder / "node" / told["switchname"]
            folder.mkdir(parents=True, exist_ok=True)
            (folder / f"{name}.cdr.json").write_text(json.dumps(told) + "\n")


async def fill(db: Database, recorder: Recorder, scene: Scene) -> None:
    """Make a run in which all is well, in an empty database and an empty scene."""
    account = await new_account(db)
    async with db.transaction() as tx:
        app = await create_app(tx, account, AppDraft("App", Link("http://app/flow"), webhook_url=HOOK))
    scene.run = {
        "run": "made-up", "fault": "node-sigkill", "began_at": BEGAN_S, "fault_at": DIED_S, "healed_at": DIED_S + 5,
        "dead_nodes": ["m2"], "unavailable": [[DIED_S, DIED_S + 5]], "unwritable": [[DIED_S, DIED_S + 5]],
    }  # fmt: skip
    _add_people(scene)
    for number, writer in ((TALKS, talking), (BUSY, busy), (LOST, lost), (PLACED, placed)):
        call = scene.calls[number] = call_in_shard(len(scene.calls))
        await recorder.submit(writer(Writer(account, call, app.app_id)).records)
    _add_records(scene)
    scene.placements = [
        placement(PLACED, 0.0, 201, call=scene.calls[PLACED]),
        placement("+15559000099", 31.0, 503, retry_after="5"),
    ]
    _add_plans(scene)
    scene.webhooks = [*await _deliver_all(db), *_asked(scene)]


def _add_people(scene: Scene) -> None:
    """Who noticed what, in seconds after the run began."""
    scene.dialogs = {
        TALKS: dialog(TALKS, DID, 0.0, 0.5, 10.0),
        BUSY: dialog(BUSY, DID, 1.0, None, 1.5, final_status=486),
        REFUSED: dialog(REFUSED, DID, 32.0, None, 32.5, final_status=503),
        LOST: dialog(LOST, DID, 20.0, 20.5, 30.1, node="m2"),
        RUNG: dialog(TALKS, RUNG, 1.1, 3.0, 8.0, role="callee", ringing_at=BEGAN_S + 1.5),
        PLACED: dialog(SHOWN, PLACED, 0.2, 2.0, 9.0, role="callee", ringing_at=BEGAN_S + 0.8),
    }


def _add_plans(scene: Scene) -> None:
    """Who was to call. BUSY was not: somebody else's telephone, as it were."""
    scene.plans = {
        TALKS: plan(TALKS, "caller", 0.0, "/app", "/app/done", rings=RUNG, is_recorded=True, calls_back=CALLED_BACK),
        REFUSED: plan(REFUSED, "caller", 32.0, "/app"),
        LOST: plan(LOST, "caller", 20.0, "/app"),
        PLACED: plan(PLACED, "callee", 0.0, "/app"),
        NEVER: plan(NEVER, "caller", 33.0, "/app"),
    }
    scene.sql(_RECORDING, call=scene.uuid(TALKS))
    scene.connection.commit()


_RECORDING: LiteralString = """
    INSERT INTO recordings (recording_id, account_id, call_id, leg, created_at, channels, is_trimmed, source, state,
        node, duration_ms)
    SELECT gen_random_uuid(), account_id, call_id, call_id, now(), 1, false, 'RecordVerb', 'completed', 'm1', 1500
    FROM calls WHERE call_id = %(call)s
"""


def _asked(scene: Scene) -> list[dict[str, Any]]:
    """Documents that were asked for, as the tenant's server would have written it down."""
    asked = [(TALKS, "/app"), (TALKS, "/app/done"), (LOST, "/app"), (PLACED, "/app")]
    return [
        {"at": BEGAN_S, "path": path, "headers": {}, "answered": 200, "body": {"CallSid": sid_of("CA", call)}}
        for call, path in ((leg_of_call(scene.calls[number]), path) for number, path in asked)
    ]


def _add_records(scene: Scene) -> None:
    for number in (TALKS, BUSY, PLACED):
        scene.records[number] = record(scene.uuid(number), scene.dialogs[number])
    scene.records[RUNG] = record(b_leg_of(scene.calls[TALKS]), scene.dialogs[RUNG])
    scene.records[REFUSED] = record("0b000000-0000-4000-8000-000000000003", scene.dialogs[REFUSED])


async def _deliver_all(db: Database) -> list[dict[str, Any]]:
    """Let the engine deliver to nobody; answers what the tenant's server would have written down."""
    lines: list[dict[str, Any]] = []
    while True:
        async with db.transaction() as tx:
            due = await take_due_deliveries(tx, VAULT)
            for delivery in due:
                content = content_of(delivery)
                line: dict[str, Any] = {"at": BEGAN_S + len(lines) / 100, "answered": 204}
                if isinstance(content, EventContent):
                    headers = {"X-Teler-Event-Id": content.event_id}
                    line |= {"path": "/events", "headers": headers, "body": json.loads(content.body)}
                else:
                    headers = {"i-twilio-idempotency-token": content.idempotency_token}
                    line |= {"path": "/events/status", "headers": headers, "body": dict(content.parameters)}
                lines.append(line)
                await record_attempt(tx, delivery, Attempt(204, None, 1))
        if not due:
            return lines


def _write_lines(path: Path, lines: list[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
