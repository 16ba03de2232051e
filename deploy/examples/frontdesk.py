"""A front desk, as a tenant would write it: greets, lets the caller choose, takes a message, connects an agent.

    python frontdesk.py --port 9000 --agent +15550003333

Nothing but Python's standard library. The platform asks each page with a POST of form fields (CallSid, From, Digits …)
and carries out the document that comes back.
"""

from __future__ import annotations

import argparse
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

FIELDS = dict[str, str]


def welcome(_fields: FIELDS, _agent: str) -> str:
    return """
      <Say>Welcome to the front desk.</Say>
      <Gather numDigits="1" action="/choice" timeout="4">
        <Say>For an agent, press 1. To leave a message, press 2.</Say>
      </Gather>
      <Say>We did not hear a choice. Goodbye.</Say>"""


def choice(fields: FIELDS, agent: str) -> str:
    match fields.get("Digits"):
        case "1":
            return f"""
      <Say>Connecting you.</Say>
      <Dial action="/after-agent" timeout="15" record="record-from-answer-dual"
            recordingStatusCallback="/recorded"><Number>{escape(agent)}</Number></Dial>"""
        case "2":
            return """
      <Say>Please speak after the beep, and press the pound key when you are done.</Say>
      <Record action="/after-message" maxLength="30" timeout="4" finishOnKey="#" recordingStatusCallback="/recorded"/>
      <Say>We heard nothing.</Say>"""
        case other:
            return f"<Say>There is no choice {escape(other or '')}.</Say><Redirect>/</Redirect>"


def after_agent(fields: FIELDS, _agent: str) -> str:
    if fields.get("DialCallStatus") == "completed":
        return "<Say>Thank you for calling.</Say>"
    return "<Say>Nobody is free right now.</Say><Redirect>/choice?Digits=2</Redirect>"


def after_message(fields: FIELDS, _agent: str) -> str:
    seconds = fields.get("RecordingDuration", "0")
    return f"<Say>Your message of {escape(seconds)} seconds is safe with us. Goodbye.</Say><Hangup/>"


def agent(_fields: FIELDS, _agent: str) -> str:
    """What an agent's number does in the demo: somebody answers, says something, and goes."""
    return '<Pause length="1"/><Say>How can I help you? I am only here for the demo.</Say><Hangup/>'


PAGES = {"/": welcome, "/agent": agent, "/choice": choice, "/after-agent": after_agent, "/after-message": after_message}


class FrontDesk(BaseHTTPRequestHandler):
    agent = ""
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        path, _, query = self.path.partition("?")
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        fields = {name: values[-1] for name, values in {**parse_qs(body), **parse_qs(query)}.items()}
        page = PAGES.get(path)
        if page is None:  # a status or recording callback: nothing to answer
            self._send(204, "")
            return
        self._send(200, f'<?xml version="1.0" encoding="UTF-8"?>\n<Response>{page(fields, self.agent)}\n</Response>\n')

    def _send(self, status: int, text: str) -> None:
        data = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/xml; charset=utf-8")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:
        pass


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--port", type=int, default=9000)
    parser.add_argument("--agent", default="+15550003333", help="the number that choice 1 dials")
    arguments = parser.parse_args()
    FrontDesk.agent = arguments.agent
    server = ThreadingHTTPServer(("127.0.0.1", arguments.port), FrontDesk)
    print(f"front desk on http://127.0.0.1:{server.server_address[1]}/", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        sys.exit(0)


if __name__ == "__main__":
    main()
