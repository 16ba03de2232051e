"""What greenswitch does with a node: run as a program of its own, because gevent changes the whole process.

    python greenswitch_client.py HOST PORT SOUND

Signs in, subscribes, dials, waits for the parked leg, plays, hangs up, and prints one JSON object of what it saw.
"""

from __future__ import annotations

from gevent import monkey

monkey.patch_all()

import json  # noqa: E402
import sys  # noqa: E402

from gevent.event import Event  # noqa: E402
from greenswitch import InboundESL  # noqa: E402


def main(host: str, port: str, sound: str) -> None:
    link = InboundESL(host=host, port=int(port), password="ClueCon")
    link.connect()
    seen: list[str] = []
    parked, ended = Event(), Event()
    legs: list[str] = []

    def on_event(event: object) -> None:
        headers = event.headers  # type: ignore[attr-defined]
        name = headers.get("Event-Name", "")
        seen.append(f"{name} {headers.get('Application-Response', '')}".strip())
        if name == "CHANNEL_PARK":
            legs.append(headers["Unique-ID"])
            parked.set()
        if name == "CHANNEL_HANGUP_COMPLETE":
            ended.set()

    for name in ("CHANNEL_PARK", "CHANNEL_EXECUTE_COMPLETE", "CHANNEL_HANGUP_COMPLETE", "BACKGROUND_JOB"):
        link.register_handle(name, on_event)
    subscribed = link.send("EVENTS PLAIN ALL").headers["Reply-Text"]
    job = link.send(
        "bgapi originate {origination_uuid=0b000000-0000-4000-8000-000000000001}sofia/external/agent@h &park()"
    )
    parked.wait(60)
    message = f"sendmsg {legs[0]}\ncall-command: execute\nexecute-app-name: %s\nexecute-app-arg: %s\nevent-lock: true"
    link.send(message % ("playback", sound))
    link.send(message % ("hangup", "NORMAL_CLEARING"))
    ended.wait(60)
    status = link.send("api status").data
    link.stop()
    print(
        json.dumps(
            {"subscribed": subscribed, "job": job.headers["Reply-Text"][:13], "seen": seen, "status": status[:2]}
        )
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
