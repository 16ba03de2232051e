"""A tenant's application for tests: a real HTTP server that serves the pages of a case and logs what it was asked.

A page is the text of a document, or a mapping: `body`, `type` (Content-Type), `status`, `delay_s`, `location`,
`close_after` (bytes of the body after which the connection is cut), `encoding`, `repeat` (how often the body is sent),
`audio` (the name of a sound). A list of pages answers one request after another; its last goes on for ever. A page
named `/path?Name=value` answers where the request has that parameter.
"""

from __future__ import annotations

import hmac
import threading
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl

from twilio.request_validator import RequestValidator

from tests.acceptance.sounds import audio_file

XML = "text/xml; charset=utf-8"
_TAKEN = {"status": 204}  # callbacks and events: nothing to answer
_MISSING = {"status": 404, "body": "nothing here", "type": "text/plain"}


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as it came. `is_signed` says whether the signature holds under the tenant's token."""

    method: str
    path: str
    parameters: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    is_signed: bool


@dataclass(slots=True)
class Application:
    """The server. `log` is in the order of arrival."""

    pages: Mapping[str, Any]
    token: str = ""
    log: list[Asked] = field(default_factory=list)
    _answered: Counter[str] = field(default_factory=Counter)
    _server: ThreadingHTTPServer = field(init=False)

    def __post_init__(self) -> None:
        self._server = _QuietServer(("127.0.0.1", 0), partial(_Handler, self))
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def url(self) -> str:
        """Its address, without a slash at the end."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def page(self, method: str, path: str, parameters: Mapping[str, str]) -> Mapping[str, Any]:
        """What is answered now."""
        name = next((one for one in self.pages if "?" in one and _fits(one, path, parameters)), path)
        pages = self.pages.get(name, _TAKEN if method == "POST" else _MISSING)
        if isinstance(pages, list):
            pages = pages[min(self._answered[name], len(pages) - 1)]
        self._answered[name] += 1
        return pages if isinstance(pages, Mapping) else {"body": pages}

    def is_signed(self, uri: str, headers: Mapping[str, str], form: Mapping[str, str], body: bytes) -> bool:
        """Ask the official validator; events are signed in another way."""
        if "x-teler-signature" in headers:
            text = headers["x-teler-timestamp"].encode() + b"." + body
            signature = hmac.new(self.token.encode(), text, "sha256").hexdigest()
            return hmac.compare_digest(signature, headers["x-teler-signature"])
        signature = headers.get("x-twilio-signature", "")
        return bool(RequestValidator(self.token).validate(self.url + uri, dict(form), signature))


def _fits(name: str, path: str, parameters: Mapping[str, str]) -> bool:
    wanted_path, _, query = name.partition("?")
    return wanted_path == path and all(parameters.get(key) == value for key, value in parse_qsl(query, True))


class _QuietServer(ThreadingHTTPServer):
    request_queue_size = 100

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients come and go as they like."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def __init__(self, application: Application, *arguments: Any) -> None:
        self._application = application
        super().__init__(*arguments)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        is_form = self.headers.get_content_type() == "application/x-www-form-urlencoded"
        self._answer(body, dict(parse_qsl(body.decode(), True)) if is_form else {})

    def do_GET(self) -> None:
        self._answer(b"", {})

    do_HEAD = do_GET

    def _answer(self, body: bytes, form: dict[str, str]) -> None:
        path, _, query = self.path.partition("?")
        parameters = {**dict(parse_qsl(query, True)), **form}
        headers = {name.lower(): value for name, value in self.headers.items()}
        is_signed = self._application.is_signed(self.path, headers, form, body)
        self._application.log.append(Asked(self.command, path, parameters, headers, body, is_signed))
        page = self._application.page(self.command, path, parameters)
        time.sleep(float(page.get("delay_s", 0)))
        try:
            self._send(page)
        except OSError:
            self.close_connection = True

    def _send(self, page: Mapping[str, Any]) -> None:
        text = str(page.get("body", "")).replace("{app}", self._application.url) * int(page.get("repeat", 1))
        data, kind = text.encode(page.get("encoding", "utf-8")), page.get("type", XML)
        if "audio" in page:
            data, kind = audio_file(page["audio"])
        self.send_response(int(page.get("status", 200)))
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        if "location" in page:
            self.send_header("Location", page["location"])
        self.end_headers()
        cut = page.get("close_after")
        if self.command != "HEAD":
            self.wfile.write(data if cut is None else data[: int(cut)])
        if cut is not None:
            self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:
        pass
